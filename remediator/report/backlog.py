"""The list of what is held back, one box each; what people tick is read from it again."""

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


def backlog(held: Sequence[Record]) -> str:
    """Gravest first, each with what is wrong and why it waits."""
    if not held:
        return f"{marker('backlog', '')}\nNothing is held back.\n"
    lines: list[str] = []
    for one in held:
        line = (
            f"- [ ] {marker('held', one.incident_id)} **{one.severity}** {prose(', '.join(one.applications), 100)}:"
            f" {prose(one.summary, 200)} — {prose(one.held, 160)}"
        )
        if sum(map(len, lines)) + len(line) > _MOST:
            lines.append(f"\nand {len(held) - len(lines)} more")
            break
        lines.append(line)
    count = "1 fix is" if len(held) == 1 else f"{len(held)} fixes are"
    return (
        f"{marker('backlog', '')}\n{count} ready and held back by a cap or a freeze window. Tick a box to have its pull"
        " request opened now, whatever the caps say (a freeze window still holds); the others follow as there is"
        " room, gravest first.\n\n" + "\n".join(lines) + "\n"
    )


def ticked(body: str) -> frozenset[str]:
    """Incidents whose box somebody has ticked."""
    return frozenset(_TICKED.findall(body))
