"""The commit message: conventional, wrapped, with the trailers by which incident and action are found again."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from remediator.report import wording
from remediator.report.markdown import plain
from remediator.report.pull_request import title

if TYPE_CHECKING:
    from remediator.report.values import IncidentReport


def commit_message(report: IncidentReport) -> str:
    """Return subject, body and trailers. Nothing in the body can skip checks, close an issue or mention anybody."""
    trailers = {
        "Incident-Id": report.incident_id,
        "Remediator-Action": report.proposal.action if report.proposal else "",
    }
    body = textwrap.fill(plain(wording.happened(report), 1_000), 72, break_long_words=False, break_on_hyphens=False)
    last = "\n".join(f"{name}: {plain(value)}" for name, value in trailers.items() if value)
    return "\n\n".join(part for part in (title(report), body, last) if part) + "\n"
