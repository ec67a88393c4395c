"""The summary of one run, most severe incident first, for the job's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.report import wording
from remediator.report.markdown import code, linkable, prose, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.report.values import RunFacts, SummaryRow

MOST_ROWS = 100


def run_summary(rows: Sequence[SummaryRow], run: RunFacts) -> str:
    """Return one line for the run and one row for each incident."""
    head = f"**{_counted(rows)} in {wording.count(run.lines, 'line')}**" + (" (dry run)" if run.dry_run else "")
    if not rows:
        return head + "\n"
    cells = [
        (code(row.incident_id), prose(row.severity), prose(row.category), prose(row.subject), _outcome(row))
        for row in rows[:MOST_ROWS]
    ]
    remainder = f"\n\n… and {len(rows) - MOST_ROWS} more." if len(rows) > MOST_ROWS else ""
    return f"{head}\n\n{table(cells, head=('incident', 'severity', 'category', 'where', 'outcome'))}{remainder}\n"


def _counted(rows: Sequence[SummaryRow]) -> str:
    return wording.count(len(rows), "incident") if rows else "No incident"


def _outcome(row: SummaryRow) -> str:
    # The address is the forge's own answer, never text from a log; anything but a plain one is not linked.
    return f"[{prose(row.outcome)}]({row.url})" if linkable(row.url) else prose(row.outcome)
