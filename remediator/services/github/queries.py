"""The GraphQL documents of the forge, and the values that their answers are read into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.domain.base import Value
from remediator.services.github.owners import PLACES

if TYPE_CHECKING:
    from collections.abc import Mapping

ZERO = "0" * 40
"""The zero id: as `beforeOid` the ref must not exist, as `afterOid` it is deleted."""

_CODEOWNERS = " ".join(
    f'owners{at}: file(path: "{path}") {{ object {{ ... on Blob {{ text }} }} }}' for at, path in enumerate(PLACES)
)
BASE = """
query Base($owner: String!, $name: String!, $tracked: String!) {
  repository(owner: $owner, name: $name) {
    defaultBranchRef { name target { oid } }
    ref(qualifiedName: $tracked) { name target { oid } }
  }
}"""

BRANCH = (
    """
query Branch($owner: String!, $name: String!, $ref: String!, $head: String!, $base: GitObjectID!) {
  repository(owner: $owner, name: $name) {
    id
    pullRequestTemplates { body }
    object(oid: $base) { ... on Commit { tree { oid } """
    + _CODEOWNERS
    + """ } }
    ref(qualifiedName: $ref) {
      target { oid ... on Commit { message tree { oid } author { name } parents(first: 2) { nodes { oid } } } }
    }
    pullRequests(headRefName: $head, first: 5, orderBy: {field: CREATED_AT, direction: DESC}) { nodes {
      id number url state title body headRefOid baseRefName isCrossRepository isInMergeQueue mergeCommit { oid }
      commits(first: 1) { totalCount }
      labels(first: 50) { nodes { name } }
      assignees(first: 20) { nodes { login } }
      reviewRequests(first: 1) { totalCount }
    } }
  }
}"""
)

UPDATE_REF = """
mutation Move($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }"""

REVISE = """
mutation Revise($input: UpdateRefsInput!, $pull: UpdatePullRequestInput!) {
  updateRefs(input: $input) { clientMutationId }
  updatePullRequest(input: $pull) { clientMutationId }
}"""
"""The two updates run in this order, and the second only if the first succeeded."""


READY = """
query Ready($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed
    pullRequest(number: $number) { id mergeStateStatus }
  }
}"""

AUTO_MERGE = """
mutation Auto($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) { clientMutationId }
}"""


class Pull(Value):
    """A pull request as the query `BRANCH` returns it."""

    id: str
    number: int
    url: str
    state: str
    """One of OPEN, CLOSED and MERGED."""
    title: str
    body: str
    head: str
    base: str
    queued: bool
    """True in a merge queue: a push would remove it from the queue."""
    merge_commit: str
    commits: int
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    review_requested: bool
    """True where a review was requested from somebody."""

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> Pull:
        """Read a node of `BRANCH`."""
        return cls(
            id=node["id"],
            number=node["number"],
            url=node["url"],
            state=node["state"],
            title=node["title"],
            body=node["body"],
            head=node["headRefOid"],
            base=node["baseRefName"],
            queued=node["isInMergeQueue"],
            merge_commit=(node["mergeCommit"] or {}).get("oid", ""),
            commits=node["commits"]["totalCount"],
            labels=tuple(label["name"] for label in node["labels"]["nodes"]),
            assignees=tuple(user["login"] for user in node["assignees"]["nodes"]),
            review_requested=node["reviewRequests"]["totalCount"] > 0,
        )


class Branch(Value):
    """A proposal's branch, its newest pull request, and the tree of the base that it is built on."""

    repository: str
    base_tree: str
    head: str = ""
    tree: str = ""
    message: str = ""
    author: str = ""
    parents: tuple[str, ...] = ()
    pull: Pull | None = None
    codeowners: str = ""
    """The text of CODEOWNERS in the base."""
    template: str = ""
    """The repository's own pull-request template, where there is just one."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Branch:
        """Read the answer to `BRANCH`; pull requests of forks are left out."""
        repository = data["repository"]
        target = (repository["ref"] or {}).get("target") or {}
        nodes = [node for node in repository["pullRequests"]["nodes"] if not node["isCrossRepository"]]
        nodes.sort(key=lambda node: node["state"] != "OPEN")
        base = repository["object"] or {}
        texts = [((base.get(f"owners{at}") or {}).get("object") or {}).get("text") for at in range(len(PLACES))]
        templates = [str(template["body"] or "").strip() for template in repository["pullRequestTemplates"] or ()]
        return cls(
            repository=repository["id"],
            base_tree=(base.get("tree") or {}).get("oid", ""),
            codeowners=next((text for text in texts if text), ""),
            template=templates[0] if len(templates) == 1 else "",
            head=target.get("oid", ""),
            tree=(target.get("tree") or {}).get("oid", ""),
            message=target.get("message", ""),
            author=(target.get("author") or {}).get("name") or "",
            parents=tuple(parent["oid"] for parent in (target.get("parents") or {}).get("nodes", ())),
            pull=Pull.of(nodes[0]) if nodes else None,
        )
