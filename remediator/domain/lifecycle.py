"""The values of an incident after its diagnosis: identity, review, verification and its stored record."""

from __future__ import annotations

from typing import Literal, TypedDict

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
"""The statuses in which an answer is pending; the same fingerprint must not open a second pull request."""


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
    log: str = ""
    """Lines of the log as they came, redacted and bounded, for a model's investigation; never stored."""
    about: str = ""
    """The object at fault, down to the container: it identifies a fault that is reported in other words."""
    names: str = ""
    """The names in the fault (a missing key, for example): another name is another fault."""
    echo: bool = False
    """True where only alerts report it, and only its consequences: they fire for a while after a fault ends."""


class Incident(Value):
    """The identity of an incident and its progress: everything the graph stores beyond its named fields."""

    fingerprint: str
    about: str = ""
    names: str = ""
    generation: int = 1
    attempt: int = 1
    """Pull requests so far, the next one included; the branch's name ends in it."""
    base_commit: str = ""
    """The commit of the base branch on which the current change was made."""
    rounds: int = 0
    """Revisions of the current pull request that reviewers asked for."""
    chosen: str = ""
    """Id of the proposal that the current pull request makes."""
    tried: tuple[str, ...] = ()
    """Ids of proposals that were merged and did not help."""
    seen: int = 1
    last_seen: str = ""
    deadline: str = ""
    """RFC 3339, UTC: when waiting for a verdict ends."""
    reason: str = ""
    """The reason why nothing (more) is proposed, or the error: a sentence a person can act on."""
    quiet_until: str = ""
    """RFC 3339, UTC: the end of the quiet time that a person asked for; empty: the policy's cool-down counts."""
    merged: bool = False
    """True once the change is in the base branch: a failure then calls for a revert."""
    held: str = ""
    """The reason why a finished change is queued: a limit is reached, or a freeze window is open."""
    noted: str = ""
    """Kind of the last review that was processed; the next node depends on it."""
    calm_since: str = ""
    """RFC 3339, UTC: the time since which every check has found the cause of an unmerged incident gone."""
    opening: str = ""
    """RFC 3339, UTC: the time since which its change is being published; set until it is recorded, so that
    the next run sees that a run was interrupted, and continues."""


class Review(Value):
    """An event on a pull request, whatever reported it; the interrupt is resumed with it."""

    kind: Literal[
        "approved", "merged", "changes_requested", "closed", "verify", "confirmed", "seen", "revert", "cleared"
    ]
    by: str = ""
    words: str = ""
    commit: str = ""
    """The head that was approved, or the commit that the merge made."""
    until: str = ""
    """RFC 3339, UTC: the time until which a closed incident stays quiet; empty: as the policy says."""
    at: str = ""
    """RFC 3339, UTC."""
    ref: str = ""
    """The forge's id of the comment or review; an id that is stored is not processed again."""


class HistoryEntry(TypedDict, total=False):
    """One entry of an incident's history: a review, an attempt or an outcome. Empty facts are left out."""

    kind: Literal[
        "approved", "merged", "changes_requested", "closed", "verify", "confirmed", "seen", "revert", "cleared",
        "proposed", "joined", "verified", "ended", "earlier",
    ]  # fmt: skip
    """A kind of `Review`, or: a pull request was opened (`proposed`) or shared (`joined`), a verification failed
    (`verified`), the flow ended (`ended`), an earlier generation of the incident ended (`earlier`)."""
    by: str
    words: str
    commit: str
    at: str
    """RFC 3339, UTC."""
    ref: str
    """The forge's id of the comment or review."""
    action: str
    """The id of the proposal; for `earlier`, of the action."""
    branch: str
    url: str
    outcome: str
    incident_id: str
    """The id of the earlier generation."""


ARRIVED = "arrived"
"""Fact of an observation: the change is in the cluster, so its rollout is not what is missing."""


AWAITED = "awaited"
"""Fact of an observation: the change is not in the cluster yet, so nothing that is observed is its effect."""


UNDECIDED = "undecided"
"""Fact of a pending observation: nothing speaks against recovery, only the time or the sight to confirm it is missing."""


MOMENTS = "moments"
"""Fact of a success that saw moments alone: what happened between two looks, this verifier cannot know."""


PAUSE = "pause"
"""Fact of an observation: the longest pause, in seconds, that a source saw between occurrences before the merge."""


class Observation(Value):
    """The result of one check by one verifier."""

    verifier: str
    status: VerificationStatus
    summary: str
    """One sentence: the condition that holds, the failure with a quote, or the condition it waits for."""
    at: str
    link: str = ""
    facts: dict[str, str] = Field(default_factory=dict)
    """State this verifier needs at its next check; `neutral` says why it has no data on this incident."""


class Base(Value):
    """The branch that a pull request goes to, at the commit that was read."""

    branch: str
    commit: str = ""
    note: str = ""
    """A fact about the choice that a reviewer must know; empty where there is none."""


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
    draft: bool = False
    """True where no rule confirms it, or where rules and model disagree."""
    by_model: bool = False
    """True where the change itself is a model's that nothing confirms: it gets the label `model-proposed`."""


class SecondReading(Value):
    """The result of a model's investigation, checked and redacted; its words are shown as a quotation, never executed."""

    model: str
    note: str
    heard: bool = True
    """False where there was no answer; the note says why."""
    dropped: int = 0
    """The number of claims and choices that the check rejected."""
    category: str = ""
    """Another category than the rules', for which it cites evidence."""
    draft: str = ""
    """The reason why the pull request is a draft; empty where it is none."""
    steps: tuple[str, ...] = ()
    """One line for each call it made."""
    prompt: str = ""
    """The version of the prompt that was used."""
    recalled: bool = False
    """True where the model was not asked: an earlier answer about the same incident was proved again."""
    key: str = ""
    answer: str = ""
    """The tried changes and the conclusion, redacted, for when the same incident comes back; empty where it is of no use."""
    meant: dict[str, str] = Field(default_factory=dict)
    """Stored by an earlier release: the meaning of each id in the answer."""


class RemediationPlan(Value):
    """The possible fixes of one incident: proposals in rank order, or the reason why there are none."""

    applications: tuple[str, ...] = ()
    root_cause: str = ""
    proposals: tuple[Proposal, ...] = ()
    """Best first; each located, proved, valid and within the guardrails."""
    reason: str = ""
    """The reason why nothing is proposed, in words a person can act on."""
    category: str = ""
    """The kind of a fault that no signal knows: the one that the first change ends, else the one that it reads like."""


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
    """A hash of what its pull request changes: the same for the same texts of the same files on the same branch."""
    opened: tuple[str, ...] = ()
    """RFC 3339, UTC: when its pull requests were opened, oldest first."""


def is_open(record: Record) -> bool:
    """Return whether a sweep has work to do: an answer is pending, it is queued, or a run was interrupted."""
    return record.status in OPEN_STATUSES or bool(record.held or record.opening)


def gravity(record: Record) -> int:
    """Return a sort key that puts the most severe first."""
    return SEVERITIES.index(record.severity) if record.severity in SEVERITIES else len(SEVERITIES)
