"""Short answers of `kubectl get -o jsonpath`, `-o go-template` and `-o custom-columns`: fragments without a frame of their own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from remediator.evidence.draft import Draft
from remediator.evidence.formats.events import set_subject
from remediator.evidence.lines import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.lines import Line

_ASKED = ("jsonpath", "go-template", "custom-columns", "jsonpath-as-json")
_STATES = ("terminated", "waiting", "running")
_REASON = re.compile(
    r"(?<![\w./-])(?:OOMKilled|Evicted|Error|Completed|[A-Z][A-Za-z]+(?:BackOff|Error|Exceeded|Failed|NotReady|Pull|Unschedulable))(?![\w./-])"
)
_POD = re.compile(r"[a-z0-9][a-z0-9.-]*-[a-z0-9]{4,10}(?=\s|$)")


def is_asked(command: Command) -> bool:
    """Return True if a command asks for single values of objects."""
    output = command.flags.get("-o") or command.flags.get("--output") or ""
    return command.tool == "kubectl" and command.verb == "get" and output.startswith(_ASKED)


def read(lines: Sequence[Line], command: Command, no: int) -> Iterator[Draft]:
    """Yield one status per line that holds a container's state or a reason; the command names the object."""
    output = command.flags.get("-o") or command.flags.get("--output") or ""
    kind, name = command.target
    for line in lines:
        if line.blank:
            continue
        draft = Draft(line.no, "status", line.text.strip(), namespace=command.namespace, section=no)
        if name:
            set_subject(draft, kind, name)
        elif match := _POD.match(line.text.strip()):
            set_subject(draft, kind or "Pod", match.group())
        draft.facts["when"] = "last" if "lastState" in output else "current"
        state = _state(line.text)
        if state:
            _fill(draft, *state)
        elif match := _REASON.search(line.text):
            draft.reason = match.group()
        yield draft.settle()


def _state(text: str) -> tuple[str, dict[str, Any]] | None:
    """Return the kind and the fields of a container's state, where the line is one."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for kind in _STATES:
        if isinstance(document, dict) and isinstance(body := document.get(kind), dict):
            return kind.capitalize(), body
    return None


def _fill(draft: Draft, kind: str, body: dict[str, Any]) -> None:
    draft.reason = str(body.get("reason") or kind)
    title = "Last State" if draft.facts["when"] == "last" else "State"
    code, message = str(body.get("exitCode", "")), str(body.get("message") or "")
    draft.text = (
        f"{title}: {kind} ({draft.reason})" + (f", exit code {code}" if code else "") + (message and f": {message}")
    )
    draft.facts |= {"state": kind, "exit_code": code, "message": message}
    draft.first_seen, draft.last_seen = (
        rfc3339(str(body.get("startedAt") or "")),
        rfc3339(str(body.get("finishedAt") or "")),
    )
