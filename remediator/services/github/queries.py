"""The GraphQL documents of the forge, and the values that their answers are read into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.domain.base import Value
from remediator.services.github.owners import PLACES

if TYPE_CHECKING:
    from collections.abc import Mapping

ZERO = "0" * 40
"""As `beforeOid`: must not exist. As `afterOid`: delete."""

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
"""In this order, and the second only if the first succeeded."""


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
    """A pull request as a query tells it."""

    id: str
    number: int
    url: str
    state: str
    """OPEN, CLOSED or MERGED."""
    title: str
    body: str
    head: str
    base: str
    queued: bool
    """In a merge queue: whatever is pushed now would throw it out."""
    merge_commit: str
    commits: int
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    asked: bool
    """Somebody was asked to review it."""

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> Pull:
        """From a node of `BRANCH`."""
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
            labels=tuple(one["name"] for one in node["labels"]["nodes"]),
            assignees=tuple(one["login"] for one in node["assignees"]["nodes"]),
            asked=node["reviewRequests"]["totalCount"] > 0,
        )


class Branch(Value):
    """A proposal's branch, its newest pull request, and the tree of the base that it shall stand on."""

    repository: str
    base_tree: str
    head: str = ""
    tree: str = ""
    message: str = ""
    author: str = ""
    parents: tuple[str, ...] = ()
    pull: Pull | None = None
    codeowners: str = ""
    """Of the base."""
    template: str = ""
    """The repository's own, where there is just one."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Branch:
        """From the answer to `BRANCH`; pull requests of forks are somebody else's."""
        repository = data["repository"]
        target = (repository["ref"] or {}).get("target") or {}
        nodes = [one for one in repository["pullRequests"]["nodes"] if not one["isCrossRepository"]]
        nodes.sort(key=lambda one: one["state"] != "OPEN")
        base = repository["object"] or {}
        texts = [((base.get(f"owners{at}") or {}).get("object") or {}).get("text") for at in range(len(PLACES))]
        templates = [str(one["body"] or "").strip() for one in repository["pullRequestTemplates"] or ()]
        return cls(
            repository=repository["id"],
            base_tree=(base.get("tree") or {}).get("oid", ""),
            codeowners=next((text for text in texts if text), ""),
            template=templates[0] if len(templates) == 1 else "",
            head=target.get("oid", ""),
            tree=(target.get("tree") or {}).get("oid", ""),
            message=target.get("message", ""),
            author=(target.get("author") or {}).get("name") or "",
            parents=tuple(one["oid"] for one in (target.get("parents") or {}).get("nodes", ())),
            pull=Pull.of(nodes[0]) if nodes else None,
        )
