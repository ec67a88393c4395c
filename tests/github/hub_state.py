"""The stand-in's memory beside its git repository, and what each act does to it, whoever asks and how."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.github.bare_repository import Bare, Entry

if TYPE_CHECKING:
    from pathlib import Path

BOT = "github-actions[bot]"


class Refused(Exception):
    """An answer that is an error: status, message, and the entries of `errors`."""

    def __init__(
        self, status: int, message: str, *errors: dict[str, str], headers: dict[str, str] | None = None
    ) -> None:
        self.status, self.message, self.errors, self.headers = status, message, list(errors), headers or {}
        super().__init__(message)


class Stale(Exception):
    """A compare-and-swap of GraphQL's that lost."""


@dataclass
class Comment:
    id: int
    user: str
    body: str
    at: str
    edited: bool = False
    reactions: list[tuple[str, str]] = field(default_factory=list)
    """Content and who, in order."""


@dataclass
class Review:
    id: int
    user: str
    state: str
    body: str
    commit: str
    at: str
    reactions: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Pull:
    number: int
    title: str
    body: str
    head: str
    base: str
    user: str
    sha: str
    base_sha: str
    draft: bool = False
    state: str = "open"
    merged: bool = False
    merged_by: str = ""
    merged_at: str = ""
    merge_commit: str = ""
    closed_by: str = ""
    queued: bool = False
    auto: bool = False
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)


@dataclass
class Issue:
    number: int
    title: str
    body: str
    user: str
    labels: list[str]
    state: str = "open"
    editor: str = ""


@dataclass
class Artifact:
    id: int
    name: str
    run: int
    content: bytes
    expired: bool = False


@dataclass
class HubState:
    """One repository on GitHub; every act holds the lock, as GitHub's are atomic."""

    bare: Bare
    owner: str = "acme"
    name: str = "gitops"
    default: str = "main"
    permissions: dict[str, str] = field(default_factory=lambda: {"ada": "write", "bob": "read", BOT: "write"})
    pulls: dict[int, Pull] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    has_issues: bool = True
    artifacts: list[Artifact] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    teams: set[str] = field(default_factory=set)
    frozen: list[str] = field(default_factory=list)
    """Branches that a ruleset forbids."""
    may_open: bool = True
    """Settings → Actions: whether workflows may create pull requests."""
    drafts: bool = True
    checks: bool = True
    """Return whether everything that branch protection asks for is there."""
    methods: tuple[str, ...] = ("merge", "squash", "rebase")
    visibility: str = "PRIVATE"
    lock: threading.RLock = field(default_factory=threading.RLock)
    serial: int = 100
    ticks: int = 0

    @classmethod
    def of(cls, checkout: Path, path: Path) -> HubState:
        return cls(Bare.of(checkout, path))

    def next_id(self) -> int:
        self.serial += 1
        return self.serial

    def now(self) -> str:
        """Ascending, so that a cursor can be tested; a second a look."""
        self.ticks += 1
        return f"2026-01-02T{3 + self.ticks // 3600:02}:{self.ticks // 60 % 60:02}:{self.ticks % 60:02}Z"

    # refs and commits

    def branch(self, name: str) -> str:
        return self.bare.ref(f"refs/heads/{name}")

    def move(self, branch: str, oid: str, *, force: bool = False) -> None:
        """PATCH of a ref: fast-forwards only, unless forced."""
        with self.lock:
            old = self.branch(branch)
            if not old:
                raise Refused(422, "Reference does not exist")
            self._allowed(branch, "Cannot update this protected ref.")
            if self.bare.commit(oid) is None:
                raise Refused(422, "Object does not exist")
            if not force and not self.bare.holds(old, oid):
                raise Refused(422, "Update is not a fast forward")
            self._set(branch, oid)

    def create(self, branch: str, oid: str) -> None:
        with self.lock:
            if self.branch(branch):
                raise Refused(422, "Reference already exists")
            self._allowed(branch, "Cannot create ref due to creations being restricted.")
            if self.bare.commit(oid) is None:
                raise Refused(422, "Object does not exist")
            self._set(branch, oid)

    def delete(self, branch: str) -> None:
        """Deleting a branch closes the pull requests that come from it."""
        with self.lock:
            if not self.branch(branch):
                raise Refused(422, "Reference does not exist")
            self.bare.set_ref(f"refs/heads/{branch}", "")
            for pull in self.open_pulls(head=branch):
                pull.state = "closed"

    def _allowed(self, branch: str, why: str) -> None:
        if branch in self.frozen:
            raise Refused(422, f"Repository rule violations found\n\n{why}\n\n")

    def _set(self, branch: str, oid: str) -> None:
        self.bare.set_ref(f"refs/heads/{branch}", oid)
        for pull in self.open_pulls(head=branch):
            pull.sha = oid
            if self.bare.holds(oid, self.branch(pull.base)):
                pull.state = "closed"
        for pull in self.open_pulls(base=branch):
            if self.bare.holds(pull.sha, oid):
                pull.state, pull.merged, pull.merge_commit = "closed", True, pull.sha

    def commit_files(self, branch: str, files: dict[str, str | bytes | None], message: str, login: str = "ada") -> str:
        """Somebody's commit on a branch, as a push of theirs."""
        with self.lock:
            tip = self.branch(branch)
            changes: dict[str, Entry | None] = {}
            for path, text in files.items():
                entry = self.bare.entry(tip, path) if tip else None
                content = text.encode() if isinstance(text, str) else text
                changes[path] = (
                    None if content is None else Entry(entry.mode if entry else "100644", self.bare.write_blob(content))
                )
            oid = self.bare.write_commit(self.bare.write_tree(tip, changes), [tip] if tip else [], message, login)
            self._set(branch, oid)
            return oid

    def commit_on(self, branch: str, expected: str, files: dict[str, bytes | None], message: str, login: str) -> str:
        """GraphQL's createCommitOnBranch: the branch must exist and be where it is expected."""
        with self.lock:
            tip = self.branch(branch)
            if not tip:
                raise Refused(422, f"No ref matching `{branch}` was found")
            if tip != expected:
                raise Stale(f'Expected branch to point to "{tip}" but it did not. Pull and try again.')
            self._allowed(branch, "Changes must be made through a pull request.")
            for path, content in files.items():
                if content is None and self.bare.entry(tip, path) is None:
                    raise Refused(
                        422, f"A path was requested for deletion which does not exist as of commit oid `{tip}`"
                    )
            return self.commit_files(branch, dict(files), message, login)

    # pull requests

    def open_pulls(self, *, head: str = "", base: str = "") -> list[Pull]:
        open_pulls = [pull for pull in self.pulls.values() if pull.state == "open"]
        return [p for p in open_pulls if (not head or p.head == head) and (not base or p.base == base)]

    def pull(self, number: int) -> Pull:
        if number not in self.pulls:
            raise Refused(404, "Not Found")
        return self.pulls[number]

    def open_pull(self, title: str, head: str, base: str, body: str, login: str, *, draft: bool = False) -> Pull:
        with self.lock:
            if login == BOT and not self.may_open:
                raise Refused(403, "GitHub Actions is not permitted to create or approve pull requests.")
            about = {"resource": "PullRequest"}
            for name, branch in (("head", head), ("base", base)):
                if not self.branch(branch):
                    raise Refused(422, "Validation Failed", {**about, "field": name, "code": "invalid"})
            if draft and not self.drafts:
                raise Refused(422, "Draft pull requests are not supported in this repository.")
            if any(pull.base == base for pull in self.open_pulls(head=head)):
                text = f"A pull request already exists for {self.owner}:{head}."
                raise Refused(422, "Validation Failed", {**about, "code": "custom", "message": text})
            sha, base_sha = self.branch(head), self.branch(base)
            if self.bare.holds(sha, base_sha):
                text = f"No commits between {base} and {head}"
                raise Refused(422, "Validation Failed", {**about, "code": "custom", "message": text})
            pull = Pull(self.next_id(), title, body, head, base, login, sha, base_sha, draft)
            self.pulls[pull.number] = pull
            return pull

    def merge(self, number: int, login: str, *, sha: str = "", method: str = "merge", message: str = "") -> str:
        with self.lock:
            pull = self.pull(number)
            if pull.merged or pull.state != "open" or pull.draft:
                raise Refused(405, "Pull Request is not mergeable")
            if method not in self.methods:
                raise Refused(405, f"{method.capitalize()} merges are not allowed on this repository.")
            if sha and sha != pull.sha:
                raise Refused(409, "Head branch was modified. Review and try the merge again.")
            tip = self.branch(pull.base)
            try:
                tree = self.bare.run("merge-tree", "--write-tree", tip, pull.sha).split("\n")[0]
            except ValueError:
                raise Refused(405, "Pull Request is not mergeable") from None
            ahead = self.bare.ahead(tip, pull.sha)
            if method == "rebase" and len(ahead) > 1:
                raise Refused(405, "This branch can't be rebased")
            text = {"rebase": (self.bare.commit(pull.sha) or ("", (), "", ""))[3]}.get(method, message or pull.title)
            parents = [tip, pull.sha] if method == "merge" else [tip]
            oid = self.bare.write_commit(tree, parents, text, login)
            pull.state, pull.merged, pull.merged_by, pull.merge_commit = "closed", True, login, oid
            pull.merged_at = self.now()
            self._set(pull.base, oid)
            return oid

    def close(self, number: int, login: str) -> None:
        with self.lock:
            pull = self.pull(number)
            if pull.state == "open":
                pull.state, pull.closed_by = "closed", login

    def comment(self, number: int, login: str, body: str) -> Comment:
        with self.lock:
            comment = Comment(self.next_id(), login, body, self.now())
            self.pull(number).comments.append(comment)
            return comment

    def find_comment(self, number: int) -> tuple[Pull, Comment]:
        for pull in self.pulls.values():
            for comment in pull.comments:
                if comment.id == number:
                    return pull, comment
        raise Refused(404, "Not Found")

    def edit_comment(self, number: int, body: str) -> Comment:
        with self.lock:
            _, comment = self.find_comment(number)
            comment.body, comment.edited = body, True
            return comment

    def react(self, number: int, login: str, content: str) -> bool:
        """Add a reaction and return whether it is new; the same reaction of the same person is there once."""
        with self.lock:
            reviews = [item for pull in self.pulls.values() for item in pull.reviews if item.id == number]
            comment = reviews[0] if reviews else self.find_comment(number)[1]
            if (content, login) in comment.reactions:
                return False
            comment.reactions.append((content, login))
            return True

    def review(self, number: int, login: str, state: str, body: str = "") -> Review:
        with self.lock:
            pull = self.pull(number)
            review = Review(self.next_id(), login, state, body, pull.sha, self.now())
            pull.reviews.append(review)
            return review

    def request(self, number: int, logins: list[str], teams: list[str]) -> Pull:
        with self.lock:
            pull = self.pull(number)
            if pull.user in logins:
                raise Refused(422, "Review cannot be requested from pull request author.")
            if not set(logins) <= set(self.permissions) or not set(teams) <= self.teams:
                text = (
                    "Reviews may only be requested from collaborators. One or more of the users or teams you specified"
                )
                raise Refused(422, f"{text} is not a collaborator of the {self.owner}/{self.name} repository.")
            pull.reviewers += [item for item in logins if item not in pull.reviewers]
            pull.teams += [item for item in teams if item not in pull.teams]
            return pull
