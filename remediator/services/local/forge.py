"""The `Forge` port on a local git repository: branches by plumbing, "pull requests" as the branches they are.

A local pull request has no store of its own. It is open while its branch holds what the base does
not, merged once the base holds its head, closed when the branch is gone. So a person may merge or
delete with git alone, and a crashed run leaves nothing that the next one does not understand.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from remediator.domain.change import PullRequest
from remediator.domain.lifecycle import Base
from remediator.errors import ConfigError, ConflictError, PolicyViolation, ServiceError
from remediator.services.local.git import Git

if TYPE_CHECKING:
    from remediator.domain.lifecycle import Change

TRAILER = "Incident-Id"
_TRIES = 20


@dataclass
class LocalForge:
    """The `Forge` port; `push` names the remote that merges are pushed to, "" pushes nothing."""

    git: Git
    push: str = ""

    @property
    def answered_by(self) -> Literal["comment", "command"]:
        """Reviewers answer with commands."""
        return "command"

    def base(self, tracked: str) -> Base:
        """Return the tracked branch, else the checked-out one; `branch` is empty where HEAD is detached."""
        current_branch = self.git.ask("symbolic-ref", "--quiet", "--short", "HEAD")
        if tracked and tracked != "HEAD":
            for ref in (f"refs/heads/{tracked}", f"refs/remotes/origin/{tracked}"):
                if commit := self.git.commit_id(ref):
                    return Base(branch=tracked, commit=commit)
            note = f"the Application follows `{tracked}`, which is no branch of this clone"
            return Base(branch=current_branch, commit=self.git.commit_id("HEAD"), note=note)
        return Base(branch=current_branch, commit=self.git.commit_id("HEAD"))

    def read(self, base: Base, path: str) -> bytes:
        """Return the committed bytes: filters and uncommitted work of the checkout play no part."""
        return self.git.blob(base.commit, self._inside(path))

    def publish(self, change: Change) -> PullRequest:
        """Make one commit on the base's current head; a branch of a crashed run is adopted, or rebuilt if outdated."""
        if not change.base.branch:
            raise ConfigError("HEAD is detached, so there is no branch to propose to: check one out", file=self._where)
        tree = self.git.tree_with(change.base.commit, self._files(change))
        if tree == self.git.run("rev-parse", f"{change.base.commit}^{{tree}}"):
            raise ConflictError(f"{change.base.branch} already reads as {change.branch} would change it")
        ref = f"refs/heads/{change.branch}"
        for _ in range(_TRIES):
            head = self.git.commit_id(ref)
            if head and self._same(head, tree, change):
                return self._pull_request(change, head)
            if head:
                self._must_be_ours(head, change)
            commit = self.git.commit_tree(tree, [change.base.commit], change.message)
            try:
                self.git.move(ref, commit, head)
            except ConflictError:
                continue
            return self._pull_request(change, commit)
        raise ConflictError(f"{change.branch} is being moved by others all the time")

    def look(self, pull_request: PullRequest) -> PullRequest:
        """Return the pull request as the refs tell: open, merged or closed; a recorded end stays."""
        if pull_request.state != "open":
            return pull_request
        head = self.git.commit_id(f"refs/heads/{pull_request.branch}")
        last_head = head or pull_request.head
        tip = self.git.commit_id(f"refs/heads/{pull_request.base}")
        if last_head and tip and self.git.holds("merge-base", "--is-ancestor", last_head, tip):
            merges = self.git.run("rev-list", "--ancestry-path", "--merges", "--reverse", f"{last_head}..{tip}")
            merge = merges.split("\n")[0] or last_head
            return pull_request.model_copy(update={"state": "merged", "head": last_head, "merge_commit": merge})
        return pull_request.model_copy(update={"head": head} if head else {"state": "closed"})

    def merge(self, pull_request: PullRequest, *, message: str = "") -> PullRequest:
        """Merge into the local base; where that is checked out, the worktree follows and must be clean."""
        now = self.look(pull_request)
        if now.state == "closed":
            raise ConflictError(f"{now.branch} was deleted without a merge: there is nothing to approve")
        if now.state == "open":
            now = self._merged(now, message or f"Merge branch '{now.branch}'\n\n{now.title}")
        self._remove_branch(now)
        if self.push:
            self._push(now)
        return now

    def merge_when_ready(self, pull_request: PullRequest) -> PullRequest:
        """Merge it: a local repository has no rules that forbid it."""
        return self.merge(pull_request)

    def close(self, pull_request: PullRequest) -> PullRequest:
        """Delete the branch unless somebody added to it; a merged one stays merged."""
        now = self.look(pull_request)
        if now.state != "open":
            return now
        if now.head == pull_request.head or not pull_request.head:
            self._remove_branch(now)
        return now.model_copy(update={"state": "closed"})

    # inside

    @property
    def _where(self) -> str:
        return str(self.git.top)

    def _inside(self, path: str) -> str:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or ".git" in pure.parts:
            raise PolicyViolation(f"{path}: leaves the checkout")
        return f"{self.git.prefix}{pure}"

    def _files(self, change: Change) -> dict[str, bytes | None]:
        files: dict[str, bytes | None] = {}
        for path, text in change.files.items():
            try:
                target = self.git.resolve(change.base.commit, self._inside(path))
            except FileNotFoundError as error:
                raise PolicyViolation(str(error)) from None
            if not target.startswith(self.git.prefix):
                raise PolicyViolation(f"{path}: a symbolic link leads out of {self.git.prefix}")
            files[target] = None if text is None else text.encode()
        return files

    def _same(self, head: str, tree: str, change: Change) -> bool:
        description = self.git.run("show", "--no-patch", "--format=%T %P", head)
        return description == f"{tree} {change.base.commit}" and self._incident(head) == change.incident_id

    def _incident(self, commit: str) -> str:
        return self.git.run(
            "show", "--no-patch", f"--format=%(trailers:key={TRAILER},valueonly,separator=%x2C)", commit
        )

    def _must_be_ours(self, head: str, change: Change) -> None:
        """Raise ConflictError unless the branch is exactly one commit that names this incident."""
        ahead = self.git.run("rev-list", f"{change.base.commit}..{head}").split()
        if ahead != [head] or self._incident(head) != change.incident_id:
            author = self.git.run("show", "--no-patch", "--format=%an", head)
            raise ConflictError(
                f"{change.branch} has commits of others (last {head[:9]} by {author}), so it is left alone"
            )
        if folder := self._checked_out(f"refs/heads/{change.branch}"):
            raise ConflictError(f"{change.branch} is checked out in {folder}, so it is left alone")

    def _pull_request(self, change: Change, head: str) -> PullRequest:
        return PullRequest(
            branch=change.branch, base=change.base.branch, title=change.title, body=change.body, head=head
        )

    def _merged(self, now: PullRequest, message: str) -> PullRequest:
        ref = f"refs/heads/{now.base}"
        tip = self.git.commit_id(ref)
        if not tip:
            tip = self.git.commit_id(f"refs/remotes/origin/{now.base}")
            if not tip:
                raise ConfigError(f"the base branch {now.base} is gone", file=self._where)
            self.git.move(ref, tip, "")
        folder = self._checked_out(ref)
        if folder:
            self._must_be_clean(folder, now.base)
        commit = self.git.commit_tree(self._merged_tree(tip, now), [tip, now.head], message)
        if folder:
            Git(folder, environ=self.git.environ).run("merge", "--ff-only", "--quiet", commit)
        else:
            self.git.move(ref, commit, tip)
        return now.model_copy(update={"state": "merged", "merge_commit": commit})

    def _merged_tree(self, tip: str, now: PullRequest) -> str:
        if self.git.holds("merge-base", "--is-ancestor", tip, now.head):
            return self.git.run("rev-parse", f"{now.head}^{{tree}}")
        try:
            return self.git.run("merge-tree", "--write-tree", "--name-only", tip, now.head).split("\n")[0]
        except ServiceError as error:
            hint = f"merge {now.branch} into {now.base} by hand, then run this again"
            raise ConflictError(f"{now.base} has moved on and git cannot merge by itself ({error}): {hint}") from error

    def _must_be_clean(self, folder: Path, branch: str) -> None:
        worktree = Git(folder, environ=self.git.environ)
        dirty = worktree.run("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
        if dirty:
            names = ", ".join(line[3:] for line in dirty.split("\n")[:3])
            raise ConfigError(
                f"{branch} is checked out with uncommitted changes ({names}): commit or stash them first",
                file=str(folder),
            )

    def _checked_out(self, ref: str) -> Path | None:
        """Return the worktree in which a branch is checked out."""
        for block in self.git.run("worktree", "list", "--porcelain").split("\n\n"):
            lines = block.split("\n")
            if f"branch {ref}" in lines:
                return Path(lines[0].removeprefix("worktree "))
        return None

    def _remove_branch(self, now: PullRequest) -> None:
        ref = f"refs/heads/{now.branch}"
        if self.git.commit_id(ref) == now.head and now.head and self._checked_out(ref) is None:
            self.git.move(ref, "", now.head)

    def _push(self, now: PullRequest) -> None:
        try:
            self.git.run("push", "--quiet", "--", self.push, f"refs/heads/{now.base}:refs/heads/{now.base}")
        except ServiceError as error:
            raise ServiceError(f"merged here, not pushed to {self.push} ({error}): run approve --push again") from error
