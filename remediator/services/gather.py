"""Several sources at once: one that fails is told and the others count; polled ones go on where they stopped."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from remediator.domain.base import Value
from remediator.domain.outside import Question, Reading, Workload, short
from remediator.errors import ConflictError, RemediatorError, ServiceError
from remediator.evidence import text_input

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.domain.outside import Source
    from remediator.domain.ports import Clock, RefStore
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


class Answer(Value):
    """What became of one source."""

    name: str
    reading: Reading = Reading()
    error: str = ""


@dataclass
class Gather:
    """Reads sources in parallel: first those that know what is wrong, then those that look at what these name."""

    first: Sequence[Source]
    then: Sequence[Source]
    now: Clock
    back: timedelta = BACK
    workloads: Sequence[Workload] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    until: datetime | None = None

    def inputs(self) -> list[Input]:
        """All texts, as the evidence reader takes them; ServiceError where no source answered."""
        self.until = self.now()
        self.answers = self._ask(self.first, self.workloads)
        named = [one for answer in self.answers for one in answer.reading.workloads]
        wanted = list(dict.fromkeys([*self.workloads, *named]))[:_MOST_WORKLOADS]
        self.answers += self._ask(self.then, wanted)
        for answer in self.answers:
            if answer.error:
                log.warning("%s: %s", answer.name, answer.error)
            for note in answer.reading.notes:
                log.info("%s: %s", answer.name, note)
        if self.answers and all(answer.error for answer in self.answers):
            said = "; ".join(f"{answer.name}: {answer.error}" for answer in self.answers)
            raise ServiceError(f"no source could be read: {said}", retryable=True)
        return [text_input(*one) for answer in self.answers for one in answer.reading.texts]

    def marked(self) -> dict[str, Mark]:
        """Where each source that answered is to be read from next; one that failed stays where it was."""
        if self.until is None:
            raise AssertionError("nothing was read yet")
        stamp = self.until.isoformat()
        return {
            answer.name: Mark(until=stamp, ids=answer.reading.ids[-_MOST_IDS:])
            for answer in self.answers
            if not answer.error
        }

    def _ask(self, sources: Sequence[Source], workloads: Sequence[Workload]) -> list[Answer]:
        if not sources:
            return []
        with ThreadPoolExecutor(max_workers=min(8, len(sources))) as pool:
            return list(pool.map(lambda source: self._one(source, workloads), sources))

    def _one(self, source: Source, workloads: Sequence[Workload]) -> Answer:
        until = self.until or self.now()
        mark = self.marks.get(source.name)
        since = datetime.fromisoformat(mark.until) - OVERLAP if mark else until - self.back
        question = Question(
            since=min(since, until - timedelta(seconds=1)),
            until=until,
            workloads=tuple(workloads),
            handled=frozenset(mark.ids if mark else ()),
        )
        try:
            return Answer(name=source.name, reading=source.read(question))
        except RemediatorError as error:
            return Answer(name=source.name, error=str(error))
        except Exception as error:  # what one server sends must not cost what the others say
            log.debug("%s", source.name, exc_info=True)
            return Answer(
                name=source.name, error=f"its answer cannot be read ({type(error).__name__}: {short(str(error), 120)})"
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
