"""An incident's life after it was seen: identity, review, verification, and what is kept of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from remediator.domain.base import Value
from remediator.domain.change import Proposal
from remediator.domain.incident import SEVERITIES, Diagnosis

WorkflowStatus = Literal[
    "recorded",
    "needs_person",
    "awaiting_review",
    "verifying",
    "resolved",
    "unconfirmed",
    "rejected",
    "failed",
]
VerificationStatus = Literal["success", "failed", "pending"]

TAKE_BACK = "take_back"
"""The id of the proposal that reverts the change that was merged."""

OPEN_STATUSES: frozenset[str] = frozenset({"awaiting_review", "verifying"})
"""Somebody or something is still awaited; the same fingerprint must not open a second pull request."""


class Case(Value):
    """One incident as a log source hands it over: diagnosed, redacted, with its fingerprint."""

    fingerprint: str
    diagnosis: Diagnosis
    excerpt: str
    """Redacted lines round the evidence, bounded; never the whole log."""
    source: str
    """Names of the inputs that were read."""
    read_at: str
    """RFC 3339, UTC."""
    about: str = ""
    """The object at fault, down to the container: by it a fault that is told in other words is known again."""
    names: str = ""
    """What the fault names (a key that is missing, say): another name is another fault."""
    echo: bool = False
    """Only alerts tell of it, and only of what some fault leads to: they fire on for a while after its end."""


class Incident(Value):
    """Who the incident is and how far it got: what the graph must remember beyond its named fields."""

    fingerprint: str
    about: str = ""
    names: str = ""
    generation: int = 1
    attempt: int = 1
    """Pull requests so far, the next one included; the branch's name ends in it."""
    base_commit: str = ""
    """Commit of the base that the present change was made on."""
    rounds: int = 0
    """Revisions of the present pull request that reviewers asked for."""
    chosen: str = ""
    """Id of the proposal that the present pull request makes."""
    tried: tuple[str, ...] = ()
    """Ids of proposals that were merged and did not help."""
    seen: int = 1
    last_seen: str = ""
    deadline: str = ""
    """RFC 3339, UTC: when waiting for a verdict ends."""
    reason: str = ""
    """Why nothing (more) is proposed, or what went wrong: a sentence a person can act on."""
    quiet_until: str = ""
    """RFC 3339, UTC: a person asked not to be told before then; empty: the policy's cool-down counts."""
    merged: bool = False
    """The present change has reached the base, so that ending it badly means to take it back."""
    held: str = ""
    """Why a ready change waits to be proposed: a cap that is reached, a freeze window."""
    noted: str = ""
    """Kind of the review that was taken note of last: where the flow goes depends on it."""
    calm_since: str = ""
    """RFC 3339, UTC: since when each look has found an unmerged incident gone."""
    opening: str = ""
    """RFC 3339, UTC: since when its change is being published; set until the pull request is recorded, so that
    whoever finds it knows that a run died in between and goes on."""


class Review(Value):
    """Something that happened to a pull request, whoever told of it; what the interrupt is answered with."""

    kind: Literal[
        "approved", "merged", "changes_requested", "closed", "verify", "confirmed", "seen", "revert", "cleared"
    ]
    by: str = ""
    words: str = ""
    commit: str = ""
    """The head that was approved, or the commit that the merge made."""
    until: str = ""
    """Of a close: RFC 3339, UTC, until when the incident stays quiet; empty: as the policy says."""
    at: str = ""
    """RFC 3339, UTC."""
    ref: str = ""
    """The forge's id of the comment or review: by it what was heard is known."""


ARRIVED = "arrived"
"""Fact of an observation: the change is in the cluster, so that what is still missing is not its rollout."""


AWAITED = "awaited"
"""Fact of an observation: the change is not in the cluster yet, so what others see is not of its making."""


class Observation(Value):
    """What one verifier saw, once."""

    verifier: str
    status: VerificationStatus
    summary: str
    """One sentence: what holds, what failed with a quote, or what is waited for."""
    at: str
    link: str = ""
    facts: dict[str, str] = Field(default_factory=dict)
    """What this verifier must know at its next look; `neutral` says why it cannot tell of this incident."""


class Base(Value):
    """The branch that a pull request goes to, at the commit it was looked at."""

    branch: str
    commit: str = ""
    note: str = ""
    """What a reviewer must know about the choice; empty when there is nothing to say."""


class Change(Value):
    """Everything a forge needs to make one branch with one commit and one pull request of it."""

    incident_id: str
    branch: str
    base: Base
    title: str
    body: str
    message: str
    files: dict[str, str | None]
    """Full new text by path, None to delete."""
    urgent: bool = False
    """Reviewers are requested and people notified at once."""
    merge: bool = False
    """The policy lets this action merge by itself."""


class SecondReading(Value):
    """What a model said of an incident, judged and redacted; told as a quotation, never obeyed."""

    model: str
    note: str
    heard: bool = True
    """False where there was no answer; the note says why."""
    dropped: int = 0
    """Claims and choices that were thrown away."""
    category: str = ""
    """Another category than the rules', for which it cites evidence; shown, and nothing more."""
    prompt: str = ""
    """The version of the prompt that it answered."""
    recalled: bool = False
    """It was not asked this time: an earlier answer about the same incident was judged anew."""
    key: str = ""
    answer: str = ""
    """The answer itself, redacted, for when the same incident comes back; empty where it is of no use then."""
    meant: dict[str, str] = Field(default_factory=dict)
    """What each id in the answer stood for."""


class RemediationPlan(Value):
    """What can be done about one incident: proposals in rank order, or the reason why there are none."""

    applications: tuple[str, ...] = ()
    root_cause: str = ""
    proposals: tuple[Proposal, ...] = ()
    """Best first; each located, proved, valid and within the guardrails."""
    reason: str = ""
    """Why nothing is proposed, in words a person can act on."""


class Record(Value):
    """The readable head of an incident's stored document: enough to list, find and recognise it."""

    incident_id: str
    fingerprint: str = ""
    about: str = ""
    names: str = ""
    generation: int = 1
    attempt: int = 1
    seen: int = 1
    category: str = ""
    severity: str = ""
    applications: tuple[str, ...] = ()
    summary: str = ""
    status: str = ""
    verification: str = ""
    action: str = ""
    branch: str = ""
    base: str = ""
    commit: str = ""
    reason: str = ""
    updated: str = ""
    quiet_until: str = ""
    held: str = ""
    opening: str = ""
    change: str = ""
    """Names what its pull request changes: the same for the same texts of the same files on the same branch."""
    opened: tuple[str, ...] = ()
    """RFC 3339, UTC: when its pull requests were opened, oldest first."""


def is_open(record: Record) -> bool:
    """Whether a sweep has something to do: somebody is awaited, it was held back, or a run died while opening it."""
    return record.status in OPEN_STATUSES or bool(record.held or record.opening)


def gravity(record: Record) -> int:
    """Sorts the gravest first."""
    return SEVERITIES.index(record.severity) if record.severity in SEVERITIES else len(SEVERITIES)
