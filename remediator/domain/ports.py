"""Protocols that the graph's nodes are given; `services/` implements them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from remediator.domain.change import Edit, Proposal, PullRequest
    from remediator.domain.incident import Diagnosis
    from remediator.domain.lifecycle import Base, Case, Change, Observation, RemediationPlan, SecondReading
    from remediator.domain.model_answer import ModelQuestion, Spent
    from remediator.domain.sources import Rollout

Clock = Callable[[], datetime]
"""The present moment, aware, UTC; a parameter so that deadlines can be tested."""

Read = Callable[[str], bytes]
"""Bytes of a file by its path in the repository; raises FileNotFoundError."""


class LogSource(Protocol):
    """What this run was given to look at; read and classified once, however often it is asked."""

    def cases(self) -> tuple[Case, ...]:
        """Every incident in the inputs, gravest first; always at least one."""
        ...

    def measured(self) -> tuple[int, float]:
        """Lines that were read, and the seconds it took."""
        ...

    def notes(self) -> tuple[str, ...]:
        """What was not read, or not in whole, and why."""
        ...


class Planner(Protocol):
    """The repository and the policies as the nodes need them: what to do, and how files would read then."""

    def propose(self, diagnosis: Diagnosis) -> RemediationPlan:
        """Ranked actions, located and proved in the repository, or the reason why there are none."""
        ...

    def edit(self, edits: Sequence[Edit], read: Read) -> dict[str, bytes | None]:
        """Full new contents by path, None to delete; raises what the edit engine refuses with."""
        ...

    def objections(self, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> tuple[str, ...]:
        """Why the guardrails forbid this final difference; empty when they allow it."""
        ...

    def frozen(self) -> str:
        """Why nothing may be proposed at this time (a freeze window); empty when it may."""
        ...

    def tracked(self, applications: Sequence[str], files: Sequence[str]) -> str:
        """The branch that the Applications fed by these files follow; empty for the default one.

        PolicyViolation where one of them is pinned to a tag or a commit, which no merge moves.
        """
        ...

    def second_reading(
        self,
        analyst: Analyst,
        diagnosis: Diagnosis,
        plan: RemediationPlan,
        history: Sequence[Mapping[str, Any]],
        kept: SecondReading | None = None,
    ) -> tuple[SecondReading, tuple[Proposal, ...]]:
        """What a model says of it, judged, and options that it adds behind the plan's; never raises for what it does.

        `kept`: what it said when the incident was here before; judged anew instead of asking again.
        """
        ...

    def with_value(self, proposal: Proposal, path: str, value: str) -> Proposal:
        """The proposal with another value at the place that `path` names, whole or by its end.

        PolicyViolation where there is no such place, or the action's bounds forbid the value.
        """
        ...

    def merges_itself(self, action: str) -> bool:
        """Whether the policy lets this action's pull request merge without a person."""
        ...


class Forge(Protocol):
    """Where branches and pull requests live. Every call may be repeated after a crash: it finds what it made."""

    @property
    def answered_by(self) -> Literal["comment", "command"]:
        """How a reviewer answers: comments on the pull request, or commands in a terminal."""
        ...

    def base(self, tracked: str) -> Base:
        """The branch to propose to, for Applications that follow `tracked`."""
        ...

    def read(self, base: Base, path: str) -> bytes:
        """A file as it stands at that base; raises FileNotFoundError."""
        ...

    def publish(self, change: Change) -> PullRequest:
        """Make the branch, its one commit and the pull request, or adopt what an earlier run left.

        Raises ConflictError when a person has committed to the branch.
        """
        ...

    def look(self, pull_request: PullRequest) -> PullRequest:
        """The pull request as it is now."""
        ...

    def merge(self, pull_request: PullRequest, *, message: str = "") -> PullRequest:
        """Merge it, or find it merged; ConflictError when base and branch contradict each other."""
        ...

    def merge_when_ready(self, pull_request: PullRequest) -> PullRequest:
        """Merge it at once where nothing stands in the way, else let the forge do so when its rules are met.

        Never around a rule: where the forge cannot promise that, it stays open for a person.
        """
        ...

    def close(self, pull_request: PullRequest) -> PullRequest:
        """Close it without merging and remove its branch, unless a person has committed to it."""
        ...


class Verifier(Protocol):
    """One way of seeing whether an incident is over."""

    name: str

    @property
    def promise(self) -> str:
        """What holds when it agrees, in a few words: a reviewer reads it before the merge."""
        ...

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """Look once, do not wait; never raises for what the outside world does.

        `earlier` are the observations of this rollout, by all verifiers, oldest first.
        """
        ...

    def forget(self) -> None:
        """Ask anew from now on: within one look, what several incidents share is asked once."""
        ...


class Analyst(Protocol):
    """A second reader of an incident, never trusted: its answer is judged before anything of it is used."""

    @property
    def name(self) -> str:
        """The model's name, for people."""
        ...

    @property
    def spent(self) -> Spent:
        """What its answers have cost so far."""
        ...

    def consider(self, brief: ModelQuestion) -> str:
        """Its answer as JSON in the shape of `Opinion`, unchecked; ServiceError where there is none in time."""
        ...

    def recalled(self) -> None:
        """Take note that an earlier answer was used instead of asking."""
        ...


class TokenBudget(Protocol):
    """How many tokens of the day are left for a model, whatever other runs do at the same time."""

    def take(self, least: int, most: int) -> int:
        """Set aside as many as are left, up to `most`; 0 where fewer than `least` are."""
        ...

    def give_back(self, tokens: int) -> int:
        """Return what was set aside and not used; the day's count then."""
        ...


class RefStore(Protocol):
    """Small documents on one ref, changed by compare-and-swap: all of a write lands, or none of it."""

    def head(self) -> str:
        """The ref's present commit id; empty when the ref does not exist."""
        ...

    def public(self) -> bool:
        """Whether everybody can read it."""
        ...

    def read(self, head: str, paths: Sequence[str] | None = None) -> dict[str, bytes]:
        """Documents by path at that commit, all of them when no paths are named; missing ones are left out."""
        ...

    def write(self, expected: str, changes: Mapping[str, bytes | None], message: str) -> str:
        """Commit on top of `expected` and move the ref there, None deletes; ConflictError if it has moved."""
        ...
