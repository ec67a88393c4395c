"""The `Forge` port on GitHub: one branch of one commit and one pull request for each change, through the API alone.

Nothing is checked out or pushed, so no credential lies on a disk. Every step looks for what an earlier
run left, and a ref moves only from where it was seen: a person's commit is never overwritten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from remediator.domain.change import PullRequest
from remediator.domain.lifecycle import Base
from remediator.errors import ConfigError, ConflictError, ServiceError
from remediator.services.github import queries
from remediator.services.github.blobs import StoredBlob
from remediator.services.github.client import Unsure
from remediator.services.github.files import GitHubFiles
from remediator.services.github.opening import PullRequestOpener, PullRequestRequest
from remediator.services.github.queries import ZERO, Branch

if TYPE_CHECKING:
    from remediator.domain.lifecycle import Change
    from remediator.services.github.client import Client

log = logging.getLogger(__name__)

TRAILER = "Incident-Id"
METHODS = ("merge", "squash", "rebase")
_TRIES = 8


@dataclass
class GitHubForge:
    """The `Forge` port; `prefix` is the folder of the GitOps root in the repository, "" or ending in "/"."""

    client: Client
    request: PullRequestRequest = field(default_factory=PullRequestRequest)
    prefix: str = ""
    base_branch: str = ""
    """The branch of all proposals; empty: the branch that the Application follows, else the default branch."""
    methods: Sequence[str] = METHODS
    """Merge methods, the preferred one first."""
    job_token: bool = False
    """True for the job's own token, whose merges start no workflow: a person has to merge."""
    local: Callable[[str, str], StoredBlob | None] | None = None
    """Returns a path of a commit from a local clone, which saves a request; None where the clone lacks it."""

    def __post_init__(self) -> None:
        self.files = GitHubFiles(self.client, self.prefix, self.local)
        self.opening = PullRequestOpener(self.client, self.request)

    @property
    def answered_by(self) -> Literal["comment", "command"]:
        """Reviewers answer in comments."""
        return "comment"

    def base(self, tracked: str) -> Base:
        """Return the tracked branch, else the default one; a request each time, as it may move."""
        branch = self.base_branch or ("" if tracked == "HEAD" else tracked)
        data = self.client.graphql(queries.BASE, {"tracked": f"refs/heads/{branch or 'HEAD'}"})["repository"]
        ref = data["ref"] if branch else data["defaultBranchRef"]
        if self.base_branch and not ref:
            raise ConfigError(f"the branch {self.base_branch}, given as base, does not exist")
        note = (
            "" if ref or not branch else f"the Application follows `{tracked}`, which is no branch of this repository"
        )
        ref = ref or data["defaultBranchRef"]
        if not ref:
            raise ConfigError(f"{self.client.repository} has no commit yet")
        return Base(branch=ref["name"], commit=ref["target"]["oid"], note=note)

    def read(self, base: Base, path: str) -> bytes:
        """Return bytes as git stores them at that commit, links followed inside the repository."""
        return self.files.read(base.commit, path)

    def publish(self, change: Change) -> PullRequest:
        """Make one commit on the base as it was read; a branch of a crashed run is adopted, or rebuilt if outdated."""
        branch = self._look(change.branch, change.base.commit)
        if branch.pull and branch.pull.state != "OPEN" and branch.head in {"", branch.pull.head}:
            return self._closed_pull_request(
                change, branch.pull
            )  # decided while nobody told us: the next look takes note of it
        tree = self.files.tree(change.base.commit, branch.base_tree, change.files)
        if tree == branch.base_tree:
            raise ConflictError(f"{change.base.branch} already reads as {change.branch} would change it")
        for _ in range(_TRIES):
            if self._is_same(branch, tree, change):
                return self.opening.open(change, branch)
            if branch.head:
                self._must_be_ours(branch, change)
            commit = self._commit(tree, change)
            if not branch.head and self._create_branch(change, commit):
                return self.opening.open(change, branch.model_copy(update={"head": commit}), created=True)
            if branch.head and (moved := self._move_branch(change, branch, commit)):
                return self.opening.open(change, moved)
            branch = self._look(change.branch, change.base.commit)
        raise ConflictError(f"{change.branch} is being moved by others all the time")

    def look(self, pull_request: PullRequest) -> PullRequest:
        """Return the pull request as GitHub has it: open, merged or closed; a recorded end stays."""
        if pull_request.state != "open":
            return pull_request
        return self.opening.look(pull_request)

    def merge(self, pull_request: PullRequest, *, message: str = "") -> PullRequest:
        """Merge exactly the head that was read, as the repository allows; then remove the branch."""
        now = self.look(pull_request)
        if now.state == "closed":
            raise ConflictError(f"#{now.number} was closed without a merge: there is nothing to approve")
        if now.state == "open":
            if pull_request.head and now.head != pull_request.head:
                raise ConflictError(f"#{now.number} has moved on from {pull_request.head[:9]}: look at it again")
            self._merge(now, message)
            now = self.look(now)
        self._remove_branch(now)
        return now

    def merge_when_ready(self, pull_request: PullRequest) -> PullRequest:
        """Merge a clean pull request by its head; else enable GitHub's auto-merge, which keeps branch protection."""
        if self.job_token:
            return _left_open(pull_request, "that needs a GitHub App's token, since the job's own starts no workflow")
        repository = self.client.graphql(queries.READY, {"number": pull_request.number})["repository"]
        pull = repository["pullRequest"]
        if pull["mergeStateStatus"] == "CLEAN":
            return self.merge(pull_request)
        allowed = {"merge": "mergeCommitAllowed", "squash": "squashMergeAllowed", "rebase": "rebaseMergeAllowed"}
        method = next((name for name in self.methods if repository[allowed[name]]), "merge")
        variables = {
            "pullRequestId": pull["id"],
            "expectedHeadOid": pull_request.head,
            "mergeMethod": method.upper(),
        }
        try:
            self.client.graphql(queries.AUTO_MERGE, {"input": variables})
        except (ServiceError, ConfigError) as error:
            if "clean status" in str(error):
                return self.merge(pull_request)
            return _left_open(pull_request, str(error))
        return pull_request.model_copy(update={"note": ""})

    def close(self, pull_request: PullRequest) -> PullRequest:
        """Close it and remove its branch unless somebody added to it; a merged one stays merged."""
        now = self.look(pull_request)
        if now.state == "merged":
            return now
        if now.state == "open":
            self.client.rest("PATCH", f"/pulls/{now.number}", {"state": "closed"}, again=True)
        if now.head == pull_request.head or not pull_request.head:
            self._remove_branch(now)
        return now.model_copy(update={"state": "closed"})

    # inside

    def _look(self, branch: str, base: str) -> Branch:
        variables = {"ref": f"refs/heads/{branch}", "head": branch, "base": base}
        result = Branch.of(self.client.graphql(queries.BRANCH, variables))
        if not result.base_tree:
            raise ConflictError(f"commit {base[:9]} of the base is gone")
        return result

    def _is_same(self, branch: Branch, tree: str, change: Change) -> bool:
        return (
            branch.tree == tree and branch.parents == (change.base.commit,) and _incident(branch) == change.incident_id
        )

    def _must_be_ours(self, branch: Branch, change: Change) -> None:
        """Raise ConflictError unless the branch is one commit that names this incident and is not in a merge queue."""
        pull = branch.pull if branch.pull and branch.pull.state == "OPEN" else None
        if pull and pull.queued:
            raise ConflictError(f"#{pull.number} is in the merge queue, so it is left alone")
        alone = pull.commits if pull and pull.head == branch.head else self._ahead(change, branch)
        if alone != 1 or _incident(branch) != change.incident_id:
            last = f"last {branch.head[:9]} by {branch.author or 'somebody'}"
            raise ConflictError(f"{change.branch} has commits of others ({last}), so it is left alone")

    def _ahead(self, change: Change, branch: Branch) -> int:
        pair = f"{change.base.commit}...{branch.head}"
        return int(self.client.rest("GET", f"/compare/{pair}").body["ahead_by"])

    def _commit(self, tree: str, change: Change) -> str:
        commit = {"message": change.message, "tree": tree, "parents": [change.base.commit]}
        return str(self.client.rest("POST", "/git/commits", commit, again=True).body["sha"])

    def _create_branch(self, change: Change, commit: str) -> bool:
        """Create the branch; False where somebody else created it first."""
        ref = {"ref": f"refs/heads/{change.branch}", "sha": commit}
        reply = self.client.rest("POST", "/git/refs", ref, expect={422}, again=True)
        if reply.status == 422 and "already exists" not in reply.message:
            raise self._refusal(change.branch, reply.message)
        return reply.status != 422

    def _move_branch(self, change: Change, branch: Branch, commit: str) -> Branch | None:
        """Move the branch from where it was read, and update its pull request in the same request.

        None where it was somewhere else already.
        """
        update = {"name": f"refs/heads/{change.branch}", "beforeOid": branch.head, "afterOid": commit, "force": True}
        variables: dict[str, object] = {"input": {"repositoryId": branch.repository, "refUpdates": [update]}}
        words = self.opening.outdated_fields(change, branch)
        if branch.pull and words:
            names = {"title": "title", "body": "body", "base": "baseRefName"}
            variables["pull"] = {"pullRequestId": branch.pull.id, **{names[key]: text for key, text in words.items()}}
        try:
            self.client.graphql(queries.REVISE if words else queries.UPDATE_REF, variables, again=False)
        except Unsure:
            now = self._look(change.branch, change.base.commit)
            return now if now.head == commit else None
        except ServiceError as error:
            if "rule" in str(error).lower() or "protected" in str(error).lower():
                raise self._refusal(change.branch, str(error)) from error
            log.info("%s", error)
            return None
        pull = branch.pull.model_copy(update=words) if branch.pull else None
        return branch.model_copy(update={"head": commit, "pull": pull})

    def _refusal(self, branch: str, words: str) -> ConfigError:
        return ConfigError(f"GitHub refuses the branch {branch}: exempt `remediator/**` from the rule ({words})")

    def _closed_pull_request(self, change: Change, pull: queries.Pull) -> PullRequest:
        return PullRequest(
            branch=change.branch,
            base=pull.base,
            title=change.title,
            body=change.body,
            head=pull.head,
            number=pull.number,
            url=pull.url,
            state="merged" if pull.state == "MERGED" else "closed",
            merge_commit=pull.merge_commit,
        )

    def _merge(self, now: PullRequest, message: str) -> None:
        title, _, body = message.partition("\n")
        words = {"commit_title": title, "commit_message": body.strip()} if message else {}
        reason = ""
        for method in self.methods:
            request = {"sha": now.head, "merge_method": method, **({} if method == "rebase" else words)}
            reply = self.client.rest("PUT", f"/pulls/{now.number}/merge", request, expect={405, 409, 422})
            if reply.status == 200 or self.look(now).state == "merged":
                return
            reason = reply.message
            if "not allowed" not in reason:
                break
        raise ConflictError(f"GitHub does not merge #{now.number}: {reason}")

    def _remove_branch(self, now: PullRequest) -> None:
        """Remove the branch at the head that was read: a commit that somebody pushed since then keeps it."""
        if not now.head:
            return
        if not self.client.node_id:
            self.opening.look(now)
        update = {"name": f"refs/heads/{now.branch}", "beforeOid": now.head, "afterOid": ZERO}
        moves = {"repositoryId": self.client.node_id, "refUpdates": [update]}
        try:
            self.client.graphql(queries.UPDATE_REF, {"input": moves})
        except (ServiceError, ConfigError) as error:
            log.info("the branch %s stays, or was gone already: %s", now.branch, error)


def _left_open(pull: PullRequest, why: str) -> PullRequest:
    """Return the pull request with a note: it stays open for a person, who is told why."""
    log.warning("#%s is not merged by itself: %s", pull.number, why)
    return pull.model_copy(update={"note": f"not merged by itself: {why}"})


def _incident(branch: Branch) -> str:
    lines = [line.partition(": ") for line in branch.message.splitlines()]
    return next((value.strip() for name, _, value in reversed(lines) if name == TRAILER), "")
