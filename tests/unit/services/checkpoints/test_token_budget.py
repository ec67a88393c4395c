"""The day's tokens: never more than there are, whatever runs at the same time."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from remediator.errors import ConflictError
from remediator.services.checkpoints.documents import INDEX, dump_index
from remediator.services.checkpoints.token_budget import FILE, DailyTokenBudget
from tests.fake_ports import MemoryRefStore

NOW = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)


def purse(
    store: MemoryRefStore, at: datetime = NOW, per_day: int = 1_000, *, read_only: bool = False
) -> DailyTokenBudget:
    return DailyTokenBudget(store, per_day, lambda: at, read_only=read_only)


def test_twenty_runs_never_take_more_than_there_are() -> None:
    store = MemoryRefStore()
    with ThreadPoolExecutor(20) as pool:
        taken = list(pool.map(lambda _: purse(store).take(200, 300), range(20)))
    assert sum(taken) == 900
    assert taken.count(300) == 3
    assert purse(store).take(100, 300) == 100


def test_what_comes_back_can_be_taken_again_and_each_write_says_so() -> None:
    store = MemoryRefStore()
    one = purse(store)
    assert one.take(100, 1_000) == 1_000
    assert purse(store).take(1, 1) == 0
    assert one.give_back(700) == 300
    assert purse(store).take(600, 900) == 700
    assert all(message.endswith("[skip ci]") for message in store.messages)


def test_a_new_day_starts_at_nothing_and_gets_nothing_back_from_yesterday() -> None:
    store, tomorrow = MemoryRefStore(), NOW + timedelta(hours=1)
    purse(store).take(1, 1_000)
    assert purse(store, tomorrow).give_back(400) == 0
    assert purse(store, tomorrow).take(1_000, 1_000) == 1_000


def test_a_dry_run_counts_and_writes_nothing() -> None:
    store = MemoryRefStore()
    purse(store).take(1, 400)
    dry = purse(store, read_only=True)
    assert dry.take(1, 500) == 500
    assert dry.take(200, 500) == 0
    assert dry.give_back(450) == 450
    assert len(store.messages) == 1


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"day": "2026-01-01", "tokens": "x"}', b'{"tokens": 5}'])
def test_a_document_that_is_none_of_ours_is_written_anew(text: bytes) -> None:
    store = MemoryRefStore()
    store.write("", {FILE: text, INDEX: dump_index({})}, "broken")
    assert purse(store).take(1, 10) == 10
    assert json.loads(store.read(store.head())[FILE]) == {"schema": 1, "day": "2026-01-01", "tokens": 10}
    assert INDEX in store.read(store.head())


def test_a_branch_that_is_never_still_is_said() -> None:
    class Restless(MemoryRefStore):
        def write(self, expected: str, changes: object, message: str) -> str:
            raise ConflictError("moved")

    with pytest.raises(ConflictError, match="never still"):
        DailyTokenBudget(Restless(), 10, lambda: NOW, sleep=lambda _: None).take(1, 1)
