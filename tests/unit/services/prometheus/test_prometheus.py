"""Prometheus: numbers that are none, and answers that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.sources import Access, AnswerError, Question, Reading, Workload
from remediator.services.prometheus.source import UsageSource
from remediator.transport.http import Http
from tests.servers.http_server import Answer, serve

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
AT = int(NOW.timestamp())
POD = {"namespace": "shop", "pod": "checkout-7c9d8f6b5d-x2x7k", "container": "app"}


def read(body: object) -> Reading:
    checkout = Workload(namespace="shop", kind="Deployment", name="checkout")
    with serve(Answer(body)) as server:
        source = UsageSource("prometheus", Http("Prometheus", Access(url=server.url)))
        return source.read(Question(since=NOW - timedelta(hours=1), until=NOW, workloads=(checkout,)))


def answered(*series: object) -> dict[str, object]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(series)}}


def test_what_is_no_number_is_no_usage() -> None:
    values = [[AT - 60, "+Inf"], [AT - 45, "NaN"], [AT - 30, "5"], [AT - 15, "-Inf"]]
    reading = read(answered({"metric": POD, "values": values}, {"metric": POD, "values": [[AT, "+Inf"]]}))
    shown = [one["values"] for one in reading.documents[0][1]["data"]["result"]]
    assert shown == [[[AT - 30, "5"]]] * 3


@pytest.mark.parametrize("series", [{"metric": "x", "values": [[AT, "5"]]}, {"metric": POD, "values": 5}, 5, {}])
def test_a_series_that_is_none_is_said(series: object) -> None:
    with pytest.raises(AnswerError, match="Prometheus answers with a series that is none"):
        read(answered(series))
