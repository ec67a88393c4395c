"""Tables of `kubectl get -o custom-columns`: the command says which field each heading shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.draft import Draft
from remediator.evidence.formats.events import event, set_subject
from remediator.evidence.kinds import kind_of
from remediator.evidence.lines import rfc3339
from remediator.evidence.tables import columns, none, snake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.lines import Line

_FACTS: tuple[tuple[str, str], ...] = (
    (r"metadata\.name$", "name"),
    (r"metadata\.namespace$", "namespace"),
    (r"(?:involvedObject|regarding)\.name$", "object"),
    (r"(?:involvedObject|regarding)\.kind$", "object_kind"),
    (r"(?:involvedObject|regarding)\.namespace$", "namespace"),
    (r"(?:lastTimestamp|eventTime|metadata\.creationTimestamp)$", "time"),
    (r"lastState\.terminated\.reason$", "last_reason"),
    (r"lastState\.terminated\.exitCode$", "last_exit_code"),
    (r"terminated\.exitCode$", "exit_code"),
    (r"state\.(?:waiting|terminated)\.reason$", "reason"),
    (r"containerStatuses\S*\.restartCount$", "restart_count"),
    (r"containerStatuses\S*\.ready$", "ready"),
    (r"spec\.nodeName$", "node"),
    (r"containers\S*\.name$", "container"),
    (r"containers\S*\.image$", "image"),
    (r"resources\.limits\.memory$", "memory_limit"),
    (r"resources\.limits\.cpu$", "cpu_limit"),
    (r"resources\.requests\.memory$", "memory_request"),
    (r"resources\.requests\.cpu$", "cpu_request"),
    (r"status\.phase$", "status"),
    (r"spec\.storageClassName$", "storageclass"),
)
"""The fact that a field is read as; any other is named by its heading."""
_AMOUNT = re.compile(r"status\.(?P<name>(?:allocatable|capacity)\.[a-z-]+)$")
"""An amount that a node has."""


def headings(command: Command) -> dict[str, str]:
    """Return the fact of each heading that the command asks for; empty where it asks for none."""
    output = command.flags.get("-o") or command.flags.get("--output") or ""
    if not output.startswith("custom-columns="):
        return {}
    pairs = [part.partition(":") for part in output.removeprefix("custom-columns=").split(",")]
    return {heading.strip("'\""): _fact(heading, path) for heading, _, path in pairs if path}


def _fact(heading: str, path: str) -> str:
    bare = path.strip("{}'\" ").replace("\\", "")
    if amount := _AMOUNT.search(bare):
        return snake(amount["name"].replace(".", " "))
    return next((fact for pattern, fact in _FACTS if re.search(pattern, bare)), snake(heading))


def is_table(lines: Sequence[Line], command: Command) -> bool:
    """Return True if the first of the lines is the header that the command asks for, and an object is named below it."""
    facts = headings(command)
    names = [name for name in columns(lines[0].text).names if name]
    return bool(facts) and names == list(facts) and not {"name", "object"}.isdisjoint(facts.values())


def read(lines: Sequence[Line], command: Command, no: int) -> Iterator[Draft]:
    """Yield one status, or one event, per row."""
    facts, table = headings(command), columns(lines[0].text)
    kind, _ = command.target
    for line in lines[1:]:
        cells = {facts[name]: none(text) for name, text in table.cells(line.text).items() if name in facts}
        draft = Draft(line.no, "status", namespace=cells.pop("namespace", "") or command.namespace, section=no)
        draft.last_seen = rfc3339(cells.pop("time", ""))
        if kind == "Event":
            yield _event(draft, cells)
        elif name := cells.pop("name", ""):
            yield _status(draft, kind, name, cells)


def _event(draft: Draft, cells: dict[str, str]) -> Draft:
    draft.channel, draft.level = "event", cells.pop("type", "")
    draft.reason = cells.pop("reason", "")
    draft.text = cells.pop("message", "") or cells.pop("msg", "") or draft.reason
    name = cells.pop("object", "") or cells.pop("name", "").rpartition(".")[0]
    kind = cells.pop("object_kind", "") or ("Pod" if _POD.fullmatch(name) else "")
    return event(draft, kind_of(kind), name)


_POD = re.compile(r"[a-z0-9][a-z0-9.-]*-(?:[a-z0-9]{5}|\d{1,3})")


def _status(draft: Draft, kind: str, name: str, cells: dict[str, str]) -> Draft:
    set_subject(draft, kind, name)
    for key in ("container", "image"):
        text = cells.get(key, "")
        if text and "," not in text:
            setattr(draft, key, cells.pop(key))
    draft.node = cells.pop("node", "") or draft.node
    draft.reason = cells.get("reason") or cells.get("last_reason") or cells.get("status") or ""
    draft.facts |= cells
    details = ", ".join(f"{key.replace('_', ' ')} {text}" for key, text in cells.items() if text)
    draft.text = f"{kind or 'Object'} {name}" + (f": {details}" if details else "")
    return draft.settle()
