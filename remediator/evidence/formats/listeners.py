"""Ports on which something listens: `ss -ltn`, `netstat -tln`, `lsof -i` and `/proc/net/tcp`, with or without their headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.command import command_of
from remediator.evidence.draft import Draft
from remediator.evidence.formats.events import set_subject
from remediator.evidence.formats.patterns import alternatives

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

_SOCKETS = (
    re.compile(r"\s*tcp6?\s+\d+\s+\d+\s+(?P<address>\S*):(?P<port>\d+)\s+\S+:\S+\s+LISTEN\b"),
    re.compile(r"\s*(?:tcp\s+)?LISTEN\s+\d+\s+\d+\s+(?P<address>\S*):(?P<port>\d+)\s+\S+:\S+"),
    re.compile(r"\s*\S+\s+\d+\s.*\bTCP (?P<address>\S*):(?P<port>\d+) \(LISTEN\)"),
)
"""Rows of `netstat`, `ss` and `lsof`."""
_PROC = re.compile(r"\s*\d+: (?P<address>[0-9A-F]{8}(?:[0-9A-F]{24})?):(?P<port>[0-9A-F]{4}) [0-9A-F]+:0000 0A ")
_HEADER = re.compile(
    r"Active Internet connections|\s*Proto\s+Recv-Q|\s*(?:Netid\s+)?State\s+Recv-Q|COMMAND\s+PID\s+.*\bNODE NAME|\s*sl\s+local_address"
)
_HEADERS = 2
"""Lines of a header; a later one opens a table of its own, so that looking for sockets stays linear."""
_OTHER = re.compile(
    r"\s*(?:tcp6?|udp6?|unix|raw)\s|\s*(?:ESTAB|UNCONN|TIME-WAIT|CLOSE-WAIT|SYN-SENT)\b|\s*\d+: [0-9A-F]{8}|\s*\S+\s+\d+\s.*\b(?:TCP|UDP) "
)
"""Rows of the same tables that are no listening socket."""
_LOOPBACK = re.compile(r"127\.|\[?::1\]?$|localhost$|[0-9A-F]{6}7F$|0{24}01000000$")


OPENS = re.compile(alternatives(form.pattern for form in (_HEADER, *_SOCKETS, _PROC)))


def _socket(text: str) -> tuple[str, int] | None:
    """Return address and port of the row of a listening socket."""
    for pattern in _SOCKETS:
        if match := pattern.match(text):
            return match["address"], int(match["port"])
    match = _PROC.match(text)
    return (match["address"], int(match["port"], 16)) if match else None


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of the table; 0 where no row of it listens."""
    del command
    end, listening = start, False
    while end < len(lines) and not lines[end].blank and command_of(lines[end].text) is None:
        text = lines[end].text
        is_socket = _socket(text) is not None
        is_header = end - start < _HEADERS and _HEADER.match(text)
        if not (is_socket or is_header or _OTHER.match(text)):
            break
        listening, end = listening or is_socket, end + 1
    return end - start if listening else 0


def read(section: Section) -> Iterator[Draft]:
    """Yield one status about the container in which the command ran: its ports, and those that only it can reach itself."""
    open_ports: set[int] = set()
    loopback: set[int] = set()
    first = section.first
    for line in section.lines:
        if socket := _socket(line.text):
            (loopback if _LOOPBACK.match(socket[0]) else open_ports).add(socket[1])
    loopback -= open_ports
    draft = Draft(first, "status", reason="Listening", namespace=section.command.namespace, section=section.no)
    draft.speaker = "person"
    kind, name = section.command.target
    if section.command.tool == "kubectl" and name:
        set_subject(draft, kind, name)
        draft.container = section.command.container
    draft.facts |= {"listens": _listed(open_ports), "listens_on_loopback": _listed(loopback)}
    draft.text = f"Listens on {draft.facts['listens'] or 'no port that others reach'}"
    if loopback:
        draft.text += f"; on loopback alone: {draft.facts['listens_on_loopback']}"
    yield draft.settle()


def _listed(ports: set[int]) -> str:
    return ", ".join(map(str, sorted(ports)))
