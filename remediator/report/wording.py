"""The words that several reports share; raw text in which backticks mean code, escaped by whoever renders it."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from remediator.domain.yaml_paths import format_path
from remediator.report.diff import changed_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from remediator.domain.change import Place, Proposal
    from remediator.domain.incident import Evidence, Subject
    from remediator.report.values import IncidentReport

_COMMIT = re.compile(r"\b[0-9a-f]{7,40}\b")

PROOFS = {
    "direct": "the manifest itself",
    "proved": "proved by render",
    "read": "read from templates or patches, not rendered",
    "unproved": "unproved: the chart is not at hand, only a values key of that name",
}


def suggested_by(proposal: Proposal) -> str:
    """Behind an option: who thought of its value, where it was not the rules."""
    return {"model": " *(the model's value)*", "reviewer": " *(a reviewer's value)*"}.get(proposal.source, "")


def model_line(report: IncidentReport) -> str:
    """What a quotation of the model is worth, in our own words."""
    but = ", except the options marked as the model's" if any(o.source == "model" for o in report.options) else ""
    if report.proposal and report.proposal.source == "model":
        but = ", except the new value: the model thought of it, and a reviewer asked for it"
    when = " It answered when this incident was here before, and was not asked again." if report.model_recalled else ""
    return f"Everything above comes from the rules{but}.{when}"


def place_path(place: Place) -> str:
    """The path of a place, and the path inside the YAML text that stands there, if it means that."""
    inside = f" → {format_path(place.inside)}" if place.inside else ""
    return format_path(place.path) + inside


def count(number: int, noun: str) -> str:
    """`1 file`, `2,114 lines`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def times(number: int) -> str:
    """`once`, `twice`, `14 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def moment(text: str) -> datetime | None:
    """The instant that an RFC 3339 text names, None if it names none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def clock(text: str, now: str = "") -> str:
    """`09:41 UTC`, with the date where it is another day than now; what is no time comes back as it is."""
    when = moment(text)
    if when is None:
        return text
    when = when.astimezone(UTC)
    today = moment(now)
    same_day = today is not None and today.astimezone(UTC).date() == when.date()
    return f"{when:%H:%M} UTC" if same_day else f"{when:%Y-%m-%d %H:%M} UTC"


def sentence(text: str) -> str:
    """The text with an end."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."


def listed(names: Iterable[str]) -> str:
    """`a`, `b` and `c`, each as code."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part) if quoted else ""


def id_range(ids: Sequence[str]) -> str:
    """E1–E4 for neighbours, else E1, E3."""
    numbers = [int(found[1]) for one in ids if (found := re.fullmatch(r"E(\d{1,6})", one))]
    if len(numbers) == len(ids) > 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{ids[0]}–{ids[-1]}"
    return ", ".join(ids)


def subject_name(subject: Subject) -> str:
    """What a person calls it: the application, else the object."""
    return subject.application or subject.name or subject.pod or subject.node or "unknown"


def subject_place(subject: Subject) -> str:
    """`checkout (shop-prod)`."""
    where = subject.namespace or subject.cluster
    return subject_name(subject) + (f" ({where})" if where else "")


def happened(report: IncidentReport) -> str:
    """The first paragraph: what happened, what changed before it, what this does about it."""
    reason = report.proposal.reason if report.proposal else report.reason
    newest = report.proposal.history[0] if report.proposal and report.proposal.history else ""
    named = _COMMIT.search(newest)
    if named and named[0][:7] in reason:
        newest = ""
    return " ".join(sentence(part) for part in (report.diagnosis.summary, newest, reason) if part)


def grouped(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Each line of the input once, under all the ids that cite it: several signals may match one line."""
    lines: dict[tuple[str, int, str], Evidence] = {}
    for item in evidence:
        key = item.source, item.line, item.text
        first = lines.get(key)
        lines[key] = first.model_copy(update={"id": f"{first.id}, {item.id}"}) if first else item
    return list(lines.values())


def evidence_line(item: Evidence, now: str) -> str:
    """`E1  describe.txt:41  pod checkout-6d5f  OOMKilled  ×14  first 09:40 UTC, last 10:02 UTC`."""
    who = item.subject.pod or item.subject.name or item.subject.application
    seen = [f"{word} {clock(at, now)}" for word, at in (("first", item.first_seen), ("last", item.last_seen)) if at]
    parts = [
        item.id,
        f"{item.source}:{item.line}",
        who,
        item.reason,
        f"×{item.count:,}" if item.count > 1 else "",
        ", ".join(seen),
    ]
    return "  ".join(part for part in parts if part)


def feeds(report: IncidentReport) -> tuple[str, ...]:
    """Other Applications that the edit touches, each once."""
    places = report.proposal.places if report.proposal else ()
    return tuple(dict.fromkeys([*(name for place in places for name in place.also_feeds), *report.also_feeds]))


def size(report: IncidentReport) -> str:
    """`1 file, 1 line`."""
    return f"{count(len(report.diffs), 'file')}, {count(sum(changed_lines(d.text) for d in report.diffs), 'line')}"


def reply(report: IncidentReport, what: str) -> str:
    """The command by which a reviewer says something, where this pull request is."""
    if report.reply_by == "comment":
        return f"/remediator {what}"
    return command(f"feedback {report.incident_id} '{what}'", report.repo)


def command(words: str, repo: str = "") -> str:
    """A command line that can be pasted: it names the checkout that the one before it named."""
    return f"remediator {words}" + (f" --repo {shlex.quote(repo)}" if repo else "")
