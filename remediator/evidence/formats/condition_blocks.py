"""Conditions of any object's status: below `Status:` of a describe, in the YAML or the cut rest of one.

Every controller reports in the same four fields, so its kind need not be known to read what is wrong.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.command import command_of
from remediator.evidence.draft import Draft
from remediator.evidence.formats.events import set_subject
from remediator.evidence.lines import rfc3339
from remediator.evidence.messages import message_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

OPENS = re.compile(r"\s*(?:status|Status|conditions|Conditions):\s*$")
_FIELD = re.compile(
    r"\s*(?:- )?(?P<key>last ?transition ?time|message|reason|status|type):\s+(?P<value>\S.*)", re.IGNORECASE
)
_HOLDS_WHEN_TRUE = re.compile(
    r"(?:Ready|Accepted|ResolvedRefs|Programmed|Available|Synced|Healthy|Established|Reconciled|Valid|Applied|Deployed|"
    r"Released|Bound|Initialized|Progressing|ScalingActive|AbleToScale|SecretSynced|Configured|Attached|Approved|\w+Ready|\w+Available|\w+Synced|\w+Valid)"
)
_HOLDS_WHEN_FALSE = re.compile(
    r"(?:Degraded|Stalled|Conflicted|Failed|Failing|Error|\w+(?:Failed|Failure|Error|Degraded|Conflict|Stalled))"
)


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of the block, up to a blank line or the next command; 0 where it has no condition."""
    del command
    end = start + 1
    while end < len(lines) and not lines[end].blank and command_of(lines[end].text) is None:
        end += 1
    return end - start if any(True for _ in troubles(lines[start:end], Draft(0, "status"))) else 0


def read(section: Section) -> Iterator[Draft]:
    """Yield the conditions that mean trouble, about the object of the command."""
    base = Draft(section.first, "status", namespace=section.command.namespace, section=section.no)
    kind, name = section.command.target
    if section.command.verb in {"get", "describe"} and name:
        set_subject(base, kind, name)
    yield from troubles(section.lines, base)


def troubles(lines: Iterable[Line], base: Draft) -> Iterator[Draft]:
    """Yield a statement for each condition that is not as it should be; a type that nobody knows to be good is left out."""
    for first, fields in _conditions(lines):
        kind, status, message = fields["type"], fields["status"], fields.get("message", "")
        if not is_trouble(kind, status):
            continue
        draft = base.like(line=first.no, reason=fields.get("reason", "") or kind)
        draft.text = message or f"Condition {kind} is {status}"
        draft.facts |= {"condition": kind, "condition_status": status, **message_facts(message)}
        draft.last_seen = rfc3339(fields.get("lasttransitiontime", ""))
        yield draft


def is_trouble(kind: str, status: str) -> bool:
    """Return True where a condition of this type should not have this status; False for a type that nobody knows."""
    if _HOLDS_WHEN_FALSE.fullmatch(kind):
        return status == "True"
    return status in {"False", "Unknown"} and _HOLDS_WHEN_TRUE.fullmatch(kind) is not None


def _conditions(lines: Iterable[Line]) -> Iterator[tuple[Line, dict[str, str]]]:
    """Yield the first line and the fields of each condition; a field that comes again begins the next one."""
    fields: dict[str, str] = {}
    first: Line | None = None
    for line in lines:
        if not (match := _FIELD.match(line.text)):
            continue
        key = match["key"].lower().replace(" ", "")
        if key in fields or (line.text.lstrip().startswith("- ") and fields):
            if first is not None and {"type", "status"} <= set(fields):
                yield first, fields
            fields, first = {}, None
        first = first or line
        fields[key] = match["value"].strip().strip("\"'")
    if first is not None and {"type", "status"} <= set(fields):
        yield first, fields
