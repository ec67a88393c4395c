"""Several sources at once, and polls that miss nothing and tell nothing twice."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.sources import Question, Reading, Workload, item_id
from remediator.errors import ConflictError, ServiceError
from remediator.intake.collector import Mark, SourceCollector, load_marks, save_marks
from tests.fake_ports import MemoryRefStore

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Told:
    """A source of (time, text) items; `late` items turn up after their time."""

    name: str
    items: list[tuple[datetime, str]] = field(default_factory=list)
    fails: str = ""
    names: tuple[Workload, ...] = ()
    asked: list[Question] = field(default_factory=list)

    def read(self, question: Question) -> Reading:
        self.asked.append(question)
        if self.fails:
            raise ServiceError(self.fails)
        ids = {item_id(text): text for at, text in self.items if question.since <= at < question.until}
        fresh = [text for one, text in ids.items() if one not in question.handled]
        return Reading(
            texts=((self.name, "\n".join(fresh)),) if fresh else (),
            items=len(fresh),
            ids=tuple(ids),
            workloads=self.names,
        )


def test_a_source_that_fails_is_told_and_the_others_count() -> None:
    good, bad = (
        Told("loki", [(NOW - timedelta(minutes=1), "a")]),
        Told("alertmanager", fails="Alertmanager answers 502"),
    )
    gather = SourceCollector([bad, good], [], lambda: NOW)
    assert [one.name for one in gather.inputs()] == ["loki"]
    assert [answer.error for answer in gather.answers] == ["Alertmanager answers 502", ""]
    assert list(gather.new_marks()) == ["loki"]
    assert gather.notes() == ("alertmanager was not read: Alertmanager answers 502",)


class Confused(Told):
    def read(self, question: Question) -> Reading:
        raise TypeError("'int' object is not iterable")


def test_whatever_a_source_raises_the_others_count() -> None:
    gather = SourceCollector(
        [Confused("alertmanager"), Told("loki", [(NOW - timedelta(minutes=1), "a")])], [], lambda: NOW
    )
    assert [one.name for one in gather.inputs()] == ["loki"]
    assert gather.answers[0].error == "its answer cannot be read (TypeError: 'int' object is not iterable)"
    assert list(gather.new_marks()) == ["loki"]


def test_no_source_at_all_is_an_error() -> None:
    with pytest.raises(ServiceError, match="no source could be read: a: down; b: gone"):
        SourceCollector([Told("a", fails="down"), Told("b", fails="gone")], [], lambda: NOW).inputs()


class Together(Told):
    """A source that answers once all the others have been asked too."""

    everyone = threading.Barrier(6)

    def read(self, question: Question) -> Reading:
        self.everyone.wait(timeout=60)
        return super().read(question)


def test_sources_are_asked_at_once() -> None:
    gather = SourceCollector([Together(str(n)) for n in range(6)], [], lambda: NOW)
    gather.inputs()
    assert [answer.error for answer in gather.answers] == [""] * 6


def test_what_the_first_name_is_what_the_second_are_asked_about() -> None:
    checkout = Workload(namespace="shop", kind="Deployment", name="checkout")
    cluster = Told("kubernetes")
    SourceCollector([Told("alertmanager", names=(checkout, checkout))], [cluster], lambda: NOW).inputs()
    assert cluster.asked[0].workloads == (checkout,)


def test_a_workload_that_is_named_anew_is_read_back_though_the_cluster_was_polled() -> None:
    store, told = MemoryRefStore(), []
    checkout, payment = (Workload(namespace="shop", kind="Deployment", name=name) for name in ("checkout", "payment"))
    cluster = Told("kubernetes", [(NOW - timedelta(minutes=30), "a")])
    turns = [(0, ()), (15, (checkout,)), (20, (checkout, payment)), (25, ()), (50, (checkout,)), (180, (checkout,))]
    for minutes, names in turns:
        clock = NOW - timedelta(minutes=15) + timedelta(minutes=minutes)
        first = Told("alertmanager", names=names)
        gather = SourceCollector([first], [cluster], lambda: clock, marks=load_marks(store))  # noqa: B023 - read at once
        told.append([one.raw().read().decode() for one in gather.inputs()])
        save_marks(store, gather.new_marks())
    asked = [
        (str(one.since)[11:16], [workload.name for workload in one.workloads], bool(one.handled))
        for one in cluster.asked
    ]
    assert asked == [
        ("10:45", [], False),
        ("11:00", ["checkout"], False),
        ("11:05", ["payment"], False),
        ("11:50", ["checkout"], True),
        ("11:35", [], True),
        ("11:55", ["checkout"], True),
        ("12:25", ["checkout"], True),
    ]
    assert told[:2] == [["a"], ["a"]]
    assert told[4] == []


def test_a_mark_of_an_earlier_release_is_gone_on_from() -> None:
    source = Told("loki")
    mark = Mark(until=(NOW - timedelta(minutes=5)).isoformat(), ids=("x",))
    SourceCollector([source], [], lambda: NOW, marks={"loki": mark}).inputs()
    assert source.asked[0].since == NOW - timedelta(minutes=15)
    assert source.asked[0].handled == {"x"}


def test_two_readings_of_one_source_keep_their_texts_apart() -> None:
    names = [Workload(namespace="shop", kind="Deployment", name=name) for name in ("checkout", "payment")]
    source = Told("loki", [(NOW - timedelta(minutes=1), "a")])
    mark = Mark(until=NOW.isoformat(), since={"shop/Deployment/checkout": (NOW - timedelta(minutes=5)).isoformat()})
    gather = SourceCollector([source], [], lambda: NOW, workloads=names, marks={"loki": mark})
    assert [one.name for one in gather.inputs()] == ["loki", "loki (2)"]


def test_slipping_polls_miss_nothing_and_tell_nothing_twice() -> None:
    store, source, told = MemoryRefStore(), Told("loki"), []
    clock = NOW
    for turn, slip in enumerate((5, 5, 42, 1, 7, 120, 5)):
        clock += timedelta(minutes=slip)
        source.items.append((clock - timedelta(minutes=1), f"new {turn}"))
        source.items.append((clock - timedelta(seconds=1), f"edge {turn}"))
        if turn:
            source.items.append((clock - timedelta(minutes=slip + 8), f"late {turn}"))
        gather = SourceCollector([source], [], lambda: clock, marks=load_marks(store))  # noqa: B023 - read at once
        told += [line for one in gather.inputs() for line in one.raw().read().decode().split("\n")]
        save_marks(store, gather.new_marks())
    assert sorted(told) == sorted(text for _, text in source.items)


def test_a_run_that_dies_before_it_has_handled_all_reads_it_again() -> None:
    store, source = MemoryRefStore(), Told("loki", [(NOW - timedelta(minutes=5), "a")])
    save_marks(store, {"loki": Mark(until=(NOW - timedelta(minutes=10)).isoformat())})
    for _ in range(2):
        assert SourceCollector([source], [], lambda: NOW, marks=load_marks(store)).inputs()


def test_marks_only_move_on_whoever_writes_last() -> None:
    store = MemoryRefStore()
    save_marks(store, {"loki": Mark(until="2026-11-22T12:10:00+00:00", ids=("b",))})
    save_marks(store, {"loki": Mark(until="2026-11-22T12:05:00+00:00"), "am": Mark(until="2026-11-22T12:05:00+00:00")})
    assert {name: mark.until[11:16] for name, mark in load_marks(store).items()} == {"am": "12:05", "loki": "12:10"}
    assert store.messages == ["Move the sources' marks [skip ci]"] * 2


def test_a_lost_race_is_written_on_the_new_head_and_a_spoilt_document_starts_anew() -> None:
    store = MemoryRefStore()
    store.write("", {"sources.json": b'{"sources": 3'}, "spoilt")
    assert load_marks(store) == {}
    write, lost = store.write, []

    def racing(expected, changes, message):
        if not lost:
            lost.append(write(expected, {"other": b"x"}, "race"))
        return write(expected, changes, message)

    store.write = racing
    save_marks(store, {"loki": Mark(until=NOW.isoformat())})
    assert store.read(store.head())["other"] == b"x"
    assert "loki" in load_marks(store)
    store.write = lambda *_args: (_ for _ in ()).throw(ConflictError("moved"))
    with pytest.raises(ConflictError, match="all the time"):
        save_marks(store, {"loki": Mark(until=NOW.isoformat())})
