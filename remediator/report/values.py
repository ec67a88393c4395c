"""The input of every report: plain values, so that the same text comes out wherever it is made."""

from __future__ import annotations

from typing import Literal

from remediator.domain.base import Value
from remediator.domain.change import Proposal
from remediator.domain.incident import Diagnosis
from remediator.domain.lifecycle import SecondReading

ReplyBy = Literal["comment", "command"]
"""The way in which a reviewer answers: comments on the pull request, or commands in the terminal (a local pull request)."""

Outcome = Literal["review", "recovered", "not_recovered", "waiting", "unconfirmed"]


class Diff(Value):
    """A unified difference and the name of its file."""

    name: str
    text: str


class IncidentReport(Value):
    """Everything that the pull request, the commit message and the terminal say about one incident."""

    incident_id: str
    diagnosis: Diagnosis
    category_title: str = ""
    """The category in words: `out of memory`."""
    proposal: Proposal | None = None
    alternatives: tuple[Proposal, ...] = ()
    """All proposals in rank order, the chosen one among them; `use N` counts in this order."""
    status: str = ""
    """The incident's workflow status; a proposal can be answered where it is empty or `awaiting_review`."""
    reason: str = ""
    """The reason why nothing is proposed, or why the proposal is queued."""
    look_at: tuple[str, ...] = ()
    """Hints for the person who looks, where nothing is proposed."""
    rendered_note: str = ""
    """The reason why there is no rendered difference; empty where there is one."""
    also_feeds: tuple[str, ...] = ()
    """Other Applications that the edited files affect, beside those that the places name."""
    policy: tuple[str, ...] = ()
    """The guardrails' notes on the whole change, beside those of the proposal."""
    verification: str = ""
    """The checks of recovery after the merge, in words."""
    diffs: tuple[Diff, ...] = ()
    attempt: int = 1
    failed: str = ""
    """The result of the attempt before this one."""
    follows: str = ""
    """The address of the previous attempt's pull request."""
    sightings: int = 1
    last_seen: str = ""
    now: str = ""
    """RFC 3339; ages are counted from it. Empty: dates are shown instead."""
    version: str = ""
    reading: SecondReading = SecondReading(model="", note="")
    """The model's answer, its note rendered as a quotation; without a model's name if none was asked."""
    branch: str = ""
    base: str = ""
    url: str = ""
    """The pull request's address; empty for a local one."""
    reply_by: ReplyBy = "comment"
    repo: str = ""
    """The checkout as `--repo` named it, for the commands that are printed; empty for the current directory."""

    @property
    def options(self) -> tuple[Proposal, ...]:
        """The proposals in the order in which a reviewer counts them."""
        chosen = self.proposal
        if chosen is None or any(option.id == chosen.id for option in self.alternatives):
            return self.alternatives
        return (chosen, *self.alternatives)


class Check(Value):
    """The result of one verifier."""

    name: str
    result: str
    since: str = ""
    link: str = ""
    """The address of the same result on the configured server."""


class Event(Value):
    """One line of an incident's timeline."""

    at: str
    text: str


class Verdict(Value):
    """The status of one pull request: the result, its checks, the next step."""

    incident_id: str
    outcome: Outcome
    headline: str
    """The text after the outcome: `11 min after the merge`."""
    checks: tuple[Check, ...] = ()
    next_step: str = ""
    next_look: str = ""
    deadline: str = ""
    timeline: tuple[Event, ...] = ()


class RunFacts(Value):
    """The figures of one run."""

    lines: int = 0
    seconds: float = 0.0
    dry_run: bool = False
    notes: tuple[str, ...] = ()
    """The inputs that were not read, or only in part, and why."""
    model: str = ""
    """The cost of the model; empty where none was asked."""


class SummaryRow(Value):
    """One incident in a run's summary."""

    incident_id: str
    severity: str
    category: str
    subject: str
    outcome: str
    """The result in words."""
    url: str = ""
