"""The question to a model about one incident, and the only shape in which it can answer.

`ModelAnswer.model_json_schema()` is the answer's schema on the wire, the docstrings of its classes
included: another wording is another prompt. Every field of it is a claim of an untrusted party:
`diagnosis.judge` decides what of it is kept.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from remediator.domain.base import Value
from remediator.domain.incident import Severity

Short = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=600)]


class EvidenceExcerpt(Value):
    """Redacted evidence under the id by which claims cite it."""

    id: str
    category: str
    """The category of the rules' signal in it."""
    signal: str
    text: str


class ChangeTarget(Value):
    """A located value that an action may change, with its history."""

    id: str
    value: str
    history: tuple[str, ...] = ()


class Parameter(Value):
    """One parameter of an allowed action: one of `values`, else a quantity between both bounds."""

    name: str
    values: tuple[str, ...] = ()
    minimum: str = ""
    maximum: str = ""


class Offer(Value):
    """An allowed action, with its targets and parameters."""

    action: str
    targets: tuple[str, ...]
    ends: tuple[str, ...]
    """Signal ids; evidence of at least one must be cited for it."""
    parameters: tuple[Parameter, ...] = ()


class PastIncident(Value):
    """An earlier, similar incident and its outcome."""

    summary: str
    action: str
    outcome: str


class ModelQuestion(Value):
    """Everything that a model is told; redacted before it gets here."""

    category: str
    severity: Severity
    summary: str
    windows: tuple[EvidenceExcerpt, ...] = ()
    targets: tuple[ChangeTarget, ...] = ()
    offers: tuple[Offer, ...] = ()
    past: tuple[PastIncident, ...] = ()
    categories: tuple[str, ...] = ()
    """Ids that an answer may use."""
    language: str = "English"


class CitedClaim(Value):
    """A sentence on the root cause, and the evidence that bears it."""

    text: Words
    evidence: tuple[Short, ...] = Field(max_length=12)


class Argument(Value):
    """A parameter's value; a list of pairs, since strict JSON Schemas know no free keys."""

    name: Short
    value: Short


class Choice(Value):
    """One of the offers, chosen."""

    action: Short
    target: Short
    arguments: tuple[Argument, ...] = Field(max_length=8)
    evidence: tuple[Short, ...] = Field(max_length=12)
    confidence: float = Field(ge=0, le=1)


class ModelAnswer(Value):
    """A model's answer. With `enough_evidence` false the rest counts for nothing."""

    enough_evidence: bool
    category: Short
    category_evidence: tuple[Short, ...] = Field(max_length=12)
    severity: Severity
    root_cause: tuple[CitedClaim, ...] = Field(max_length=6)
    choices: tuple[Choice, ...] = Field(max_length=5)


class Spent(Value):
    """The cost of one run's questions."""

    questions: int = 0
    """Incidents that the model was asked about."""
    reused: int = 0
    """Incidents for which an earlier answer was at hand."""
    sent: int = 0
    received: int = 0
    """Tokens, as the server counts them where it does; else by an estimate that rather errs upwards."""
    today: int = 0
    """Tokens of all runs on this day, as they are counted against its bound; 0 where nobody keeps count."""
