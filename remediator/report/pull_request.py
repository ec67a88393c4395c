"""The pull request: title and body.

A reviewer should be able to judge it in one minute, so that the change and the facts come first and the rest is folded.
The body must fit the forge's limit: budgets of decreasing size are tried until it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.base import Value
from remediator.report import wording
from remediator.report.diff import hunks
from remediator.report.markdown import (
    clip,
    code,
    details,
    fence,
    linkable,
    marker,
    plain,
    prose,
    quotation,
    table,
    visible,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.domain.change import Place
    from remediator.report.values import Diff, IncidentReport

LIMIT = 60_000
"""Characters of a body; GitHub refuses more than 65,536."""


class _SizeBudget(Value):
    """The bounds of the sections that can be long."""

    evidence: int
    evidence_text: int
    """Characters shown for each piece of evidence."""
    rendered: int
    """Lines, like `diff`; a line has at most 400 characters."""
    diff: int
    options: int
    words: int
    """Characters of one text: the first paragraph, a cell, an option."""


_SIZE_BUDGETS = (
    _SizeBudget(evidence=200, evidence_text=4_000, rendered=400, diff=600, options=20, words=1_200),
    _SizeBudget(evidence=60, evidence_text=600, rendered=400, diff=600, options=20, words=1_200),
    _SizeBudget(evidence=20, evidence_text=300, rendered=100, diff=400, options=10, words=800),
    _SizeBudget(evidence=8, evidence_text=200, rendered=30, diff=80, options=5, words=300),
    _SizeBudget(evidence=3, evidence_text=120, rendered=5, diff=30, options=3, words=120),
)
"""Evidence is cut first, then the rendered difference, and the change itself last."""


def title(report: IncidentReport) -> str:
    """Return `fix(checkout): raise memory limit …`, a conventional commit's subject; the commit has the same one."""
    summary = report.proposal.title if report.proposal else report.diagnosis.summary
    scope = plain(wording.subject_name(report.diagnosis.subject), 60).replace("(", "").replace(")", "")
    return f"fix({scope}): {plain(summary, 120)}"


def pull_request(report: IncidentReport) -> tuple[str, str]:
    """Return title and body; the body fits the forge's limit whatever the report contains."""
    for budget in _SIZE_BUDGETS:
        text = _body(report, budget)
        if len(text) <= LIMIT:
            break
    return title(report), text


def facts(report: IncidentReport) -> Iterator[tuple[str, str]]:
    """Yield the rows of the table under the change, as raw text: a reviewer's questions in the order in which they come."""
    diagnosis = report.diagnosis
    cited = report.proposal.evidence_ids if report.proposal else tuple(item.id for item in diagnosis.evidence)
    basis = ", ".join(part for part in (f"rule `{diagnosis.category}`", wording.id_range(cited)) if part)
    yield (
        "Cause",
        ", ".join((f"{report.category_title} ({basis})" if report.category_title else basis, diagnosis.severity)),
    )
    if report.failed:
        yield "Last attempt", f"failed: {report.failed}"
    if diagnosis.victims:
        names = dict.fromkeys(wording.subject_name(victim) for victim in diagnosis.victims)
        yield "Symptoms in", wording.listed(list(names)[:12]) + (" …" if len(names) > 12 else "")
    for about, urls in _alerts(report):
        yield "Alert", f"{about}: {urls}"
    for place in (report.proposal.places if report.proposal else ())[:6]:
        yield "Where", _place(place)
        if place.notes:
            yield "Note", " ".join(wording.sentence(note) for note in place.notes)
    for fact in (report.proposal.history if report.proposal else ())[1:4]:
        yield "Before that", fact
    if report.diffs:
        yield "Also affects", _feeds(report)
    if report.proposal:
        yield "Policy", "; ".join((*report.proposal.policy, *report.policy, f"risk: {report.proposal.risk}"))
        yield "After the merge", report.verification or _unverified(report)
        yield "How to undo", _undo(report)


def _unverified(report: IncidentReport) -> str:
    confirm = wording.reply(report, "confirm")
    ask = "comment" if report.reply_by == "comment" else "run"
    return f"recovery is not checked automatically; when it has recovered, {ask} `{confirm}`"


def _alerts(report: IncidentReport) -> list[tuple[str, str]]:
    """Return the runbook and graph addresses of each alert; as code, since the author of an alert rule chose the address."""
    alerts: dict[str, str] = {}
    for item in report.diagnosis.evidence:
        links = (("runbook", item.facts.get("runbook_url")), ("graph", item.facts.get("generator_url")))
        if item.channel == "alert" and (urls := ", ".join(f"{label} `{url}`" for label, url in links if url)):
            alerts.setdefault(item.reason, urls)
    return list(alerts.items())[:3]


def _place(place: Place) -> str:
    location = f"`{wording.place_path(place)}` in `{place.file}`"
    inserted = "" if place.exists else " (inserted)"
    proof = wording.PROOFS[place.proof]
    if not place.why or place.why == proof:
        return f"{location}{inserted}: {proof}"
    return f"{location}{inserted}: {place.why if place.why.startswith('proved') else f'{proof} ({place.why})'}"


def _feeds(report: IncidentReport) -> str:
    applications = wording.feeds(report)
    return wording.listed(applications[:12]) + (" …" if len(applications) > 12 else "") if applications else "none"


def _undo(report: IncidentReport) -> str:
    if report.reply_by == "comment":
        return f"revert this pull request, or comment `{wording.reply(report, 'revert')}`"
    reject = wording.command(f"reject {report.incident_id} --reason …", report.repo)
    revert = wording.command(f"feedback {report.incident_id} revert", report.repo)
    return f"before the merge `{reject}`; after it `{revert}`, or `git revert` of the merge"


def _body(report: IncidentReport, budget: _SizeBudget) -> str:
    parts = [
        marker("incident", report.incident_id) + "\n" + _opening(report, budget),
        f"Follows {report.follows}." if linkable(report.follows) else "",
        _change(report.diffs, budget),
        table((prose(name), prose(text, budget.words)) for name, text in facts(report)),
        _evidence(report, budget),
        _rendered(report, budget),
        _options(report, budget),
        _model(report, budget),
        _signature(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(report: IncidentReport, budget: _SizeBudget) -> str:
    """Return the first paragraph; a draft says first who proposed it and that nothing confirms it."""
    happened = prose(wording.happened(report), budget.words)
    if not report.reading.draft:
        return happened
    draft = report.reading.draft[:1].upper() + report.reading.draft[1:]
    return f"**{prose(wording.sentence(draft), budget.words)}**\n\n{happened}"


def _change(diffs: tuple[Diff, ...], budget: _SizeBudget) -> str:
    blocks: list[str] = []
    remaining = budget.diff
    for number, diff in enumerate(diffs):
        if remaining <= 0:
            blocks.append(f"… and {wording.count(len(diffs) - number, 'file')} more, in the branch.")
            break
        lines = hunks(diff.text)
        blocks.append(fence(_shortened([f" # {diff.name}", *lines], remaining + 1), "diff"))
        remaining -= len(lines)
    return "\n\n".join(blocks)


def _shortened(lines: list[str], most: int) -> str:
    excerpt = [clip(visible(line[:500], keep="\t\r"), 400) for line in lines[:most]]
    if len(lines) > most:
        excerpt.append(f"… {wording.count(len(lines) - most, 'line')} more")
    return "\n".join(excerpt)


def _evidence(report: IncidentReport, budget: _SizeBudget) -> str:
    items = wording.grouped(report.diagnosis.evidence)
    if not items:
        return ""
    lines: list[str] = []
    cut = len(items) > budget.evidence
    for item in items[: budget.evidence]:
        text = item.text.strip()
        cut = cut or len(text) > budget.evidence_text
        lines.append(clip(" ".join(wording.evidence_line(item, report.now).splitlines()), 400))
        lines += [f"    {line}" for line in clip(text, budget.evidence_text).splitlines()]
    note = (
        f"\n\nCut for length: {min(len(items), budget.evidence)} of {len(items)} shown, long texts shortened."
        if cut
        else ""
    )
    return details(f"Evidence ({len(items)})", fence("\n".join(lines), "text") + note)


def _rendered(report: IncidentReport, budget: _SizeBudget) -> str:
    lines = list(report.proposal.rendered if report.proposal else ())
    if not lines:
        return (
            prose(wording.sentence(f"No rendered difference: {report.rendered_note}")) if report.rendered_note else ""
        )
    return details(
        f"Rendered difference ({wording.count(len(lines), 'line')})", fence(_shortened(lines, budget.rendered), "text")
    )


def _options(report: IncidentReport, budget: _SizeBudget) -> str:
    options = report.options
    if not report.proposal or len(options) < 2:
        return ""
    lines = []
    for number, option in enumerate(options[: budget.options], start=1):
        text = prose(f"{option.title} — {option.reason}", min(budget.words, 500)) + wording.suggested_by(option)
        if option.id == report.proposal.id:
            lines.append(f"{number}. *(this one)* {text}")
        else:
            lines.append(f"{number}. {text} — {code(wording.reply(report, f'use {number}'))}")
    if len(options) > budget.options:
        lines.append(f"\n… and {len(options) - budget.options} more.")
    return details(f"Other options ({len(options) - 1})", "\n".join(lines))


def _model(report: IncidentReport, budget: _SizeBudget) -> str:
    return model_section(report, budget.words)


def model_section(report: IncidentReport, most: int) -> str:
    """Return the model's answer as a quotation, after a line that says which parts come from the rules."""
    if not report.reading.note.strip():
        return ""
    parts = [wording.model_line(report), quotation(clip(report.reading.note, most))]
    if report.reading.steps:
        steps = [clip(visible(step), 200) for step in report.reading.steps[:30]]
        parts.append(f"Its steps:\n\n{fence(chr(10).join(steps), 'text')}")
    return details("What the model found", "\n\n".join(parts))


def _signature(report: IncidentReport) -> str:
    prompt = f" (prompt {plain(report.reading.prompt, 20)})" if report.reading.prompt else ""
    by = f"with the model {code(report.reading.model, 80)}{prompt}" if report.reading.model else "without a model"
    sightings = f"seen {wording.times(report.sightings)}"
    if report.sightings > 1 and report.last_seen:
        sightings += f", last {prose(wording.clock(report.last_seen, report.now))}"
    attempt = f", attempt {report.attempt}" if report.attempt > 1 else ""
    ask = f" {code(wording.reply(report, 'help'))}" if report.reply_by == "comment" else ""
    opened = prose(f"Opened by Remediator {report.version}", 80)
    return f"<sub>{opened} {by}. Incident {code(report.incident_id)}, {sightings}{attempt}.{ask}</sub>"
