"""The list of queued fixes, one box each, and the reader of the boxes that people tick.

The issue itself is the interface: a box keeps its incident's id in a hidden marker, so that no state is needed to read it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.report.markdown import marker, prose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.lifecycle import Record

_TICKED = re.compile(r"^- \[[xX]\] <!-- remediator:held ([A-Za-z0-9._-]+) -->", re.MULTILINE)
_MOST = 55_000
"""Characters of the list; GitHub refuses a body of more than 65,536."""


def backlog(records: Sequence[Record]) -> str:
    """Return the list, most severe first, each with its fault and the reason why it waits."""
    if not records:
        return f"{marker('backlog', '')}\nNo fix is queued.\n"
    lines: list[str] = []
    for record in records:
        line = (
            f"- [ ] {marker('held', record.incident_id)} **{record.severity}** {prose(', '.join(record.applications), 100)}:"
            f" {prose(record.summary, 200)} — {prose(record.held, 160)}"
        )
        if sum(map(len, lines)) + len(line) > _MOST:
            lines.append(f"\nand {len(records) - len(lines)} more")
            break
        lines.append(line)
    count = "1 fix is" if len(records) == 1 else f"{len(records)} fixes are"
    return (
        f"{marker('backlog', '')}\n{count} ready but queued by a limit or a freeze window. Tick a box to open its pull"
        " request now in spite of the limits (a freeze window still applies). The others follow when the limits"
        " allow, most severe first.\n\n" + "\n".join(lines) + "\n"
    )


def ticked(body: str) -> frozenset[str]:
    """Return the incidents whose box somebody has ticked."""
    return frozenset(_TICKED.findall(body))
