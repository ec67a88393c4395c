"""One timeline of several sources: what they tell alike stands once, with all their names."""

from __future__ import annotations

from datetime import UTC, datetime

from remediator.commands.collect import timeline
from remediator.domain.sources import Access, Workload
from remediator.evidence import Scanner
from remediator.intake.collector import SourceCollector
from remediator.policy import load
from remediator.services.kubernetes.client import Cluster
from remediator.services.kubernetes.source import ClusterSource
from remediator.services.loki.source import LokiSource
from remediator.transport.http import Http
from tests.servers.http_server import Answer, Asked, serve
from tests.servers.kubernetes_api import pod, waiting
from tests.servers.loki_api import LokiServer

NOW = datetime(2026, 11, 22, 12, 50, tzinfo=UTC)
NAME, LINE = "checkout-6d5f4c8b7-abcde", "KeyError: 'DATABASE_URL'"


def api(asked: Asked) -> Answer:
    if asked.path.endswith("/log"):
        return Answer(f"2026-11-22T12:48:00.000000001Z {LINE}\n", 200, "text/plain")
    if asked.path.endswith("/pods"):
        made = pod(waiting("CrashLoopBackOff", "back-off", 3, exitCode=1), ready=False)
        made["metadata"] |= {"name": NAME, "namespace": "shop", "uid": "u"}
        return Answer({"metadata": {}, "items": [made]})
    return Answer({"metadata": {}, "items": []})


def test_what_loki_and_the_cluster_tell_alike_stands_once_with_both_names() -> None:
    loki = LokiServer()
    for seconds in (120, 60):
        loki.add(NOW.timestamp() - seconds, LINE, namespace="shop", pod=NAME, container="app")
    checkout = Workload(namespace="shop", kind="Deployment", name="checkout")
    with serve(loki) as lines, serve(api) as server:
        sources = [
            LokiSource("loki", Http("Loki", Access(url=lines.url)), load().catalogue),
            ClusterSource("kubernetes", Cluster("kubernetes", Access(url=server.url))),
        ]
        inputs = SourceCollector(sources, [], lambda: NOW, workloads=[checkout]).inputs()
    shown = timeline(Scanner().scan(inputs).statements, str)
    (told,) = [one for one in shown if one["text"] == LINE]
    assert [name.partition("/")[0] for name in told["sources"]] == ["loki", "kubernetes"]
    assert (told["who"], told["count"], told["at"]) == ("shop/Deployment/checkout/app", 2, "2026-11-22T12:49:00Z")
    assert [one["at"] for one in shown] == sorted(one["at"] for one in shown)
