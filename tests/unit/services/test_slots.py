"""Slots for pull requests: caps hold whatever runs at the same time, and a crashed run's slot is not lost for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.life import Incident, Record
from remediator.graph.identity import Start, decide
from remediator.graph.limits import Limits
from remediator.services.checkpoints.documents import INDEX, dump_index, records
from remediator.services.checkpoints.slots import Caps, IndexSlots
from tests.fakes import MemoryRefStore

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
INCIDENT = Incident(fingerprint="ab" * 32)


def slots(store: MemoryRefStore, at: datetime = NOW, **caps: int) -> IndexSlots:
    return IndexSlots(store, Caps(**caps), lambda: at)


def test_twenty_runs_never_take_more_than_there_are() -> None:
    store = MemoryRefStore()
    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(lambda n: slots(store, open=3).take(f"inc-{n}-1", INCIDENT), range(20)))
    assert said.count("") == 3
    assert set(said) == {"", "3 pull requests are open (max_open_pull_requests)"}


def test_an_incident_finds_its_own_slot_again() -> None:
    store = MemoryRefStore()
    assert slots(store, open=1).take("inc-1-1", INCIDENT) == ""
    assert slots(store, open=1).take("inc-1-1", INCIDENT) == ""
    assert slots(store, open=1).take("inc-2-1", INCIDENT)


def test_the_slot_of_a_run_that_died_lapses() -> None:
    store = MemoryRefStore()
    slots(store, open=1).take("inc-1-1", INCIDENT)
    assert slots(store, NOW + timedelta(minutes=59), open=1).take("inc-2-1", INCIDENT)
    assert slots(store, NOW + timedelta(minutes=61), open=1).take("inc-2-1", INCIDENT) == ""


def test_after_a_crash_the_same_incident_is_the_same_thread() -> None:
    store = MemoryRefStore()
    slots(store).take("inc-ababab-1", INCIDENT)
    known = [Record.model_validate(head) for head in records(store)]
    decision = decide(INCIDENT.fingerprint, known, NOW, Limits())
    assert isinstance(decision, Start)
    assert decision.incident_id == "inc-ababab-1"


@pytest.mark.parametrize(
    ("caps", "says"),
    [({"per_run": 1}, "in this run"), ({"per_day": 3}, "within a day"), ({"open": 2}, "are open"), ({}, "")],
)
def test_each_cap_says_its_name(caps: dict[str, int], says: str) -> None:
    store = MemoryRefStore()
    head = {"status": "awaiting_review", "opened": "2026-01-01T11:00:00Z"}
    old = {"status": "resolved", "opened": "2025-12-30T11:00:00Z"}
    store.write("", {INDEX: dump_index({"a": head, "b": {**head, "status": "resolved"}, "c": old})}, "x")
    mine = slots(store, **caps)
    assert mine.take("inc-1-1", INCIDENT) == ""
    assert says in mine.take("inc-2-1", INCIDENT)
