"""The comments of Remediator: one status comment on each pull request, edited in place, and the page of an incident that needs a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.report import wording
from remediator.report.markdown import clip, code, details, fence, linkable, marker, prose, table
from remediator.report.pull_request import model_section

if TYPE_CHECKING:
    from remediator.report.values import Check, IncidentReport, Outcome, Verdict

OUTCOMES: dict[Outcome, str] = {
    "review": "👀 Awaiting review",
    "recovered": "✅ Recovered",
    "not_recovered": "❌ Not recovered",
    "waiting": "⏳ Waiting",
    "unconfirmed": "❔ Unconfirmed",
}


def status_comment(verdict: Verdict, *, now: str = "") -> str:
    """Return the verdict: the checks, the result, the next step. Its hidden first line finds the comment again."""
    head = f"### {OUTCOMES[verdict.outcome]}" + (f" — {prose(verdict.headline, 300)}" if verdict.headline else "")
    checks = table(
        ((_name(check), prose(check.result), prose(wording.clock(check.since, now))) for check in verdict.checks),
        head=("check", "result", "since"),
    )
    times = (("Next look", verdict.next_look), ("deadline", verdict.deadline))
    look = ", ".join(f"{name} {wording.clock(at, now)}" for name, at in times if at)
    following = " ".join(prose(wording.sentence(part)) for part in (verdict.next_step, look) if part)
    timeline = " · ".join(prose(f"{wording.clock(event.at, now)} {event.text}") for event in verdict.timeline)
    parts = [
        f"{marker('status', verdict.incident_id)}\n{head}",
        checks if verdict.checks else "",
        following,
        details("Timeline", timeline) if timeline else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _name(check: Check) -> str:
    return f"[{prose(check.name)}]({check.link})" if linkable(check.link) else prose(check.name)


def needs_person(report: IncidentReport) -> str:
    """Return the page of an incident without a proposal: the fault, why no edit ends it, where a person should look."""
    evidence = wording.grouped(report.diagnosis.evidence)
    items = evidence[:20]
    lines = [
        line
        for item in items
        for line in (
            clip(" ".join(wording.evidence_line(item, report.now).splitlines()), 400),
            *(f"    {text}" for text in clip(item.text.strip(), 600).splitlines()),
        )
    ]
    tally = f"{len(items)} of {len(evidence)}" if len(evidence) > len(items) else f"{len(items)}"
    subject, category = wording.subject_place(report.diagnosis.subject), report.diagnosis.category
    context = f"{prose(subject, 160)}, {prose(category, 60)}, {report.diagnosis.severity}"
    parts = [
        f"### Needs a person: {prose(report.diagnosis.summary, 300)}",
        prose(wording.sentence(report.reason)),
        (f"Look at: {prose(wording.sentence('; '.join(report.look_at)))} " if report.look_at else "")
        + "Nothing was changed.",
        details(f"Evidence ({tally})", fence("\n".join(lines), "text")) if lines else "",
        model_section(report, 1_200),
        f"<sub>{context}. Incident {code(report.incident_id)}, seen {wording.times(report.sightings)}.</sub>",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
