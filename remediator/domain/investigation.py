"""A model's investigation of one incident: the messages, the tools, and the conclusion it may reach.

Every field of a reply is a claim of an untrusted party; `judgement.model` decides what of it is used.
"""

from __future__ import annotations

from typing import Any, Literal

from remediator.domain.base import Value
from remediator.domain.change import Proposal

Role = Literal["system", "user", "assistant", "tool"]


class ToolSpec(Value):
    """A tool that the model may call, with the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolCall(Value):
    """One call as the model wrote it; `arguments` is the JSON text, unchecked."""

    id: str
    name: str
    arguments: str


class Message(Value):
    """One message of the conversation."""

    role: Role
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    """The calls of an assistant's message."""
    call_id: str = ""
    """The call that a tool's message answers."""


class ModelReply(Value):
    """One answer of the model: calls, or text where it made none."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()


class ToolAnswer(Value):
    """The answer to one call, and one line that says for people what was called."""

    text: str
    step: str = ""
    ended: bool = False
    """True where the call concluded the investigation."""


class Ending(Value):
    """The result of an investigation, checked: what is proposed, how, and what is told of the model."""

    proposals: tuple[Proposal, ...]
    """The proposals in the order in which they are offered; the first is made."""
    reason: str = ""
    """The reason why nothing is proposed; empty where something is."""
    root_cause: str = ""
    """The model's cause, where its change is proposed."""
    draft: str = ""
    """The reason why the pull request is a draft; empty where it is not one."""
    note: str = ""
    """What the model found, for people; redacted."""
    category: str = ""
    """The model's category where it differs from the rules' and cites evidence."""
    severity: str = ""
    """The severity that the policies give that category."""
    dropped: int = 0
    """The number of claims that cite nothing that exists."""
    answer: str = ""
    """The tried changes and the conclusion as JSON, for when the same facts come back."""


class Spent(Value):
    """The cost of one run's questions."""

    questions: int = 0
    """Incidents that the model was asked about."""
    reused: int = 0
    """Incidents for which an earlier answer was at hand."""
    calls: int = 0
    """Requests that it answered."""
    sent: int = 0
    received: int = 0
    """Tokens, as the server counts them where it does; else by an estimate that rather errs upwards."""
    today: int = 0
    """Tokens of all runs on this day, as they are counted against its bound; 0 where nobody keeps count."""
