"""Every text a person reads, as pure functions of values: pull request, commit, comment, summary, terminal."""

from remediator.report.backlog import backlog, ticked
from remediator.report.comment import needs_person, status_comment
from remediator.report.commit import commit_message
from remediator.report.diff import unified_diff
from remediator.report.pull_request import pull_request
from remediator.report.spending import spending
from remediator.report.summary import run_summary
from remediator.report.terminal import evidence, incident_page, local_pull_request, terminal
from remediator.report.values import (
    Check,
    Diff,
    Event,
    IncidentReport,
    RunFacts,
    SummaryRow,
    Verdict,
)

__all__ = [
    "Check",
    "Diff",
    "Event",
    "IncidentReport",
    "RunFacts",
    "SummaryRow",
    "Verdict",
    "backlog",
    "commit_message",
    "evidence",
    "incident_page",
    "local_pull_request",
    "needs_person",
    "pull_request",
    "run_summary",
    "spending",
    "status_comment",
    "terminal",
    "ticked",
    "unified_diff",
]
