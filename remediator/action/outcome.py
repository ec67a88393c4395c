"""What a run came to: outputs for later steps, a summary for people, annotations on the job, an exit code."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from remediator.domain.base import Value
from remediator.report import RunFacts, SummaryRow, needs_person, run_summary
from remediator.report.markdown import plain, prose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.action.inputs import FailOn, Inputs
    from remediator.graph.state import IncidentState
    from remediator.report import IncidentReport

_GRAVE = ("critical", "warning", "info")
_MOST_NOTES = 10
_MOST_ANNOTATIONS = 10
"""GitHub shows no more of a step."""


class ActionResult(Value):
    """One incident at the end of a run, in plain facts."""

    incident_id: str
    severity: str = ""
    category: str = ""
    subject: str = ""
    status: str = ""
    verification: str = ""
    operation: str = "none"
    """created, updated, closed or none: what this run did to its pull request."""
    number: int = 0
    url: str = ""
    branch: str = ""
    head: str = ""
    reason: str = ""

    @classmethod
    def of(cls, state: IncidentState, *, known: bool, error: str = "") -> ActionResult:
        """From a state; `known`: its pull request was there before this run."""
        pull, diagnosis = state["pull_request"], state["diagnosis"]
        operation = "none"
        if pull and pull.number:
            operation = {"open": "updated" if known else "created", "closed": "closed"}.get(pull.state, "none")
        return cls(
            incident_id=state["incident_id"],
            severity=state["error_severity"],
            category=state["error_category"],
            subject=diagnosis.subject.name if diagnosis else "",
            status=state["workflow_status"],
            verification=state["verification_status"],
            operation=operation,
            number=pull.number if pull else 0,
            url=pull.url if pull else "",
            branch=pull.branch if pull else "",
            head=pull.head if pull else "",
            reason=error or state["incident"].reason,
        )


def conclusion(found: Sequence[ActionResult], errors: Sequence[str]) -> str:
    """`failure`, `needs-person`, `proposed`, `verifying`, `resolved` or `nothing`: the first that holds of any."""
    statuses = {one.status for one in found}
    if errors or "failed" in statuses:
        return "failure"
    order = {"needs_person": "needs-person", "awaiting_review": "proposed", "verifying": "verifying"}
    last = "resolved" if "resolved" in statuses else "nothing"
    return next((word for status, word in order.items() if status in statuses), last)


def exit_code(ended: str, fail_on: FailOn) -> int:
    """Whether the step fails."""
    bad = {"never": set(), "failure": {"failure"}, "needs-person": {"failure", "needs-person"}}
    if fail_on == "any":
        return int(ended not in {"nothing", "resolved"})
    return int(ended in bad[fail_on])


def outputs(found: Sequence[ActionResult], ended: str, summary: str, matrix: str = "") -> dict[str, str]:
    """The action's outputs; the single ones name the gravest incident."""
    ranked = sorted(
        found, key=lambda one: (_GRAVE.index(one.severity) if one.severity in _GRAVE else 9, not one.number)
    )
    first = ranked[0] if ranked else ActionResult(incident_id="")
    pulls = [
        {"number": one.number, "url": one.url, "operation": one.operation, "incident": one.incident_id}
        for one in ranked
        if one.number
    ]
    return {
        "pull-request-number": str(first.number or ""),
        "pull-request-url": first.url,
        "pull-request-operation": first.operation,
        "pull-request-branch": first.branch,
        "pull-request-head-sha": first.head,
        "pull-requests": json.dumps(pulls),
        "conclusion": ended,
        "incident-ids": json.dumps([one.incident_id for one in ranked if one.incident_id]),
        "severity": first.severity,
        "verification-status": first.verification if first.incident_id else "",
        "summary-file": summary,
        "matrix": matrix,
    }


def written(inputs: Inputs, values: dict[str, str]) -> None:
    """Into GITHUB_OUTPUT, each value behind a delimiter that it cannot hold."""
    if inputs.output is None:
        return
    lines = []
    for name, value in values.items():
        end = f"end-{uuid.uuid4()}"
        lines.append(f"{name}<<{end}\n{value}\n{end}\n")
    with inputs.output.open("a", encoding="utf-8") as file:
        file.writelines(lines)


def page(
    found: Sequence[ActionResult], people: Sequence[IncidentReport], errors: Sequence[str], facts: RunFacts, note: str
) -> str:
    """The job's summary."""
    rows = [
        SummaryRow(
            incident_id=one.incident_id,
            severity=one.severity,
            category=one.category,
            subject=one.subject,
            outcome=f"{one.status.replace('_', ' ')} (#{one.number})" if one.number else one.reason or one.status,
            url=one.url,
        )
        for one in found
    ]
    parts = [prose(note)] if note else [run_summary(rows, facts)]
    parts += [f"❌ {prose(error)}" for error in errors]
    parts += ["\n".join(f"- ⚠️ {prose(note, 300)}" for note in _few(facts.notes))] if facts.notes else []
    parts += [prose(facts.model)] if facts.model else []
    parts += [needs_person(report) for report in people[:10]]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _few(notes: Sequence[str]) -> list[str]:
    rest = len(notes) - _MOST_NOTES
    return [*notes[:_MOST_NOTES], *([f"{rest} more of the kind"] if rest > 0 else [])]


def remarks(found: Sequence[ActionResult], errors: Sequence[str]) -> list[str]:
    """Workflow commands; nothing in a text can begin another one."""
    said = [("error", error) for error in errors]
    for one in found:
        kind = "error" if one.status == "failed" else "warning" if one.status == "needs_person" else "notice"
        said.append((kind, f"{one.incident_id}: {one.status.replace('_', ' ')}: {one.reason or one.url}"))
    return [f"::{kind} title=Remediator::{_escaped(text)}" for kind, text in said[:_MOST_ANNOTATIONS]]


def _escaped(text: str) -> str:
    return plain(text, 500).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
