"""Reading several sources at once: one that fails is reported and the others count; polls continue at their marks."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field

from remediator.domain.base import Value
from remediator.domain.sources import Question, Reading, Workload, short
from remediator.errors import ConflictError, RemediatorError, ServiceError
from remediator.evidence import document_input, text_input

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.domain.ports import Clock, RefStore
    from remediator.domain.sources import EvidenceSource
    from remediator.evidence import Input

T = TypeVar("T")

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=10)
"""The time that each poll reads again: collectors and clocks are late. Handled items are known by their ids."""

BACK = timedelta(hours=1)
"""The time that a source without a mark is read back."""

FILE = "sources.json"
_TRIES = 20
_MOST_IDS = 20_000
_MOST_WORKLOADS = 20


class Mark(Value):
    """The point up to which one source was handled."""

    until: str
    ids: tuple[str, ...] = ()
    """Ids of the items since `until` minus the overlap."""
    since: dict[str, str] = Field(default_factory=dict)
    """The time from which each workload is read next; the empty name stands for a poll without workloads."""


class CollectedAnswer(Value):
    """The result of reading one source: its reading, or its error."""

    name: str
    reading: Reading = Reading()
    error: str = ""
    since: dict[str, str] = Field(default_factory=dict)
    """The next mark's `since`, for the workloads of the question."""


@dataclass
class SourceCollector:
    """Reads sources in parallel: first those that know what is wrong, then those that look at what these name."""

    first: Sequence[EvidenceSource]
    then: Sequence[EvidenceSource]
    now: Clock
    back: timedelta = BACK
    workloads: Sequence[Workload] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    polls: bool = False
    """True where a next run continues at these marks."""
    answers: list[CollectedAnswer] = field(default_factory=list)
    until: datetime | None = None

    def inputs(self) -> list[Input]:
        """Return all texts as inputs of the evidence reader; ServiceError where no source answered."""
        self.until = self.now()
        self.answers = self._ask(self.first, self.workloads)
        named_workloads = [workload for answer in self.answers for workload in answer.reading.workloads]
        workloads = list(dict.fromkeys([*self.workloads, *named_workloads]))[:_MOST_WORKLOADS]
        self.answers += self._ask(self.then, workloads)
        if self.answers and all(answer.error for answer in self.answers):
            reasons = "; ".join(f"{answer.name}: {answer.error}" for answer in self.answers)
            raise ServiceError(f"no source could be read: {reasons}", retryable=True)
        return [item for answer in self.answers for item in inputs_of(answer.reading)]

    def notes(self) -> tuple[str, ...]:
        """Return a note for each source that was not read, or only in part; failures first."""
        failed = [f"{answer.name} was not read: {answer.error}" for answer in self.answers if answer.error]
        return (*failed, *(f"{answer.name}: {note}" for answer in self.answers for note in answer.reading.notes))

    def new_marks(self) -> dict[str, Mark]:
        """Return the mark of each source that answered; one that failed keeps its old mark."""
        if self.until is None:
            raise AssertionError("nothing was read yet")
        return {answer.name: self._mark(answer, self.until) for answer in self.answers if not answer.error}

    def _mark(self, answer: CollectedAnswer, until: datetime) -> Mark:
        """Return a mark that keeps workloads as long as a new one is read back, and the ids of a partial reading."""
        old = self.marks.get(answer.name, Mark(until=""))
        oldest = (until - self.back).isoformat()
        since = {name: at for name, at in old.since.items() if not name or at >= oldest} | answer.since
        complete = set(since) <= {""} and answer.reading.read_until is None
        ids = answer.reading.ids if complete else tuple(dict.fromkeys([*old.ids, *answer.reading.ids]))
        return Mark(until=until.isoformat(), ids=ids[-_MOST_IDS:], since=since)

    def _ask(self, sources: Sequence[EvidenceSource], workloads: Sequence[Workload]) -> list[CollectedAnswer]:
        if not sources:
            return []
        with ThreadPoolExecutor(max_workers=min(8, len(sources))) as pool:
            return list(pool.map(lambda source: self._read_one(source, workloads), sources))

    def _read_one(self, source: EvidenceSource, workloads: Sequence[Workload]) -> CollectedAnswer:
        until = self.until or self.now()
        try:
            readings = [
                (question, source.read(question)) for question in self._questions(source.name, workloads, until)
            ]
            since: dict[str, str] = {}
            for question, reading in readings:
                following = _following(question, reading, until).isoformat()
                since |= dict.fromkeys(map(_name, question.workloads) if question.workloads else [""], following)
            return CollectedAnswer(name=source.name, reading=_merge([reading for _, reading in readings]), since=since)
        except RemediatorError as error:
            return CollectedAnswer(name=source.name, error=str(error))
        except Exception as error:  # what one server sends must not cost what the others say
            log.debug("%s", source.name, exc_info=True)
            return CollectedAnswer(
                name=source.name, error=f"its answer cannot be read ({type(error).__name__}: {short(str(error), 120)})"
            )

    def _questions(self, name: str, workloads: Sequence[Workload], until: datetime) -> list[Question]:
        """Return one question, and a second for new workloads, of which nothing was handled yet."""
        mark = self.marks.get(name)
        back = until - self.back
        if mark is None:
            return [self._question(back, until, workloads)]
        handled = frozenset(mark.ids)
        if not workloads:
            since = mark.since.get("") or ("" if mark.since else _before(mark.until))
            return [self._question(datetime.fromisoformat(since) if since else back, until, (), handled)]
        known_since = {workload: mark.since[_name(workload)] for workload in workloads if _name(workload) in mark.since}
        new = [workload for workload in workloads if workload not in known_since]
        questions = [self._question(back, until, new)] if new else []
        if known_since:
            questions.append(
                self._question(datetime.fromisoformat(min(known_since.values())), until, [*known_since], handled)
            )
        return questions

    def _question(
        self, since: datetime, until: datetime, workloads: Sequence[Workload], handled: frozenset[str] = frozenset()
    ) -> Question:
        since = min(since, until - timedelta(seconds=1))
        return Question(since=since, until=until, workloads=tuple(workloads), handled=handled, polling=self.polls)


def inputs_of(reading: Reading) -> list[Input]:
    """Return a reading as inputs of the evidence reader: documents as they were parsed, texts as texts."""
    return [*(document_input(*document) for document in reading.documents), *(text_input(*t) for t in reading.texts)]


def _following(question: Question, reading: Reading, until: datetime) -> datetime:
    """Return the start of the next reading: late items are in it, also where a reading was cut in the overlap."""
    usual = max(question.since, until - OVERLAP)
    if reading.read_until is None:
        return usual
    return min(reading.read_until, usual) if len(reading.ids) < _MOST_IDS else reading.read_until


def _before(until: str) -> str:
    return (datetime.fromisoformat(until) - OVERLAP).isoformat()


def _name(workload: Workload) -> str:
    return "/".join((workload.namespace, workload.kind, workload.name or workload.pod))


def _merge(readings: Sequence[Reading]) -> Reading:
    """Merge readings into one; names of texts stay unique, since lines are cited by them."""
    if len(readings) == 1:
        return readings[0]
    return Reading(
        documents=_named_apart([reading.documents for reading in readings]),
        texts=_named_apart([reading.texts for reading in readings]),
        items=sum(reading.items for reading in readings),
        ids=tuple(dict.fromkeys(item for reading in readings for item in reading.ids)),
        notes=tuple(dict.fromkeys(note for reading in readings for note in reading.notes)),
        workloads=tuple(dict.fromkeys(workload for reading in readings for workload in reading.workloads)),
    )


def _named_apart(parts: Sequence[Sequence[tuple[str, T]]]) -> tuple[tuple[str, T], ...]:
    by_name: dict[str, T] = {}
    for number, part in enumerate(parts, start=1):
        by_name |= {f"{name} ({number})" if name in by_name else name: content for name, content in part}
    return tuple(by_name.items())


def load_marks(store: RefStore) -> dict[str, Mark]:
    """Return the marks of all sources; an unreadable document counts as none."""
    head = store.head()
    return _parse(store.read(head, [FILE]).get(FILE)) if head else {}


def save_marks(store: RefStore, marks: Mapping[str, Mark]) -> None:
    """Store the marks after everything read was handled; a later mark of another run stays."""
    for _ in range(_TRIES):
        head = store.head()
        stored = _parse(store.read(head, [FILE]).get(FILE)) if head else {}
        for name, mark in marks.items():
            if name not in stored or stored[name].until < mark.until:
                stored[name] = mark
        body = {"schema": 1, "sources": {name: mark.model_dump(mode="json") for name, mark in sorted(stored.items())}}
        try:
            store.write(head, {FILE: (json.dumps(body, indent=1) + "\n").encode()}, "Move the sources' marks [skip ci]")
        except ConflictError:
            continue
        return
    raise ConflictError("the sources' marks are being moved by others all the time")


def _parse(text: bytes | None) -> dict[str, Mark]:
    try:
        document: Any = json.loads(text or b"{}")
        return {str(name): Mark.model_validate(mark) for name, mark in document["sources"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
