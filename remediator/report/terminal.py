"""The texts of the command line: a block to read at a glance, and a local pull request to judge.

Text from logs cannot command the terminal: control characters come out as escapes, and only our own text has colours.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from remediator.report import wording
from remediator.report.markdown import clip, one_line, visible
from remediator.report.pull_request import facts, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.report.values import IncidentReport, RunFacts

_COLOURS = {"green": "32", "yellow": "33", "red": "31", "cyan": "36", "bold": "1", "dim": "2"}
WIDTH = 100


def terminal(reports: Sequence[IncidentReport], run: RunFacts, *, colour: bool = False) -> str:
    """Return one block for the run; `colour` is for a person's terminal only."""
    paint = _Colours(on=colour)
    real = [report for report in reports if report.diagnosis.severity != "info"]
    tally = wording.count(len(real), "incident") if real else "no incident"
    grave = any(report.diagnosis.severity == "critical" and not report.proposal for report in real)
    mark = paint("!", "yellow") if grave else paint("✓", "green")
    out = [f"{mark} {tally} in {wording.count(run.lines, 'line')} ({run.seconds:.2f} s)"]
    for report in reports:
        out += _incident(report, run, paint)
        if report.reading.draft:
            out += _marked(paint("!", "yellow"), "draft", report.reading.draft)
        if not report.reading.heard:
            out += _marked(paint("!", "yellow"), "model", report.reading.note)
    out += _wrapped(run.model, first="  ", indent="  ") if run.model else []
    return "\n".join(out) + "\n"


def local_pull_request(report: IncidentReport, *, colour: bool = False) -> str:
    """Return title, body and difference of a pull request, to be read in a terminal."""
    paint = _Colours(on=colour)
    out = [paint(_raw(title(report), 200), "bold"), "", *_wrapped(wording.happened(report)), ""]
    for diff in report.diffs:
        out += [_diff_line(line, paint) for line in diff.text.removesuffix("\n").split("\n")] + [""]
    rows = [(name, one_line(text)) for name, text in facts(report)]
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        out += _wrapped(text, first=f"{name:<{width}}  ", indent=" " * (width + 2))
    out += _evidence(report) + _options(report)
    return "\n".join(out).rstrip() + "\n"


def evidence(report: IncidentReport, *, colour: bool = False) -> str:
    """Return the evidence of an incident that needs a person, under its id."""
    paint = _Colours(on=colour)
    head = f"{paint(_raw(report.incident_id), 'bold')}: {_raw(wording.subject_place(report.diagnosis.subject), 160)}"
    return "\n".join([head, *_evidence(report)]) + "\n"


def incident_page(report: IncidentReport, run: RunFacts, status: str, *, colour: bool = False) -> str:
    """Return one incident as it is now: its change, or why there is none with the evidence. An incident that has ended says so first."""
    paint = _Colours(on=colour)
    head = f"{paint(_raw(report.incident_id), 'bold')}: {status}"
    if report.proposal:
        end = _wrapped(f"{report.incident_id}: {status}" + (f": {report.reason}" if report.reason else ""))
        first = "" if report.status == "awaiting_review" else "\n".join(end) + "\n\n"
        return first + local_pull_request(report, colour=colour)
    return "\n".join([head, *_incident(report, run, paint), *_evidence(report)]) + "\n"


class _Colours:
    """Colour a text, or return it unchanged."""

    def __init__(self, *, on: bool) -> None:
        self.on = on

    def __call__(self, text: str, *styles: str) -> str:
        codes = ";".join(_COLOURS[style] for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m" if self.on and text else text


def _raw(text: str, most: int = 1_000) -> str:
    return clip(one_line(text[: 8 * most]), most)


def _incident(report: IncidentReport, run: RunFacts, paint: _Colours) -> list[str]:
    diagnosis = report.diagnosis
    grave = {"critical": "red", "warning": "yellow"}.get(diagnosis.severity, "dim")
    if diagnosis.severity == "info":
        why = "" if diagnosis.category == "info" else report.reason
        calm = " — ".join(part for part in (diagnosis.summary, why) if part)
        return _wrapped(calm, first="  info · ", indent="         ")
    head = f"{_raw(diagnosis.category, 60)} · {paint(diagnosis.severity, grave)} · "
    out = [
        f"  {head}{paint(_raw(wording.subject_place(diagnosis.subject), 160), 'bold')} — {_raw(diagnosis.summary, 300)}"
    ]
    if not report.proposal:
        if report.reason:
            out += _marked(paint("!", "yellow"), "why", report.reason)
        out += _wrapped("; ".join(report.look_at), first="  look at ", indent=" " * 10)
        if report.status == "needs_person" and report.reply_by == "command" and not run.dry_run:
            out.append(f"  close this incident: {_reject(report)}")
        return out
    tick = paint("✓", "green")
    for place in report.proposal.places[:6]:
        location = f"{_raw(place.file)}  {_raw(wording.place_path(place))}"
        value = f"  {_raw(str(place.value), 80)}" if isinstance(place.value, str | int | float) else ""
        out.append(f"{tick} where   {location}{value}   ({wording.PROOFS[place.proof]})")
    cause = report.proposal.history[0] if report.proposal.history else report.proposal.reason
    out += _marked(tick, "cause", cause)
    out += _marked(tick, "fix", report.proposal.title)
    if report.status == "verifying":
        look = wording.command(f"verify {report.incident_id}", report.repo)
        return out + _marked(tick, "merged", report.reason or f"being verified, and seen again; check now: {look}")
    if report.status not in {"", "awaiting_review"}:
        # The proposal cannot be opened now: over a limit, refused by a guardrail, or quiet after a rejection.
        out += _marked(paint("!", "yellow"), "queued", report.reason or report.status.replace("_", " "))
        return out
    if run.dry_run:
        out.append(f"{tick} dry run {wording.size(report)}; nothing was changed")
        return out
    out.append(f"{tick} branch  {_raw(report.branch)}   {wording.size(report)}")
    if report.url:
        out.append(f"{tick} review  {_raw(report.url)}")
    else:
        out.append(f"  approve: {paint(_raw(wording.command(f'approve {report.incident_id}', report.repo)), 'cyan')}")
        out.append(f"  decline: {_reject(report)}")
    return out


def _reject(report: IncidentReport) -> str:
    return _raw(wording.command(f"reject {report.incident_id} --reason '…'", report.repo))


def _marked(mark: str, label: str, text: str) -> list[str]:
    """Put the mark on after wrapping, since its colour has no width."""
    first, *continuation = _wrapped(text, first=f"  {label:<8}", indent=" " * 10) or [f"  {label}"]
    return [f"{mark}{first[1:]}", *continuation]


def _wrapped(text: str, *, first: str = "", indent: str = "") -> list[str]:
    return textwrap.wrap(
        _raw(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _diff_line(line: str, paint: _Colours) -> str:
    text = clip(visible(line.rstrip("\r"), keep="\t"), 400)
    if line.startswith(("--- ", "+++ ")):
        return paint(text, "bold")
    style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return paint(text, style) if style else text


def _evidence(report: IncidentReport) -> list[str]:
    items = wording.grouped(report.diagnosis.evidence)
    out = ["", "Evidence"] if items else []
    for item in items[:8]:
        out.append(f"  {_raw(wording.evidence_line(item, report.now), 200)}")
        out += [f"      {_raw(line, 200)}" for line in item.text.strip().splitlines()[:4]]
    hidden = len(items) - 8
    return [*out, f"  … and {hidden} more"] if hidden > 0 else out


def _options(report: IncidentReport) -> list[str]:
    options = report.options[:10]
    if not report.proposal or len(options) < 2:
        return []
    out = ["", "Options"]
    for number, option in enumerate(options, start=1):
        mark = " (this one)" if option.id == report.proposal.id else f": {wording.reply(report, f'use {number}')}"
        out += _wrapped(f"{option.title} — {option.reason}", first=f"  {number}. ", indent="     ")
        out[-1] += f"  [{mark.strip(' :()')}]"
    return out
