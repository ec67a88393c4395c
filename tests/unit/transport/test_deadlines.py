"""How servers are asked: within a time, within a size, once a look."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO

import pytest

from remediator.domain.sources import AnswerError
from remediator.transport.deadlines import read_all, within
from remediator.transport.single_flight import SingleFlight


def test_work_that_ends_in_time_gives_its_result_or_its_error() -> None:
    assert within(5, lambda: "done", "late") == "done"
    with pytest.raises(KeyError):
        within(5, lambda: {}["x"], "late")


def test_work_that_does_not_end_is_left_to_itself() -> None:
    stop, disposed = threading.Event(), threading.Event()
    with pytest.raises(AnswerError, match="late") as found:
        within(0.05, stop.wait, "late", lambda _result: disposed.set())
    stop.set()
    assert found.value.retryable
    assert disposed.wait(5)


def test_an_answer_is_bounded_in_size_and_time() -> None:
    read = partial(read_all, name="Loki", budget=1)
    assert read(BytesIO(b"abc").read, most=1 << 20, until=time.monotonic() + 5) == b"abc"
    with pytest.raises(AnswerError, match="more than 1 MiB"):
        read(BytesIO(b"x" * (2 << 20)).read, most=1 << 20, until=time.monotonic() + 5)
    with pytest.raises(AnswerError, match="did not finish its answer within 1 s"):
        read(BytesIO(b"abc").read, most=1 << 20, until=time.monotonic() - 1)


def test_many_threads_ask_once_a_look() -> None:
    asked: list[str] = []
    once: SingleFlight[str] = SingleFlight()

    def find(what: str) -> str:
        asked.append(what)
        time.sleep(0.01)
        return what.upper()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: once.ask("ab"[n % 2], lambda: find("ab"[n % 2])), range(16)))
    assert found == ["A", "B"] * 8
    assert sorted(asked) == ["a", "b"]
    once.forget()
    once.ask("a", lambda: find("a"))
    assert asked.count("a") == 2


def test_a_refusal_is_kept_and_what_it_refuses_is_asked_for_alone() -> None:
    once: SingleFlight[int] = SingleFlight()
    asked: list[str] = []

    def refuse(what: str) -> int:
        asked.append(what)
        raise AnswerError("no", status=403)

    for _ in range(3):
        for what in "abcdef":
            with pytest.raises(AnswerError, match="no"):
                once.ask(what, lambda what=what: refuse(what))
    assert asked == [*"abcdef"]
    assert once.ask("g", lambda: 7) == 7


def test_a_server_that_was_silent_three_times_counts_as_down_until_the_next_look() -> None:
    once: SingleFlight[int] = SingleFlight()
    asked: list[str] = []

    def silent(what: str) -> int:
        asked.append(what)
        raise AnswerError("silence", retryable=True)

    for what in "abcdef":
        with pytest.raises(AnswerError, match="silence"):
            once.ask(what, lambda what=what: silent(what))
    assert asked == [*"abc"]
    once.forget()
    assert once.ask("f", lambda: 1) == 1
