"""Loki: all of a range whatever its limits, in time's order, and its plain-text errors in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.sources import Access, AnswerError, Question, Workload
from remediator.errors import ConfigError
from remediator.evidence import Scanner
from remediator.intake.collector import SourceCollector, inputs_of, load_marks, save_marks
from remediator.policy import load
from remediator.services.loki.client import Loki, QueryLimits
from remediator.services.loki.source import LokiSource
from remediator.transport.http import Http
from tests.fake_ports import MemoryRefStore
from tests.servers.http_server import Answer, Running, serve
from tests.servers.loki_api import NS, LokiServer

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
EPOCH = int(NOW.timestamp())
CATALOGUE = load().catalogue
CHECKOUT = Workload(namespace="shop", kind="Deployment", name="checkout")
POD = {"namespace": "shop", "pod": "checkout-7c9d8f6b5d-x2x7k", "container": "app"}


def web(server: Running, **headers: str) -> Http:
    return Http("Loki", Access(url=server.url), headers={k.replace("_", "-"): v for k, v in headers.items()})


def source(server: Running, **more: object) -> LokiSource:
    return LokiSource("loki", web(server), CATALOGUE, **more)


def question(hours: float = 1, *workloads: Workload, handled: frozenset[str] = frozenset()) -> Question:
    return Question(since=NOW - timedelta(hours=hours), until=NOW, workloads=workloads, handled=handled)


def filled(count: int, **more: object) -> LokiServer:
    loki = LokiServer(**more)
    for number in range(count):
        loki.add(
            EPOCH - 3000 + number / 10,
            f"KeyError: 'DATABASE_URL' {number}",
            metadata={"trace_id": str(number % 7)},
            **POD,
        )
    return loki


def test_the_policys_line_filters_are_lokis_work() -> None:
    loki = filled(3)
    for number in range(200):
        loki.add(EPOCH - 100 + number / 10, '10.244.1.1 "GET /healthz" 200', **POD)
    with serve(loki) as server:
        reading = source(server).read(question(1, CHECKOUT))
    assert reading.items == 3
    assert server.asked[0].method == "POST"
    asked = server.asked[0].get("query")
    assert asked.startswith('{namespace="shop", pod=~"(?:checkout(?:-[^-]+){1,2})?"} |~ ')
    assert asked.endswith(' | pod=~"checkout(?:-[^-]+){1,2}"')


@pytest.mark.parametrize(
    ("workload", "found"),
    [
        (CHECKOUT, ["'A'", "'B'"]),
        (Workload(namespace="shop", kind="Pod", name="checkout-7c9d8f6b5d-x2x7k"), ["'A'"]),
        (Workload(namespace="shop", pod="checkout-7c9d8f6b5d-q8q8q"), ["'B'"]),
        (Workload(namespace="shop"), ["'A'", "'B'", "'C'"]),
    ],
)
def test_a_pod_is_known_by_its_stream_or_by_metadata_of_the_line(workload: Workload, found: list[str]) -> None:
    loki = LokiServer()
    loki.add(EPOCH - 60, "KeyError: 'A'", **POD)
    for at, line, pod in ((50, "'B'", "checkout-7c9d8f6b5d-q8q8q"), (40, "'C'", "cart-7c9d8f6b5d-x2x7k")):
        loki.add(EPOCH - at, f"KeyError: {line}", {"pod": pod}, namespace="shop", container="app")
    with serve(loki) as server:
        reading = source(server).read(question(1, workload))
    assert [line for line in ("'A'", "'B'", "'C'") if line in str(reading.documents)] == found


def test_a_named_workload_is_looked_at_where_the_selectors_look() -> None:
    loki = LokiServer()
    for cluster in ("eu", "us"):
        loki.add(EPOCH - 60, f"KeyError: '{cluster}'", **POD, cluster=cluster)
    with serve(loki) as server:
        reading = source(server, selectors=['{cluster="eu", namespace="pay", app="pay"}']).read(question(1, CHECKOUT))
    assert (reading.items, "'eu'" in str(reading.documents)) == (1, True)


def test_what_is_read_is_understood_in_times_order_and_with_its_pod() -> None:
    loki = LokiServer()
    trace = ["Traceback (most recent call last):", '  File "app.py", line 3', "KeyError: 'DATABASE_URL'"]
    for number, line in enumerate(trace):
        loki.add(EPOCH - 60 + number / 1000, line, metadata={"trace_id": str(number)}, **POD)
    with serve(loki) as server:
        reading = source(server, query='{namespace="shop"}').read(question())
    scan = Scanner().scan(inputs_of(reading))
    statement = next(one for one in scan.statements if "DATABASE_URL" in one.text)
    assert statement.channel == "log"
    assert (statement.source, statement.subject.namespace, statement.subject.name) == ("loki", "shop", "checkout")
    assert (statement.subject.kind, statement.subject.container) == ("Deployment", "app")
    assert statement.last_seen.startswith("2026-11-22T12:29:00")


def test_labels_of_the_collectors_own_are_understood_too() -> None:
    loki, own = LokiServer(), {"namespace": "ns", "pod": "po", "container": "co"}
    loki.add(EPOCH - 60, "KeyError: 'A'", **{own[name]: value for name, value in POD.items()})
    with serve(loki) as server:
        reading = source(server, labels=own).read(question(1, CHECKOUT))
    (statement,) = Scanner().scan(inputs_of(reading)).statements
    subject = statement.subject
    assert (subject.namespace, subject.name, subject.container) == ("shop", "checkout", "app")


def test_many_long_lines_come_in_pieces_that_are_each_understood() -> None:
    loki = LokiServer()
    for number in range(400):
        loki.add(EPOCH - 900 + number, f'error "{number}" ' + "\\x" * 20_000, **POD)
    with serve(loki) as server:
        reading = source(server, query='{namespace="shop"}').read(question())
    assert len(reading.documents) > 1
    scan = Scanner().scan(inputs_of(reading))
    assert {statement.subject.name for statement in scan.statements} == {"checkout"}


def test_what_was_handled_is_left_out_and_what_came_late_is_not() -> None:
    loki = filled(5)
    with serve(loki) as server:
        first = source(server, query='{namespace="shop"}').read(question())
        loki.add(EPOCH - 2999.95, "KeyError: 'LATE'", **POD)
        second = source(server, query='{namespace="shop"}').read(question(handled=frozenset(first.ids)))
    assert (first.items, second.items) == (5, 1)
    assert "LATE" in str(second.documents)
    assert second.ids[0:1] == first.ids[0:1]


def test_polls_of_more_than_one_reading_takes_lose_nothing() -> None:
    store, told, clock = MemoryRefStore(), [], NOW
    loki = LokiServer(most=20)
    for number in range(30):
        at = EPOCH - (200 if number < 15 else 100 - number)
        loki.add(at, f"KeyError: 'DATABASE_URL' {number}", **POD)
    with serve(loki) as server:
        for turn in range(5):
            clock = NOW + timedelta(minutes=turn)
            made = source(server, query='{namespace="shop"}', most=10, limits=QueryLimits(page=20))
            gather = SourceCollector([made], [], lambda: clock, marks=load_marks(store), polls=True)  # noqa: B023 - read at once
            texts = [str(one.document) for one in gather.inputs()]
            told.append([int(found) for text in texts for found in re.findall(r"DATABASE_URL' (\d+)", text)])
            save_marks(store, gather.new_marks())
            (answer,) = gather.answers
            assert ("the rest is read at the next poll" in answer.reading.notes) is (turn < 2)
    assert [len(one) for one in told] == [10, 10, 10, 0, 0]
    assert sorted(one for turn in told for one in turn) == list(range(30))


def test_what_comes_late_while_polls_are_cut_is_told_once_all_the_same() -> None:
    store, told, loki = MemoryRefStore(), [], LokiServer()
    arriving = [
        [(300 - n, f"first {n}") for n in range(5)],
        [(400, "late")],
        [],
        [(390 - n, f"later {n}") for n in range(4)],
    ]
    with serve(loki) as server:
        for turn, lines in enumerate([*arriving, [], []]):
            for ago, text in lines:
                loki.add(EPOCH - ago, f"KeyError: 'DATABASE_URL' {text}", **POD)
            clock = NOW + timedelta(minutes=turn)
            made = source(server, query='{namespace="shop"}', most=3)
            gather = SourceCollector([made], [], lambda: clock, marks=load_marks(store), polls=True)  # noqa: B023 - read at once
            texts = [str(one.document) for one in gather.inputs()]
            told.append([one for text in texts for one in re.findall(r"(\w+ ?\d?)\"\]", text)])
            save_marks(store, gather.new_marks())
    assert told == [
        ["first 0", "first 1", "first 2"],
        ["late", "first 3", "first 4"],
        [],
        ["later 0", "later 1", "later 2"],
        ["later 3"],
        [],
    ]


def test_what_is_read_once_keeps_the_newest() -> None:
    with serve(filled(30)) as server:
        reading = source(server, query='{namespace="shop"}', most=10).read(question())
    assert (reading.items, reading.read_until) == (10, None)
    assert "DATABASE_URL' 29" in str(reading.documents)


def test_nothing_found_is_said_with_the_reason_that_it_may_have() -> None:
    with serve(LokiServer()) as server:
        reading = source(server, selectors=['{namespace="shop"}']).read(question())
    assert (reading.documents, reading.items) == ((), 0)
    assert "look-back" in reading.notes[0]


def test_a_tenant_is_named_and_its_lack_is_said() -> None:
    loki = filled(1, tenant="shop")
    with serve(loki) as server:
        assert Loki(web(server, X_Scope_OrgID="shop")).lines(
            '{namespace="shop"}', (EPOCH - 3600) * NS, EPOCH * NS, most=9
        )
        with pytest.raises(AnswerError, match=r"Loki answers 401 .*no org id"):
            Loki(web(server)).lines('{namespace="shop"}', (EPOCH - 3600) * NS, EPOCH * NS, most=9)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{}", "queries require at least one regexp or equality matcher"),
        ("{namespace=", "parse error"),
        ('sum(count_over_time({namespace="shop"}[60s]))', "a metric query gives numbers"),
    ],
)
def test_a_query_that_cannot_be_is_said_in_lokis_words(query: str, said: str) -> None:
    asked = [("query", query), ("start", "0"), ("end", "60000000000"), ("step", "60")]
    with serve(filled(1)) as server, pytest.raises(AnswerError, match=said):
        Loki(web(server))._result(asked, "streams")


@pytest.mark.parametrize("body", [[], {"data": 3}, {"data": {"resultType": "streams", "result": [{"stream": 1}]}}])
def test_wrong_types_are_an_error_not_a_crash(body) -> None:
    with serve(Answer(body)) as server, pytest.raises(AnswerError, match="Loki answers with"):
        Loki(web(server)).lines('{a="b"}', 0, NS, most=9)


def test_a_source_without_anything_to_ask_says_what_is_missing() -> None:
    with serve(LokiServer()) as server, pytest.raises(ConfigError, match="needs `selectors` or a `query`"):
        source(server).read(question())
