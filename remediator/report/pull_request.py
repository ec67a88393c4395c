"""The pull request: one minute to trust it, the rest folded."""

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
    """How much is shown of what can be long."""

    evidence: int
    evidence_text: int
    """Characters of each piece of evidence."""
    rendered: int
    """Lines, as for `diff`; a line has at most 400 characters."""
    diff: int
    options: int
    words: int
    """Characters of one text: the first paragraph, a cell, an option."""


_ROOMS = (
    _SizeBudget(evidence=200, evidence_text=4_000, rendered=400, diff=600, options=20, words=1_200),
    _SizeBudget(evidence=60, evidence_text=600, rendered=400, diff=600, options=20, words=1_200),
    _SizeBudget(evidence=20, evidence_text=300, rendered=100, diff=400, options=10, words=800),
    _SizeBudget(evidence=8, evidence_text=200, rendered=30, diff=80, options=5, words=300),
    _SizeBudget(evidence=3, evidence_text=120, rendered=5, diff=30, options=3, words=120),
)
"""Evidence is cut first, then what was rendered, the change itself last."""


def title(report: IncidentReport) -> str:
    """`fix(checkout): raise memory limit …`: a conventional commit's subject, the same as the commit's."""
    what = report.proposal.title if report.proposal else report.diagnosis.summary
    scope = plain(wording.subject_name(report.diagnosis.subject), 60).replace("(", "").replace(")", "")
    return f"fix({scope}): {plain(what, 120)}"


def pull_request(report: IncidentReport) -> tuple[str, str]:
    """Title and body; the body within the forge's limit whatever the report holds."""
    for room in _ROOMS:
        text = _body(report, room)
        if len(text) <= LIMIT:
            break
    return title(report), text


def facts(report: IncidentReport) -> Iterator[tuple[str, str]]:
    """The table under the change, as raw text: what a reviewer asks, in the order they ask it."""
    diagnosis = report.diagnosis
    cited = report.proposal.evidence_ids if report.proposal else tuple(item.id for item in diagnosis.evidence)
    basis = ", ".join(part for part in (f"rule `{diagnosis.category}`", wording.id_range(cited)) if part)
    yield (
        "Cause",
        ", ".join((f"{report.category_title} ({basis})" if report.category_title else basis, diagnosis.severity)),
    )
    if report.failed:
        yield "Last attempt", f"did not help: {report.failed}"
    if diagnosis.victims:
        names = dict.fromkeys(wording.subject_name(victim) for victim in diagnosis.victims)
        yield "Also affected", wording.listed(list(names)[:12]) + (" …" if len(names) > 12 else "")
    for about, urls in _alerts(report):
        yield "Alert", f"{about}: {urls}"
    for place in (report.proposal.places if report.proposal else ())[:6]:
        yield "Place", _place(place)
        if place.notes:
            yield "Note", " ".join(wording.sentence(note) for note in place.notes)
    for fact in (report.proposal.history if report.proposal else ())[1:4]:
        yield "Before that", fact
    if report.diffs:
        yield "Also fed by this file" if len(report.diffs) == 1 else "Also fed", _feeds(report)
    if report.proposal:
        yield "Policy", "; ".join((*report.proposal.policy, *report.policy, f"risk: {report.proposal.risk}"))
        yield "After the merge", report.verification or "no verifier is configured: recovery stays to be confirmed"
        yield "Undo", _undo(report)


def _alerts(report: IncidentReport) -> list[tuple[str, str]]:
    """Where each alert says that it is explained, and measured; as code, since whoever wrote a rule chose the address."""
    found: dict[str, str] = {}
    for item in report.diagnosis.evidence:
        named = (("runbook", item.facts.get("runbook_url")), ("graph", item.facts.get("generator_url")))
        if item.channel == "alert" and (urls := ", ".join(f"{what} `{url}`" for what, url in named if url)):
            found.setdefault(item.reason, urls)
    return list(found.items())[:3]


def _place(place: Place) -> str:
    where = f"`{wording.place_path(place)}` in `{place.file}`"
    inserted = "" if place.exists else " (inserted)"
    proof = wording.PROOFS[place.proof]
    if not place.why or place.why == proof:
        return f"{where}{inserted}: {proof}"
    return f"{where}{inserted}: {place.why if place.why.startswith('proved') else f'{proof} ({place.why})'}"


def _feeds(report: IncidentReport) -> str:
    others = wording.feeds(report)
    return wording.listed(others[:12]) + (" …" if len(others) > 12 else "") if others else "none"


def _undo(report: IncidentReport) -> str:
    if report.reply_by == "comment":
        return f"revert this pull request, or comment `{wording.reply(report, 'revert')}`"
    reject = wording.command(f"reject {report.incident_id} --reason …", report.repo)
    revert = wording.command(f"feedback {report.incident_id} revert", report.repo)
    return f"before the merge `{reject}`; after it `{revert}`, or `git revert` of the merge"


def _body(report: IncidentReport, room: _SizeBudget) -> str:
    parts = [
        marker("incident", report.incident_id) + "\n" + prose(wording.happened(report), room.words),
        f"Follows {report.follows}." if linkable(report.follows) else "",
        _change(report.diffs, room),
        table((prose(name), prose(text, room.words)) for name, text in facts(report)),
        _evidence(report, room),
        _rendered(report, room),
        _options(report, room),
        _model(report, room),
        _signature(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _change(diffs: tuple[Diff, ...], room: _SizeBudget) -> str:
    blocks: list[str] = []
    left = room.diff
    for number, diff in enumerate(diffs):
        if left <= 0:
            blocks.append(f"… and {wording.count(len(diffs) - number, 'file')} more, in the branch.")
            break
        lines = hunks(diff.text)
        blocks.append(fence(_shortened([f" # {diff.name}", *lines], left + 1), "diff"))
        left -= len(lines)
    return "\n\n".join(blocks)


def _shortened(lines: list[str], most: int) -> str:
    shown = [clip(visible(line[:500], keep="\t\r"), 400) for line in lines[:most]]
    if len(lines) > most:
        shown.append(f"… {wording.count(len(lines) - most, 'line')} more")
    return "\n".join(shown)


def _evidence(report: IncidentReport, room: _SizeBudget) -> str:
    items = wording.grouped(report.diagnosis.evidence)
    if not items:
        return ""
    lines: list[str] = []
    cut = len(items) > room.evidence
    for item in items[: room.evidence]:
        text = item.text.strip()
        cut = cut or len(text) > room.evidence_text
        lines.append(clip(" ".join(wording.evidence_line(item, report.now).splitlines()), 400))
        lines += [f"    {line}" for line in clip(text, room.evidence_text).splitlines()]
    note = (
        f"\n\nCut for length: {min(len(items), room.evidence)} of {len(items)} shown, long texts shortened."
        if cut
        else ""
    )
    return details(f"Evidence ({len(items)})", fence("\n".join(lines), "text") + note)


def _rendered(report: IncidentReport, room: _SizeBudget) -> str:
    lines = list(report.proposal.rendered if report.proposal else ())
    if not lines:
        return (
            prose(wording.sentence(f"No rendered difference: {report.rendered_note}")) if report.rendered_note else ""
        )
    return details(
        f"Rendered difference ({wording.count(len(lines), 'line')})", fence(_shortened(lines, room.rendered), "text")
    )


def _options(report: IncidentReport, room: _SizeBudget) -> str:
    options = report.options
    if not report.proposal or len(options) < 2:
        return ""
    lines = []
    for number, option in enumerate(options[: room.options], start=1):
        text = prose(f"{option.title} — {option.reason}", min(room.words, 500)) + wording.suggested_by(option)
        if option.id == report.proposal.id:
            lines.append(f"{number}. *(this one)* {text}")
        else:
            lines.append(f"{number}. {text} — {code(wording.reply(report, f'use {number}'))}")
    if len(options) > room.options:
        lines.append(f"\n… and {len(options) - room.options} more.")
    return details(f"Other options ({len(options) - 1})", "\n".join(lines))


def _model(report: IncidentReport, room: _SizeBudget) -> str:
    return model_section(report, room.words)


def model_section(report: IncidentReport, most: int) -> str:
    """What the model said as a quotation, behind a line that says what it is worth."""
    if not report.model_note.strip():
        return ""
    return details("What the model said", f"{wording.model_line(report)}\n\n{quotation(clip(report.model_note, most))}")


def _signature(report: IncidentReport) -> str:
    prompt = f" (prompt {plain(report.model_prompt, 20)})" if report.model_prompt else ""
    by = f"with the model {code(report.model, 80)}{prompt}" if report.model else "without a model"
    seen = f"seen {wording.times(report.seen)}"
    if report.seen > 1 and report.last_seen:
        seen += f", last {prose(wording.clock(report.last_seen, report.now))}"
    attempt = f", attempt {report.attempt}" if report.attempt > 1 else ""
    ask = f" {code(wording.reply(report, 'help'))}" if report.reply_by == "comment" else ""
    opened = prose(f"Opened by Remediator {report.version}", 80)
    return f"<sub>{opened} {by}. Incident {code(report.incident_id)}, {seen}{attempt}.{ask}</sub>"
