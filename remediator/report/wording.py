"""The wording that several reports share: raw text in which backticks mean code. The report that renders it escapes it."""

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
    "proved": "proved by rendering",
    "read": "read from templates or patches, not rendered",
    "unproved": "not proved: the chart is not available, only a values key with this name",
}


def suggested_by(proposal: Proposal) -> str:
    """Return the origin of an option's value, to be put behind it; empty where the rules made it."""
    return {"model": " *(the model's)*", "reviewer": " *(a reviewer's value)*"}.get(proposal.source, "")


def model_line(report: IncidentReport) -> str:
    """Return the line above a quotation of the model: which parts of the page come from the rules."""
    but = ", except the options marked as the model's" if any(o.source == "model" for o in report.options) else ""
    if report.proposal and report.proposal.source == "model":
        but = ", except the change and its reason: the model proposed it, and it was proved like a rule's"
    when = " The answer was given to an earlier occurrence of this incident." if report.reading.recalled else ""
    return f"Everything above comes from the rules{but}.{when}"


def place_path(place: Place) -> str:
    """Return the path of a place, with the path inside an embedded YAML text where the place is there."""
    inside = f" → {format_path(place.inside)}" if place.inside else ""
    return format_path(place.path) + inside


def count(number: int, noun: str) -> str:
    """Return `1 file` or `2,114 lines`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def times(number: int) -> str:
    """Return `once`, `twice` or `14 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def moment(text: str) -> datetime | None:
    """Return the instant that an RFC 3339 text names; None if it names none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def clock(text: str, now: str = "") -> str:
    """Return `09:41 UTC`, with the date where the day is not today; a text that is no time is returned unchanged."""
    when = moment(text)
    if when is None:
        return text
    when = when.astimezone(UTC)
    today = moment(now)
    same_day = today is not None and today.astimezone(UTC).date() == when.date()
    return f"{when:%H:%M} UTC" if same_day else f"{when:%Y-%m-%d %H:%M} UTC"


def sentence(text: str) -> str:
    """Return the text with a full stop at its end."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."


def listed(names: Iterable[str]) -> str:
    """Return `a`, `b` and `c`, each as code."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part) if quoted else ""


def id_range(ids: Sequence[str]) -> str:
    """Return E1–E4 for consecutive ids, else E1, E3."""
    numbers = [int(match[1]) for evidence_id in ids if (match := re.fullmatch(r"E(\d{1,6})", evidence_id))]
    if len(numbers) == len(ids) > 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{ids[0]}–{ids[-1]}"
    return ", ".join(ids)


def subject_name(subject: Subject) -> str:
    """Return the name that a person uses: the Application, else the object."""
    return subject.application or subject.name or subject.pod or subject.node or "unknown"


def subject_place(subject: Subject) -> str:
    """Return the subject with its namespace: `checkout (shop-prod)`."""
    location = subject.namespace or subject.cluster
    return subject_name(subject) + (f" ({location})" if location else "")


def happened(report: IncidentReport) -> str:
    """Return the first paragraph: the fault, the change before it, the reason for this fix."""
    reason = report.proposal.reason if report.proposal else report.reason
    newest = report.proposal.history[0] if report.proposal and report.proposal.history else ""
    commit = _COMMIT.search(newest)
    if commit and commit[0][:7] in reason:
        newest = ""
    return " ".join(sentence(part) for part in (report.diagnosis.summary, newest, reason) if part)


def grouped(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return each line of the input once, under all the ids that cite it: several signals may match one line."""
    lines: dict[tuple[str, int, str], Evidence] = {}
    for item in evidence:
        key = item.source, item.line, item.text
        first = lines.get(key)
        lines[key] = first.model_copy(update={"id": f"{first.id}, {item.id}"}) if first else item
    return list(lines.values())


_SPEAKERS = {
    "api": "from the API server",
    "scheduler": "from the scheduler",
    "kubelet": "from the kubelet",
    "controller": "from a controller",
    "argocd": "from Argo CD",
    "alert": "from an alert",
    "node": "from the node",
    "person": "from a command that someone ran",
}


def speaker_name(speaker: str) -> str:
    """Return who vouches for a statement, as the evidence shows it; empty where that is not known."""
    if speaker.startswith("log:"):
        name = speaker.removeprefix("log:")
        return f"from the log of {name}" if name else "from a text without an author"
    return _SPEAKERS.get(speaker, "")


def evidence_line(item: Evidence, now: str) -> str:
    """Return `E1  describe.txt:41  checkout-6d5f  OOMKilled  from the API server  ×14  first 09:40 UTC, last 10:02 UTC`."""
    name = item.subject.pod or item.subject.name or item.subject.application
    sightings = [
        f"{word} {clock(at, now)}" for word, at in (("first", item.first_seen), ("last", item.last_seen)) if at
    ]
    parts = [
        item.id,
        f"{item.source}:{item.line}",
        name,
        item.reason,
        speaker_name(item.speaker),
        f"×{item.count:,}" if item.count > 1 else "",
        ", ".join(sightings),
    ]
    return "  ".join(part for part in parts if part)


def feeds(report: IncidentReport) -> tuple[str, ...]:
    """Return the other Applications that the edit affects, each once."""
    places = report.proposal.places if report.proposal else ()
    return tuple(dict.fromkeys([*(name for place in places for name in place.also_feeds), *report.also_feeds]))


def size(report: IncidentReport) -> str:
    """Return the size of the change: `1 file, 1 line`."""
    return f"{count(len(report.diffs), 'file')}, {count(sum(changed_lines(d.text) for d in report.diffs), 'line')}"


def reply(report: IncidentReport, words: str) -> str:
    """Return the comment or the terminal command by which a reviewer answers this pull request."""
    if report.reply_by == "comment":
        return f"/remediator {words}"
    return command(f"feedback {report.incident_id} '{words}'", report.repo)


def command(words: str, repo: str = "") -> str:
    """Return a command line that can be pasted: it names the same checkout as the command before it."""
    return f"remediator {words}" + (f" --repo {shlex.quote(repo)}" if repo else "")
