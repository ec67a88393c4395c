"""Loki's limits: lines a page, length of a range, what its parts hand each other, and what it cuts in silence."""

from __future__ import annotations

import pytest

from remediator.domain.sources import Access, AnswerError
from remediator.services.loki import client
from remediator.services.loki.client import Loki, QueryLimits
from remediator.transport.http import Http
from tests.servers.http_server import Answer, Asked, Running, serve
from tests.servers.loki_api import NS, LokiServer
from tests.unit.services.loki.test_loki import EPOCH, POD, filled, question, source, web


def quick(server: Running) -> Http:
    return Http("Loki", Access(url=server.url), sleep=lambda _seconds: None)


@pytest.mark.parametrize("direction", ["backward", "forward"])
@pytest.mark.parametrize("most", [5000, 300])
def test_pages_past_the_limit_both_ways_without_loss_or_repetition(direction, most) -> None:
    loki = filled(1234, most=most)
    with serve(loki) as server:
        client = Loki(web(server), QueryLimits(page=500 if most == 5000 else 5000))
        lines = client.lines('{namespace="shop"}', (EPOCH - 3600) * NS, EPOCH * NS, most=10_000, direction=direction)
    assert [entry.line.rpartition(" ")[2] for entry in lines] == [str(number) for number in range(1234)]
    assert client.limits.page == (500 if most == 5000 else 300)


@pytest.mark.parametrize("direction", ["backward", "forward"])
def test_lines_of_one_instant_are_all_read_where_they_fit_a_page_and_told_where_not(direction) -> None:
    loki = LokiServer(most=10)
    for number in range(8):
        loki.add(EPOCH - 60, f"a {number}", **POD)
    for number in range(3, 8):
        loki.add(EPOCH - 55, f"a {number - 3} later", **POD)
    for number in range(15):
        loki.add(EPOCH - 50, f"b {number}", **POD)
    loki.add(EPOCH - 40, "c", **POD)
    with serve(loki) as server:
        client = Loki(web(server))
        lines = client.lines('{namespace="shop"}', (EPOCH - 3600) * NS, EPOCH * NS, most=100, direction=direction)
    said = [entry.line[0] for entry in lines]
    assert (said.count("a"), said.count("c")) == (13, 1)
    assert said.count("b") >= 10
    assert any("one time stamp" in note for note in client.notes)


def test_more_lines_than_wanted_are_the_newest_and_it_is_said() -> None:
    with serve(filled(500)) as server:
        client = Loki(web(server), QueryLimits(page=100))
        lines = client.lines('{namespace="shop"}', (EPOCH - 3600) * NS, EPOCH * NS, most=150)
    assert lines[-1].line.endswith(" 499")
    assert len(lines) == 150
    assert client.notes == ["only the newest 150 lines were read: narrow the selector or the time"]


@pytest.mark.parametrize("direction", ["backward", "forward"])
def test_a_range_longer_than_the_server_allows_is_asked_in_parts(direction) -> None:
    loki = LokiServer(longest=7 * 86_400 + 1800, length_in_words="7d30m")
    for day in range(40):
        loki.add(EPOCH - day * 86_400 - 5, f"day {day}", **POD)
    with serve(loki) as server:
        client = Loki(web(server))
        lines = client.lines(
            '{namespace="shop"}', (EPOCH - 41 * 86_400) * NS, EPOCH * NS, most=1000, direction=direction
        )
    assert [entry.line for entry in lines] == [f"day {day}" for day in reversed(range(40))]


def test_a_server_that_ignores_the_range_gives_nothing_and_is_not_asked_for_ever(monkeypatch) -> None:
    monkeypatch.setattr(client, "_MOST_PAGES", 20)

    def script(asked: Asked) -> Answer:
        values = [[str(int(asked.get("end")) + NS), "KeyError"]]
        return Answer({"data": {"resultType": "streams", "result": [{"stream": POD, "values": values}]}})

    with serve(script) as server:
        loki = Loki(web(server), QueryLimits(page=1))
        assert loki.lines("{}", (EPOCH - 90) * NS, EPOCH * NS, most=100) == []
    assert len(server.asked) == 20
    assert "more than 20 pages were not read" in loki.notes


@pytest.mark.parametrize("late", [0, 37])
def test_no_point_of_numbers_asked_in_parts_comes_twice(late: int) -> None:
    loki = LokiServer(longest=3600, length_in_words="1h")
    for number in range(240):
        loki.add(EPOCH - 14_400 + number * 60 + 30, "KeyError: 'A'", **POD)
    metric = 'sum(count_over_time({namespace="shop"}[60s]))'
    with serve(loki) as server:
        points = Loki(web(server)).matrix(metric, (EPOCH - 14_400 + late) * NS, EPOCH * NS, 60)
    stamps = [at for at, _ in points]
    assert (sum(count for _, count in points), len(stamps)) == (240, len(set(stamps)))


def test_a_page_too_large_for_lokis_parts_is_asked_for_in_smaller_ones() -> None:
    loki = LokiServer(message=100_000)
    for number in range(400):
        loki.add(EPOCH - 900 + number, f"{number} " + "x" * 1000, **POD)
    with serve(loki) as server:
        made = Loki(quick(server))
        lines = made.lines('{namespace="shop"}', (EPOCH - 3600) * NS, EPOCH * NS, most=1000)
    assert len(lines) == 400
    assert made.limits.page < 100


def test_a_loki_that_is_silent_is_asked_for_fewer_lines_before_it_is_given_up() -> None:
    loki = filled(300)

    def script(asked: Asked) -> Answer:
        return Answer("", 504, "text/plain") if int(asked.get("limit")) > 200 else loki(asked)

    with serve(script) as server:
        lines = Loki(quick(server)).lines('{namespace="shop"}', (EPOCH - 3600) * NS, EPOCH * NS, most=1000)
    assert len(lines) == 300
    with serve(Answer("", 504, "text/plain")) as server, pytest.raises(AnswerError, match="504"):
        Loki(quick(server)).lines('{namespace="shop"}', 0, NS, most=9)
    assert [asked.get("limit") for asked in server.asked] == ["1000"] * 3 + ["200"] * 3


def test_what_loki_warns_of_is_told() -> None:
    body = {"status": "success", "warnings": ["partial results"], "data": {"resultType": "streams", "result": []}}
    with serve(Answer(body)) as server:
        made = source(server, selectors=['{namespace="shop"}']).read(question())
    assert "partial results" in made.notes


def test_what_was_learned_of_a_servers_limits_holds_for_the_next_reading() -> None:
    loki = LokiServer(longest=7 * 86_400 + 1800, length_in_words="7d30m", most=300)
    loki.add(EPOCH - 60, "KeyError: 'A'", **POD)
    with serve(loki) as server:
        made = source(server, selectors=['{namespace="shop"}'])
        made.read(question(24 * 20))
        first = len(server.asked)
        made.read(question(24 * 20))
        again = server.asked[first:]
    assert len(again) == 3
    assert {asked.get("limit") for asked in again} == {"300"}


def test_numbers_over_more_time_than_the_server_allows_are_asked_in_parts() -> None:
    spans: list[tuple[int, int]] = []

    def script(asked: Asked) -> Answer:
        low, high = (int(asked.get(name)) // NS for name in ("start", "end"))
        if high - low > 3600:
            said = f"the query time range exceeds the limit (query length: {high - low}s, limit: 1h)"
            return Answer(said, 400, "text/plain")
        spans.append((low, high))
        points = [[at, "1"] for at in range(low, high + 1, 600)]
        return Answer({"data": {"resultType": "matrix", "result": [{"metric": {}, "values": points}]}})

    with serve(script) as server:
        points = Loki(web(server)).matrix("x", EPOCH * NS, (EPOCH + 4 * 3600) * NS, 600)
    assert [at for at, _ in points] == list(range(EPOCH, EPOCH + 4 * 3600 + 1, 600))
    assert len(spans) > 3


@pytest.mark.parametrize(("first", "said"), [(1, False), (6, True)])
def test_a_range_that_begins_in_silence_may_be_cut_and_that_is_said(first: int, said: bool) -> None:
    loki = LokiServer()
    loki.add(EPOCH - 86_400 * (7 - first) + 60, "KeyError: 'A'", **POD)
    with serve(loki) as server:
        notes = source(server, selectors=['{namespace="shop"}']).read(question(24 * 6.5)).notes
    assert any("cuts in silence" in note for note in notes) is said


@pytest.mark.parametrize(
    "said",
    [
        "the query would read too many bytes (query: 300GiB, limit: 150GiB); consider adding more specific selectors",
        "query too large to execute on a single querier: (query: 300GiB, limit: 150GiB); consider adding more",
        "the query hit the max number of chunks limit (limit: 2000000 chunks, matched: 3000000 chunks); consider",
    ],
)
def test_a_range_that_would_read_too_much_is_asked_in_parts(said: str) -> None:
    loki = LokiServer()
    for day in range(10):
        loki.add(EPOCH - day * 86_400 - 5, f"KeyError: {day}", **POD)

    def script(asked: Asked) -> Answer:
        days = (int(asked.get("end")) - int(asked.get("start"))) / NS / 86_400
        return Answer(said, 400, "text/plain") if days > 3 else loki(asked)

    with serve(script) as server:
        made, start = Loki(quick(server)), EPOCH - 10 * 86_400
        lines = made.lines('{namespace="shop"}', start * NS, EPOCH * NS, most=1000)
        metric = 'sum(count_over_time({namespace="shop"}[3600s]))'
        points = Loki(quick(server)).matrix(metric, start * NS, (EPOCH + 3600) * NS, 3600)
    assert len(lines) == sum(count for _, count in points) == 10
    with serve(Answer(said, 400, "text/plain")) as server, pytest.raises(AnswerError, match="consider"):
        Loki(quick(server)).lines('{namespace="shop"}', start * NS, EPOCH * NS, most=1000)
    assert len(server.asked) < 10
