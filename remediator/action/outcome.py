"""The results of a run: outputs for later steps, a summary for people, annotations on the job, an exit code."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from remediator.domain.base import Value
from remediator.domain.change import PullRequest
from remediator.report import RunFacts, SummaryRow, needs_person, run_summary
from remediator.report.markdown import plain, prose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.action.inputs import FailOn, Inputs
    from remediator.graph.state import IncidentState
    from remediator.report import IncidentReport

_SEVERITIES = ("critical", "warning", "info")
_MOST_NOTES = 10
_MOST_ANNOTATIONS = 10
"""GitHub shows at most this number for a step."""


class ActionResult(Value):
    """One incident at the end of a run."""

    incident_id: str
    severity: str
    category: str
    subject: str
    status: str
    verification: str
    reason: str
    pull_request: PullRequest | None
    operation: str
    """The effect of this run on the pull request: created, updated, closed or none."""

    @classmethod
    def of(cls, state: IncidentState, *, existed: bool, error: str = "") -> ActionResult:
        """Return the result of a state; `existed`: its pull request is older than this run."""
        pull, diagnosis = state["pull_request"], state["diagnosis"]
        operation = "none"
        if pull and pull.number:
            operation = {"open": "updated" if existed else "created", "closed": "closed"}.get(pull.state, "none")
        return cls(
            incident_id=state["incident_id"],
            severity=state["error_severity"],
            category=state["error_category"],
            subject=diagnosis.subject.name if diagnosis else "",
            status=state["workflow_status"],
            verification=state["verification_status"],
            reason=error or state["incident"].reason,
            pull_request=pull,
            operation=operation,
        )

    @property
    def number(self) -> int:
        """Return the number of its pull request, 0 where there is none."""
        return self.pull_request.number if self.pull_request else 0

    @property
    def url(self) -> str:
        """Return the address of its pull request, empty where there is none."""
        return self.pull_request.url if self.pull_request else ""


def conclusion(results: Sequence[ActionResult], errors: Sequence[str]) -> str:
    """Return `failure`, `needs-person`, `proposed`, `verifying`, `resolved` or `nothing`: the first that any incident has."""
    statuses = {result.status for result in results}
    if errors or "failed" in statuses:
        return "failure"
    order = {"needs_person": "needs-person", "awaiting_review": "proposed", "verifying": "verifying"}
    last = "resolved" if "resolved" in statuses else "nothing"
    return next((word for status, word in order.items() if status in statuses), last)


def exit_code(ended: str, fail_on: FailOn) -> int:
    """Return 1 where the step must fail, else 0."""
    bad = {"never": set(), "failure": {"failure"}, "needs-person": {"failure", "needs-person"}}
    if fail_on == "any":
        return int(ended not in {"nothing", "resolved"})
    return int(ended in bad[fail_on])


def outputs(results: Sequence[ActionResult], ended: str, summary: str, matrix: str = "") -> dict[str, str]:
    """Return the action's outputs; the single ones describe the most severe incident."""
    ranked = sorted(
        results,
        key=lambda result: (
            _SEVERITIES.index(result.severity) if result.severity in _SEVERITIES else 9,
            not result.number,
        ),
    )
    first = ranked[0] if ranked else None
    pull = first.pull_request if first else None
    pulls = [
        {"number": result.number, "url": result.url, "operation": result.operation, "incident": result.incident_id}
        for result in ranked
        if result.number
    ]
    return {
        "pull-request-number": str((pull and pull.number) or ""),
        "pull-request-url": pull.url if pull else "",
        "pull-request-operation": first.operation if first else "none",
        "pull-request-branch": pull.branch if pull else "",
        "pull-request-head-sha": pull.head if pull else "",
        "pull-requests": json.dumps(pulls),
        "conclusion": ended,
        "incident-ids": json.dumps([result.incident_id for result in ranked if result.incident_id]),
        "severity": first.severity if first else "",
        "verification-status": first.verification if first else "",
        "summary-file": summary,
        "matrix": matrix,
    }


def write_outputs(inputs: Inputs, values: dict[str, str]) -> None:
    """Write the outputs to GITHUB_OUTPUT, each value behind a delimiter that it cannot contain."""
    if inputs.output is None:
        return
    lines = []
    for name, value in values.items():
        end = f"end-{uuid.uuid4()}"
        lines.append(f"{name}<<{end}\n{value}\n{end}\n")
    with inputs.output.open("a", encoding="utf-8") as file:
        file.writelines(lines)


def summary_page(
    results: Sequence[ActionResult], people: Sequence[IncidentReport], errors: Sequence[str], facts: RunFacts, note: str
) -> str:
    """Return the job's summary."""
    rows = [
        SummaryRow(
            incident_id=result.incident_id,
            severity=result.severity,
            category=result.category,
            subject=result.subject,
            outcome=f"{result.status.replace('_', ' ')} (#{result.number})"
            if result.number
            else result.reason or result.status,
            url=result.url,
        )
        for result in results
    ]
    parts = [prose(note)] if note else [run_summary(rows, facts)]
    parts += [f"❌ {prose(error)}" for error in errors]
    parts += ["\n".join(f"- ⚠️ {prose(note, 300)}" for note in _few(facts.notes))] if facts.notes else []
    parts += [prose(facts.model)] if facts.model else []
    parts += [needs_person(report) for report in people[:10]]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _few(notes: Sequence[str]) -> list[str]:
    hidden = len(notes) - _MOST_NOTES
    return [*notes[:_MOST_NOTES], *([f"{hidden} more notes"] if hidden > 0 else [])]


def job_annotations(results: Sequence[ActionResult], errors: Sequence[str]) -> list[str]:
    """Return workflow commands; no text in them can begin another command."""
    messages = [("error", error) for error in errors]
    for result in results:
        kind = "error" if result.status == "failed" else "warning" if result.status == "needs_person" else "notice"
        messages.append(
            (kind, f"{result.incident_id}: {result.status.replace('_', ' ')}: {result.reason or result.url}")
        )
    return [f"::{kind} title=Remediator::{_escaped(text)}" for kind, text in messages[:_MOST_ANNOTATIONS]]


def _escaped(text: str) -> str:
    return plain(text, 500).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
