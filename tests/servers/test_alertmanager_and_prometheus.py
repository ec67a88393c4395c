"""A real Alertmanager and a real Prometheus, started on loopback: what we believe of them, they do."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from remediator.domain.sources import Access, AnswerError, Question, Workload
from remediator.evidence import Scanner
from remediator.intake.collector import inputs_of
from remediator.services.alertmanager.client import firing
from remediator.services.alertmanager.dispatch import filters_of_group
from remediator.services.alertmanager.source import AlertSource
from remediator.services.alertmanager.verify import AlertVerifier
from remediator.services.prometheus.source import UsageSource, matchers, query_range
from remediator.transport.http import Http
from tests.servers.processes import free_port, started
from tests.servers.rollouts import rollout

if TYPE_CHECKING:
    from collections.abc import Iterator

AM_CONFIG = """
route: {receiver: nobody, group_by: [alertname, namespace], group_wait: 1s}
receivers: [{name: nobody}]
inhibit_rules:
  - {source_matchers: ['alertname="NodeDown"'], target_matchers: ['severity="warning"'], equal: [node]}
"""
POD = {"namespace": "shop", "pod": "checkout-7c9d8f6b5d-x2x7k", "container": "app"}
CHECKOUT = Workload(namespace="shop", kind="Deployment", name="checkout")


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("am"), free_port()
    (folder / "am.yml").write_text(AM_CONFIG)
    command = ["prometheus-alertmanager", f"--web.listen-address=127.0.0.1:{port}", f"--storage.path={folder}/data"]
    command += [f"--config.file={folder}/am.yml", "--cluster.listen-address="]
    url = f"http://127.0.0.1:{port}"
    with started(command, f"{url}/-/ready", folder):
        yield url


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory) -> Iterator[str]:
    """Filled from an OpenMetrics file, as backfilling does: what it says is known to the last digit."""
    folder, port = tmp_path_factory.mktemp("prom"), free_port()
    now = int(time.time())
    lines = ["# TYPE container_memory_working_set_bytes gauge"]
    labels = ",".join(f'{key}="{value}"' for key, value in POD.items())
    for step in range(60):
        at = now - 3600 + step * 60
        lines.append(f"container_memory_working_set_bytes{{{labels}}} {(200 + step % 56) * 1024**2} {at}")
        lines.append(f"container_memory_working_set_bytes{{{labels.replace('app', '')}}} 1 {at}")
    (folder / "metrics").write_text("\n".join([*lines, "# EOF", ""]))
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "metrics"), str(folder / "data")]
    subprocess.run(made, check=True, capture_output=True)
    (folder / "prom.yml").write_text("scrape_configs: []\n")
    command = ["prometheus", f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={folder}/data"]
    url = f"http://127.0.0.1:{port}"
    with started([*command, f"--config.file={folder}/prom.yml"], f"{url}/-/ready", folder):
        yield url


def post(url: str, body: object) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=5).close()


def web(url: str) -> Http:
    return Http("Alertmanager", Access(url=url), sleep=lambda _s: None)


def alert(name: str, *, minutes: float = -5, ends: float = 60, **labels: str) -> dict:
    def at(shift: float) -> str:
        return (datetime.now(UTC) + timedelta(minutes=shift)).isoformat()

    return {
        "labels": {"alertname": name, "severity": "warning", **labels},
        "annotations": {"description": f"{name} {labels}", "runbook_url": f"https://runbooks.example.com/{name}"},
        "startsAt": at(minutes),
        "endsAt": at(ends),
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
    }


def silenced(url: str, name: str) -> None:
    now = datetime.now(UTC)
    matcher = {"name": "alertname", "value": name, "isRegex": False, "isEqual": True}
    times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
    post(f"{url}/api/v2/silences", {"matchers": [matcher], "createdBy": "t", "comment": "t", **times})


def ask(*workloads: Workload) -> Question:
    now = datetime.now(UTC)
    return Question(since=now - timedelta(hours=2), until=now, workloads=workloads)


@pytest.mark.needs_tools("prometheus-alertmanager")
def test_only_alerts_that_fire_and_nobody_silenced_are_read_and_understood(alertmanager: str) -> None:
    silenced(alertmanager, "Silenced")
    oom = alert("KubeContainerOOMKilled", **POD, reason="OOMKilled")
    others = [alert("Silenced", **POD), alert("Over", **POD, ends=-1), alert("NodeDown", node="n1")]
    post(f"{alertmanager}/api/v2/alerts", [oom, *others, alert("Inhibited", node="n1", **POD)])
    time.sleep(1.5)
    reading = AlertSource("alertmanager", web(alertmanager)).read(ask())
    scan = Scanner().scan(inputs_of(reading))
    assert sorted(statement.reason for statement in scan.statements) == ["KubeContainerOOMKilled", "NodeDown"]
    told = next(one for one in scan.statements if one.reason == "KubeContainerOOMKilled")
    assert (told.subject.kind, told.subject.name, told.channel) == ("Deployment", "checkout", "alert")
    assert told.facts["runbook_url"] == "https://runbooks.example.com/KubeContainerOOMKilled"
    assert told.facts["generator_url"].startswith("http://prometheus.example.com/graph")
    assert [(one.kind, one.name, one.container) for one in reading.workloads] == [("Deployment", "checkout", "app")]
    again = ask().model_copy(update={"handled": frozenset(reading.ids)})
    assert AlertSource("alertmanager", web(alertmanager)).read(again).items == 0


@pytest.mark.needs_tools("prometheus-alertmanager")
def test_filters_groups_and_workloads_narrow_the_list(alertmanager: str) -> None:
    post(f"{alertmanager}/api/v2/alerts", [alert("Group", namespace="pay"), alert("Group", namespace="other")])
    time.sleep(0.5)
    found = firing(web(alertmanager), filters_of_group('{}/{alertname=~"Gr.*"}:{alertname="Group", namespace="pay"}'))
    assert [one["labels"]["namespace"] for one in found] == ["pay"]
    nobody = Workload(namespace="shop", kind="Deployment", name="nobody")
    assert AlertSource("alertmanager", web(alertmanager)).read(ask(nobody)).items == 0
    with pytest.raises(AnswerError, match="answers 400: bad matcher format: namespace"):
        firing(web(alertmanager), ["namespace"])


@pytest.mark.needs_tools("prometheus-alertmanager")
def test_an_incidents_alerts_end_or_begin_anew(alertmanager: str) -> None:
    now = datetime.now(UTC)

    def observe(about):
        return AlertVerifier("alertmanager", web(alertmanager), lambda: now, timedelta(0)).observe(about, ())

    cart = {**POD, "pod": "cart-7c9d8f6b5d-x2x7k"}
    about = {"subject": {"name": "cart"}, "channel": "alert", "reason": "KubePodCrashLooping"}
    merged = {"merged_at": (now - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    post(f"{alertmanager}/api/v2/alerts", [alert("Watchdog", minutes=-90)])
    time.sleep(0.5)
    assert observe(rollout(**about, **merged)).status == "success"
    post(f"{alertmanager}/api/v2/alerts", [alert("KubePodCrashLooping", minutes=-60, **cart)])
    time.sleep(0.5)
    old = observe(rollout(**about, **merged))
    assert (old.status, "`KubePodCrashLooping` fires since" in old.summary) == ("pending", True)
    assert old.link.startswith(f"{alertmanager}/#/alerts?filter=")
    again = observe(rollout(**about, merged_at=(now - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")))
    assert (again.status, "fires again" in again.summary) == ("failed", True)
    post(f"{alertmanager}/api/v2/alerts", [alert("KubePodCrashLooping", minutes=-60, ends=-1, **cart)])
    time.sleep(0.5)
    assert observe(rollout(**about, **merged)).status == "success"


@pytest.mark.needs_tools("prometheus", "promtool")
def test_usage_is_read_in_steps_that_the_server_allows(prometheus: str) -> None:
    end = time.time()
    query = f"container_memory_working_set_bytes{{{matchers(CHECKOUT)}}}"
    (series,) = query_range(web(prometheus), query, end - 30 * 86_400, end)
    assert series.labels["container"] == "app"
    (near,) = query_range(web(prometheus), query, end - 3600, end)
    assert near.most == 255 * 1024**2
    with pytest.raises(AnswerError, match=r"answers 400: .*parse error"):
        query_range(web(prometheus), "sum(", end - 60, end)


@pytest.mark.needs_tools("prometheus", "promtool")
def test_usage_is_understood_as_numbers_of_the_workload(prometheus: str) -> None:
    reading = UsageSource("prometheus", web(prometheus)).read(ask(CHECKOUT))
    scan = Scanner().scan(inputs_of(reading))
    (told,) = scan.statements
    assert (told.reason, told.subject.name, told.facts["metric"]) == ("Metric", "checkout", "memory_working_set_bytes")
    assert int(told.facts["value"]) > 200 * 1024**2
    assert UsageSource("prometheus", web(prometheus)).read(ask()).items == 0
