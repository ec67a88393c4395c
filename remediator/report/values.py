"""What a report is made of: plain values, so that the same text comes out wherever it is made."""

from __future__ import annotations

from typing import Literal

from remediator.domain.base import Value
from remediator.domain.change import Proposal
from remediator.domain.incident import Diagnosis

ReplyBy = Literal["comment", "command"]
"""How a reviewer answers: comments on the pull request, or commands in the terminal (a local pull request)."""

Outcome = Literal["review", "recovered", "not_recovered", "waiting", "unconfirmed"]


class Diff(Value):
    """A unified difference and the file it is of."""

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
    """All proposals in rank order, the chosen one among them: its number there is what `use N` means."""
    status: str = ""
    """The incident's workflow status; empty and `awaiting_review` mean that the proposal can be answered."""
    reason: str = ""
    """Why nothing is proposed, or why what is proposed was held back."""
    look_at: tuple[str, ...] = ()
    """Where nothing is proposed: what a person should look at."""
    rendered_note: str = ""
    """Why there is no rendered difference, where there is none."""
    also_feeds: tuple[str, ...] = ()
    """Other Applications that the edited places feed, beside those that the places name."""
    policy: tuple[str, ...] = ()
    """What the guardrails decided on the whole change, beside what the proposal brings."""
    verification: str = ""
    """How recovery will be verified after the merge."""
    diffs: tuple[Diff, ...] = ()
    attempt: int = 1
    failed: str = ""
    """What was seen of the attempt before this one."""
    follows: str = ""
    """The address of the pull request that this one comes after."""
    seen: int = 1
    last_seen: str = ""
    now: str = ""
    """RFC 3339; ages are counted from it. Empty: dates are shown instead."""
    version: str = ""
    model: str = ""
    """The model's name; empty if none was asked."""
    model_heard: bool = True
    model_note: str = ""
    """The model's own words, or what became of its answer; rendered as a quotation."""
    model_prompt: str = ""
    """The version of the prompt that it answered."""
    model_recalled: bool = False
    """It answered when the same incident was here before, and was not asked again."""
    branch: str = ""
    base: str = ""
    url: str = ""
    """The pull request's address; empty for a local one."""
    reply_by: ReplyBy = "comment"
    repo: str = ""
    """The checkout as `--repo` named it, for the commands that are printed; empty where it is the present directory."""

    @property
    def options(self) -> tuple[Proposal, ...]:
        """The proposals in the order by which a reviewer names them."""
        chosen = self.proposal
        if chosen is None or any(option.id == chosen.id for option in self.alternatives):
            return self.alternatives
        return (chosen, *self.alternatives)


class Check(Value):
    """One thing that verification looked at."""

    name: str
    result: str
    since: str = ""
    link: str = ""
    """Where a person sees it for themselves, at a server that we were configured with."""


class Event(Value):
    """One line of an incident's timeline."""

    at: str
    what: str


class Verdict(Value):
    """What verification says about one merged pull request."""

    incident_id: str
    outcome: Outcome
    headline: str
    """What follows the outcome's word: `11 min after the merge`."""
    checks: tuple[Check, ...] = ()
    next_step: str = ""
    next_look: str = ""
    deadline: str = ""
    timeline: tuple[Event, ...] = ()


class RunFacts(Value):
    """What was read in one run."""

    lines: int = 0
    seconds: float = 0.0
    dry_run: bool = False
    notes: tuple[str, ...] = ()
    """What was not read, or not in whole, and why."""
    model: str = ""
    """What was spent on a model; empty where none was asked."""


class SummaryRow(Value):
    """One incident in a run's summary."""

    incident_id: str
    severity: str
    category: str
    subject: str
    outcome: str
    """What became of it, in words."""
    url: str = ""
