"""The ports of the graph's nodes; `services/` and `intake/` implement them.

A node knows these protocols only, so that it runs against a fake, a local repository or GitHub without a change. What an
implementation must hold to stands here, and `tests/contract` checks it against each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from remediator.domain.change import Edit, Proposal, PullRequest
    from remediator.domain.incident import Diagnosis
    from remediator.domain.investigation import (
        Ending,
        Message,
        ModelReply,
        Spent,
        ToolAnswer,
        ToolCall,
        ToolSpec,
    )
    from remediator.domain.lifecycle import Base, Case, Change, HistoryEntry, Observation, RemediationPlan
    from remediator.domain.sources import Rollout

Clock = Callable[[], datetime]
"""The present moment, aware, UTC; a parameter so that deadlines can be tested."""

Read = Callable[[str], bytes]
"""Bytes of a file by its path in the repository; raises FileNotFoundError."""


class LogSource(Protocol):
    """The logs of this run; read and classified once, however often they are requested."""

    def cases(self) -> tuple[Case, ...]:
        """Return every incident in the inputs, the most severe first; always at least one."""
        ...

    def measured(self) -> tuple[int, float]:
        """Return the number of lines that were read, and the seconds it took."""
        ...

    def notes(self) -> tuple[str, ...]:
        """Return a note for each input that was not read, or only in part, with the reason."""
        ...


class Planner(Protocol):
    """The repository and the policies as the nodes need them: the possible fixes, and the files after each."""

    def propose(self, diagnosis: Diagnosis) -> RemediationPlan:
        """Return ranked actions, located and proved in the repository, or the reason why there are none."""
        ...

    def edit(self, edits: Sequence[Edit], read: Read) -> dict[str, bytes | None]:
        """Return full new contents by path, None to delete; raises what the edit engine refuses with."""
        ...

    def objections(self, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> tuple[str, ...]:
        """Return why the guardrails forbid this final difference; empty where they allow it."""
        ...

    def frozen(self) -> str:
        """Return why nothing may be proposed at this time (a freeze window); empty where it may."""
        ...

    def tracked(self, applications: Sequence[str], files: Sequence[str]) -> str:
        """Return the branch that the Applications fed by these files follow; empty for the default one.

        PolicyViolation where one of them is pinned to a tag or a commit, which no merge moves.
        """
        ...

    def investigation(
        self, diagnosis: Diagnosis, plan: RemediationPlan, log: str, history: Sequence[HistoryEntry]
    ) -> Investigation | None:
        """Return the incident as a model may investigate it; None where the policy asks for none (the rules are sure)."""
        ...

    def with_value(self, proposal: Proposal, path: str, value: str) -> Proposal:
        """Return the proposal with another value at the place that `path` names, in full or by its last steps.

        PolicyViolation where there is no such place, or the action's bounds forbid the value.
        """
        ...

    def outdated(self, proposal: Proposal, read: Read) -> str:
        """Return which place of a change no longer reads as it was located; empty where all do."""
        ...

    def next_step(self, failed: Proposal, read: Read) -> Proposal | None:
        """Return a merged change that did not help with a larger amount; None where it raised none."""
        ...

    def merges_itself(self, action: str) -> bool:
        """Return whether the policy lets this action's pull request merge without a person."""
        ...


class Forge(Protocol):
    """The host of branches and pull requests. Every call may be repeated after a crash: it finds what it made."""

    @property
    def answered_by(self) -> Literal["comment", "command"]:
        """The way in which a reviewer answers: comments on the pull request, or commands in a terminal."""
        ...

    def base(self, tracked: str) -> Base:
        """Return the branch to propose to, for Applications that follow `tracked`."""
        ...

    def read(self, base: Base, path: str) -> bytes:
        """Return a file as it is at that base; raises FileNotFoundError."""
        ...

    def publish(self, change: Change) -> PullRequest:
        """Make the branch, its one commit and the pull request, or adopt what an earlier run left.

        Raises ConflictError when a person has committed to the branch.
        """
        ...

    def look(self, pull_request: PullRequest) -> PullRequest:
        """Return the pull request in its current state."""
        ...

    def merge(self, pull_request: PullRequest, *, message: str = "") -> PullRequest:
        """Merge it, or find it merged; ConflictError where base and branch conflict."""
        ...

    def merge_when_ready(self, pull_request: PullRequest) -> PullRequest:
        """Merge it at once where no rule forbids it, else let the forge merge it when its rules are met.

        Never around a rule: where the forge cannot promise that, it stays open for a person.
        """
        ...

    def close(self, pull_request: PullRequest) -> PullRequest:
        """Close it without merging and remove its branch, unless a person has committed to it."""
        ...


class Verifier(Protocol):
    """One way to check whether an incident is over."""

    name: str

    @property
    def promise(self) -> str:
        """The condition that holds on success, in a few words: a reviewer reads it before the merge."""
        ...

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """Check once, without waiting; failures of the servers become observations and never raise.

        `earlier` are the observations of this rollout, by all verifiers, oldest first.
        """
        ...

    def forget(self) -> None:
        """Drop cached answers: within one check, data that several incidents share is requested once."""
        ...


class Dialogue(Protocol):
    """One investigation's exchange with a model, within its tokens and its deadline."""

    @property
    def tokens_left(self) -> int:
        """The tokens that may still be sent and received."""
        ...

    def size(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> int:
        """Return the estimated tokens of a request."""
        ...

    def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> ModelReply:
        """Return the model's next answer, unchecked; ServiceError if none comes in time, or the tokens are spent."""
        ...

    def close(self) -> None:
        """Give back the tokens that were not used; may be called again."""
        ...


class Analyst(Protocol):
    """A model that investigates incidents, never trusted: what it says is checked before anything of it is used."""

    @property
    def name(self) -> str:
        """The model's name, for people."""
        ...

    @property
    def spent(self) -> Spent:
        """The cost of its answers so far."""
        ...

    def open(self) -> Dialogue:
        """Begin an investigation, its tokens set aside; ServiceError where none are left."""
        ...

    def recalled(self) -> None:
        """Record that an earlier answer was used instead of asking."""
        ...


class Investigation(Protocol):
    """One incident as a model may look at it: pure functions of the redacted facts and the checkout."""

    @property
    def key(self) -> str:
        """The identity of the facts: equal for the same facts and the same objects."""
        ...

    @property
    def opening(self) -> tuple[str, str]:
        """The instructions and the first question; the same bytes for the same incident."""
        ...

    @property
    def tools(self) -> Sequence[ToolSpec]:
        """The tools that may be called."""
        ...

    def call(self, call: ToolCall) -> ToolAnswer:
        """Return the answer to one call; never raises for what a model writes."""
        ...

    def ending(self, model: str) -> Ending:
        """Return what the investigation comes to so far, checked."""
        ...

    def recall(self, answer: str) -> bool:
        """Conclude as an earlier answer did, its changes proved anew; False where it no longer holds."""
        ...


class ReplyLog(Protocol):
    """The replies of investigations that are under way, so that a run that dies does not spend twice."""

    def replies(self, key: str) -> tuple[ModelReply, ...]:
        """Return the replies of an investigation that was interrupted, in order."""
        ...

    def add(self, key: str, reply: ModelReply) -> None:
        """Record one more reply; a failure is logged and never raised."""
        ...

    def forget(self, key: str) -> None:
        """Drop the replies of an investigation that ended."""
        ...


class TokenBudget(Protocol):
    """The tokens that a model may still use today, shared by all runs."""

    def take(self, least: int, most: int) -> int:
        """Reserve as many tokens as remain, up to `most`; 0 where fewer than `least` remain."""
        ...

    def give_back(self, tokens: int) -> int:
        """Return reserved tokens that were not used; returns the day's new count."""
        ...


class RefStore(Protocol):
    """Small documents on one ref, changed by compare-and-swap: all of a write lands, or nothing does."""

    def head(self) -> str:
        """Return the ref's current commit id; empty where the ref does not exist."""
        ...

    def public(self) -> bool:
        """Return whether everybody can read it."""
        ...

    def read(self, head: str, paths: Sequence[str] | None = None) -> dict[str, bytes]:
        """Return documents by path at that commit, all of them when no paths are given; missing ones are left out."""
        ...

    def write(self, expected: str, changes: Mapping[str, bytes | None], message: str) -> str:
        """Commit on top of `expected` and move the ref there, None deletes; ConflictError if it has moved."""
        ...
