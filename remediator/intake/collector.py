"""Several sources at once: one that fails is told and the others count; polled ones go on where they stopped."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from remediator.domain.base import Value
from remediator.domain.sources import Question, Reading, Workload, short
from remediator.errors import ConflictError, RemediatorError, ServiceError
from remediator.evidence import text_input

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.domain.ports import Clock, RefStore
    from remediator.domain.sources import EvidenceSource
    from remediator.evidence import Input

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=10)
"""Read again at each poll: collectors and clocks are late. What was handled is known by its id."""

BACK = timedelta(hours=1)
"""How far a source is read that has no mark."""

FILE = "sources.json"
_TRIES = 20
_MOST_IDS = 20_000
_MOST_WORKLOADS = 20


class Mark(Value):
    """How far one source was handled."""

    until: str
    ids: tuple[str, ...] = ()
    """Items since `until` minus the overlap."""
    since: dict[str, str] = Field(default_factory=dict)
    """From when on each workload is to be read next, and by an empty name whatever is polled without one."""


class CollectedAnswer(Value):
    """What became of one source."""

    name: str
    reading: Reading = Reading()
    error: str = ""
    since: dict[str, str] = Field(default_factory=dict)
    """The mark's, for what it was asked about."""


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
    """Whether a next run goes on from these marks."""
    answers: list[CollectedAnswer] = field(default_factory=list)
    until: datetime | None = None

    def inputs(self) -> list[Input]:
        """All texts, as the evidence reader takes them; ServiceError where no source answered."""
        self.until = self.now()
        self.answers = self._ask(self.first, self.workloads)
        named = [one for answer in self.answers for one in answer.reading.workloads]
        wanted = list(dict.fromkeys([*self.workloads, *named]))[:_MOST_WORKLOADS]
        self.answers += self._ask(self.then, wanted)
        if self.answers and all(answer.error for answer in self.answers):
            said = "; ".join(f"{answer.name}: {answer.error}" for answer in self.answers)
            raise ServiceError(f"no source could be read: {said}", retryable=True)
        return [text_input(*one) for answer in self.answers for one in answer.reading.texts]

    def told(self) -> tuple[str, ...]:
        """What was not read, or not in whole, and why; what failed first."""
        failed = [f"{answer.name} was not read: {answer.error}" for answer in self.answers if answer.error]
        return (*failed, *(f"{answer.name}: {note}" for answer in self.answers for note in answer.reading.notes))

    def marked(self) -> dict[str, Mark]:
        """Where each source that answered is to be read from next; one that failed stays where it was."""
        if self.until is None:
            raise AssertionError("nothing was read yet")
        return {answer.name: self._mark(answer, self.until) for answer in self.answers if not answer.error}

    def _mark(self, answer: CollectedAnswer, until: datetime) -> Mark:
        """Workloads are remembered as long as a new one would be read back, and so is what a cut reading left out."""
        old = self.marks.get(answer.name, Mark(until=""))
        oldest = (until - self.back).isoformat()
        since = {name: at for name, at in old.since.items() if not name or at >= oldest} | answer.since
        whole = set(since) <= {""} and answer.reading.read_until is None
        ids = answer.reading.ids if whole else tuple(dict.fromkeys([*old.ids, *answer.reading.ids]))
        return Mark(until=until.isoformat(), ids=ids[-_MOST_IDS:], since=since)

    def _ask(self, sources: Sequence[EvidenceSource], workloads: Sequence[Workload]) -> list[CollectedAnswer]:
        if not sources:
            return []
        with ThreadPoolExecutor(max_workers=min(8, len(sources))) as pool:
            return list(pool.map(lambda source: self._one(source, workloads), sources))

    def _one(self, source: EvidenceSource, workloads: Sequence[Workload]) -> CollectedAnswer:
        until = self.until or self.now()
        try:
            readings = [(asked, source.read(asked)) for asked in self._questions(source.name, workloads, until)]
            since: dict[str, str] = {}
            for asked, reading in readings:
                following = _following(asked, reading, until).isoformat()
                since |= dict.fromkeys(map(_name, asked.workloads) if asked.workloads else [""], following)
            return CollectedAnswer(name=source.name, reading=_together([one for _, one in readings]), since=since)
        except RemediatorError as error:
            return CollectedAnswer(name=source.name, error=str(error))
        except Exception as error:  # what one server sends must not cost what the others say
            log.debug("%s", source.name, exc_info=True)
            return CollectedAnswer(
                name=source.name, error=f"its answer cannot be read ({type(error).__name__}: {short(str(error), 120)})"
            )

    def _questions(self, name: str, workloads: Sequence[Workload], until: datetime) -> list[Question]:
        """One; a second for workloads that were not asked about before, of which nothing was handled yet."""
        mark = self.marks.get(name)
        back = until - self.back
        if mark is None:
            return [self._question(back, until, workloads)]
        handled = frozenset(mark.ids)
        if not workloads:
            known = mark.since.get("") or ("" if mark.since else _before(mark.until))
            return [self._question(datetime.fromisoformat(known) if known else back, until, (), handled)]
        told = {one: mark.since[_name(one)] for one in workloads if _name(one) in mark.since}
        new = [one for one in workloads if one not in told]
        questions = [self._question(back, until, new)] if new else []
        if told:
            questions.append(self._question(datetime.fromisoformat(min(told.values())), until, [*told], handled))
        return questions

    def _question(
        self, since: datetime, until: datetime, workloads: Sequence[Workload], handled: frozenset[str] = frozenset()
    ) -> Question:
        since = min(since, until - timedelta(seconds=1))
        return Question(since=since, until=until, workloads=tuple(workloads), handled=handled, polling=self.polls)


def _following(asked: Question, reading: Reading, until: datetime) -> datetime:
    """From when on the next reading goes: what came late is there too, where a reading was cut in the overlap."""
    usual = max(asked.since, until - OVERLAP)
    if reading.read_until is None:
        return usual
    return min(reading.read_until, usual) if len(reading.ids) < _MOST_IDS else reading.read_until


def _before(until: str) -> str:
    return (datetime.fromisoformat(until) - OVERLAP).isoformat()


def _name(workload: Workload) -> str:
    return "/".join((workload.namespace, workload.kind, workload.name or workload.pod))


def _together(readings: Sequence[Reading]) -> Reading:
    """As one; a text's name is given once, since its lines are cited by it."""
    if len(readings) == 1:
        return readings[0]
    texts: dict[str, str] = {}
    for number, reading in enumerate(readings, start=1):
        texts |= {f"{name} ({number})" if name in texts else name: text for name, text in reading.texts}
    return Reading(
        texts=tuple(texts.items()),
        items=sum(one.items for one in readings),
        ids=tuple(dict.fromkeys(item for one in readings for item in one.ids)),
        notes=tuple(dict.fromkeys(note for one in readings for note in one.notes)),
        workloads=tuple(dict.fromkeys(found for one in readings for found in one.workloads)),
    )


def load_marks(store: RefStore) -> dict[str, Mark]:
    """The marks of all sources; a document that is none of ours is as good as none."""
    head = store.head()
    return _parse(store.read(head, [FILE]).get(FILE)) if head else {}


def save_marks(store: RefStore, marks: Mapping[str, Mark]) -> None:
    """Move the marks on, after what was read has been handled; a mark of another run that is further on stays."""
    for _ in range(_TRIES):
        head = store.head()
        known = _parse(store.read(head, [FILE]).get(FILE)) if head else {}
        for name, mark in marks.items():
            if name not in known or known[name].until < mark.until:
                known[name] = mark
        body = {"schema": 1, "sources": {name: mark.model_dump(mode="json") for name, mark in sorted(known.items())}}
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
