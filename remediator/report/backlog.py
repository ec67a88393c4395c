"""The list of what is held back, one box each; what people tick is read from it again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.report.markdown import marker, prose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.life import Record

_TICKED = re.compile(r"^- \[[xX]\] <!-- remediator:held ([A-Za-z0-9._-]+) -->", re.MULTILINE)
_MOST = 200


def backlog(held: Sequence[Record]) -> str:
    """Gravest first, each with what is wrong and why it waits."""
    if not held:
        return f"{marker('backlog', '')}\nNothing is held back.\n"
    lines = [
        f"- [ ] {marker('held', one.incident_id)} **{one.severity}** {prose(', '.join(one.applications), 100)}:"
        f" {prose(one.summary, 200)} — {prose(one.held, 160)}"
        for one in held[:_MOST]
    ]
    if len(held) > _MOST:
        lines.append(f"\nand {len(held) - _MOST} more")
    count = "1 fix is" if len(held) == 1 else f"{len(held)} fixes are"
    return (
        f"{marker('backlog', '')}\n{count} ready and held back by a cap or a freeze window. Tick a box to have its pull"
        " request opened now, whatever the caps say (a freeze window still holds); the others follow as there is"
        " room, gravest first.\n\n" + "\n".join(lines) + "\n"
    )


def ticked(body: str) -> frozenset[str]:
    """Incidents whose box somebody has ticked."""
    return frozenset(_TICKED.findall(body))
