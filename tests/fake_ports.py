"""Fakes of the ports; each obeys the same contract tests as the real adapter."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from remediator.domain.change import Edit, Proposal, PullRequest
from remediator.domain.lifecycle import Base, Observation, RemediationPlan
from remediator.errors import ConflictError, PolicyViolation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.domain.incident import Diagnosis
    from remediator.domain.lifecycle import Case, Change, VerificationStatus
    from remediator.domain.ports import Investigation, Read
    from remediator.domain.sources import Rollout


@dataclass
class MemoryRefStore:
    """A `RefStore` that forgets; heads are numbers."""

    commits: list[dict[str, bytes]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    everybody: bool = False

    def public(self) -> bool:
        return self.everybody

    def head(self) -> str:
        return str(len(self.commits)) if self.commits else ""

    def read(self, head: str, paths: Sequence[str] | None = None) -> dict[str, bytes]:
        files = self.commits[int(head) - 1] if head else {}
        return {path: text for path, text in files.items() if paths is None or path in paths}

    def write(self, expected: str, changes: Mapping[str, bytes | None], message: str) -> str:
        with self.lock:
            if expected != self.head():
                raise ConflictError(f"head is {self.head()}, not {expected}")
            files = self.read(expected) | {path: text for path, text in changes.items() if text is not None}
            for path, text in changes.items():
                if text is None:
                    files.pop(path, None)
            self.commits.append(files)
            self.messages.append(message)
            return self.head()


@dataclass
class FakeForge:
    """A `Forge` in memory: one base branch and the files on it."""

    files: dict[str, str | None] = field(default_factory=dict)
    branches: dict[str, Change] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    branch: str = "main"
    calls: list[str] = field(default_factory=list)
    fails: Exception | None = None
    answered_by: Literal["comment", "command"] = "command"
    earlier_files: dict[str, dict[str, str | None]] = field(default_factory=dict)
    """The files as they stood at earlier commits of the base."""

    def base(self, tracked: str) -> Base:
        return Base(branch=self.branch, commit=f"c{len(self.merged)}")

    def read(self, base: Base, path: str) -> bytes:
        text = self.earlier_files.get(base.commit, self.files).get(path)
        if text is None:
            raise FileNotFoundError(path)
        return text.encode()

    def publish(self, change: Change) -> PullRequest:
        self.calls.append("publish")
        if self.fails:
            raise self.fails
        if all(self.files.get(path) == text for path, text in change.files.items()):
            raise ConflictError("nothing to change")
        published = self.branches.get(change.branch)
        if published is None or published.files != change.files:
            if published and self.heads[change.branch].startswith("person"):
                raise ConflictError("has commits of others")
            self.branches[change.branch] = change
            self.heads[change.branch] = f"h{len(self.calls)}"
        head = self.heads[change.branch]
        return PullRequest(branch=change.branch, base=self.branch, title=change.title, body=change.body, head=head)

    def look(self, pull_request: PullRequest) -> PullRequest:
        if pull_request.state != "open":
            return pull_request
        if commit := self.merged.get(pull_request.branch):
            return pull_request.model_copy(update={"state": "merged", "merge_commit": commit})
        head = self.heads.get(pull_request.branch)
        return pull_request.model_copy(update={"head": head} if head else {"state": "closed"})

    def merge(self, pull_request: PullRequest, *, message: str = "") -> PullRequest:
        now = self.look(pull_request)
        if now.state == "closed":
            raise ConflictError("closed")
        if now.state == "open":
            self.earlier_files[f"c{len(self.merged)}"] = dict(self.files)
            self.files.update(self.branches.pop(now.branch).files)
            self.heads.pop(now.branch)
            self.merged[now.branch] = f"m{len(self.merged)}"
        return self.look(pull_request)

    def merge_when_ready(self, pull_request: PullRequest) -> PullRequest:
        return self.merge(pull_request)

    def close(self, pull_request: PullRequest) -> PullRequest:
        now = self.look(pull_request)
        if now.state != "open":
            return now
        if now.head == pull_request.head:
            self.branches.pop(now.branch)
            self.heads.pop(now.branch)
        return now.model_copy(update={"state": "closed"})


@dataclass
class FakeLogs:
    """A `LogSource` of given cases."""

    given_cases: tuple[Case, ...]

    def cases(self) -> tuple[Case, ...]:
        return self.given_cases

    def measured(self) -> tuple[int, float]:
        return 3, 0.0

    def notes(self) -> tuple[str, ...]:
        return ()


@dataclass
class FakePlanner:
    """A `StubPlanner` with a given plan; an edit writes whole files, a file named in `forbidden` meets an objection."""

    plan: RemediationPlan = field(default_factory=RemediationPlan)
    forbidden: tuple[str, ...] = ()
    alone: bool = False
    pinned: str = ""
    out_of_bounds: str = ""
    ice: str = ""
    case: Investigation | None = None
    stale: dict[str, str] = field(default_factory=dict)
    larger: Proposal | None = None

    def propose(self, diagnosis: Diagnosis) -> RemediationPlan:
        """Its own edit for each workload."""
        name = diagnosis.subject.name
        if name == "checkout":
            return self.plan
        proposals = [
            proposal.model_copy(update={"edits": tuple(_of(name, edit) for edit in proposal.edits)})
            for proposal in self.plan.proposals
        ]
        return self.plan.model_copy(update={"proposals": tuple(proposals)})

    def edit(self, edits: Sequence[Edit], read: Read) -> dict[str, bytes | None]:
        for edit in edits:
            read(edit.file)
        return {edit.file: None if edit.op == "remove" else str(edit.value).encode() for edit in edits}

    def objections(self, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> tuple[str, ...]:
        return tuple(f"{path} is denied" for path in after if path in self.forbidden)

    def frozen(self) -> str:
        return self.ice

    def tracked(self, applications: Sequence[str], files: Sequence[str]) -> str:
        if self.pinned:
            raise PolicyViolation(f"pinned to {self.pinned}")
        return ""

    def investigation(self, diagnosis, plan, log, history):
        return self.case

    def with_value(self, proposal: Proposal, path: str, value: str) -> Proposal:
        if value == self.out_of_bounds:
            raise PolicyViolation(f"{value} is out of bounds")
        edits = tuple(edit.model_copy(update={"value": value}) for edit in proposal.edits)
        return proposal.model_copy(update={"id": f"{proposal.action}#set", "edits": edits})

    def outdated(self, proposal: Proposal, read: Read) -> str:
        return self.stale.get(proposal.id, "")

    def next_step(self, failed: Proposal, read: Read) -> Proposal | None:
        return self.larger

    def merges_itself(self, action: str) -> bool:
        return self.alone


def _of(name: str, edit: Edit) -> Edit:
    return edit.model_copy(update={"value": f"{edit.value}# {name}\n"})


@dataclass
class FakeVerifier:
    """A `Verifier` that says what it is told to, the last word again and again."""

    statuses: list[VerificationStatus]
    name: str = "fake"
    facts: dict[str, str] = field(default_factory=dict)
    forgotten: int = 0
    promise: str = "all looks well"

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        summary = f"looks {status}"
        return Observation(
            verifier=self.name, status=status, summary=summary, at="2026-01-01T00:00:00Z", facts=self.facts
        )

    def forget(self) -> None:
        self.forgotten += 1
