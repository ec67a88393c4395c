"""What a webhook's message says, and what is asked again of Alertmanager where it says too little."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.incident import Subject
from remediator.domain.lifecycle import UNDECIDED
from remediator.domain.sources import Access, Question
from remediator.domain.times import stamp
from remediator.errors import ConfigError
from remediator.evidence import Scanner, text_input
from remediator.intake.collector import inputs_of
from remediator.services.alertmanager.client import firing
from remediator.services.alertmanager.dispatch import cluster_of_group, filters_of_group, is_group, of_dispatch
from remediator.services.alertmanager.source import AlertSource
from remediator.services.alertmanager.verify import AlertVerifier
from remediator.transport.http import Http
from tests.servers.http_server import Answer, serve
from tests.servers.rollouts import rollout

NOW = datetime(2026, 11, 22, 12, 50, tzinfo=UTC)
URLS = {"runbook_url": "https://runbooks.example.com/oom"}


def told(name: str, status: object = "firing") -> dict:
    labels = {"alertname": name, "namespace": "shop", "pod": "checkout-7c9d8f6b5d-x2x7k"}
    return {"status": status, "labels": labels, "annotations": URLS, "generatorURL": "https://prometheus.example.com/g"}


@pytest.mark.parametrize(
    ("key", "filters"),
    [
        ('{}:{alertname="X", namespace="shop"}', ['alertname="X"', 'namespace="shop"']),
        ('{}/{severity=~"c|w"}:{alertname="X"}', ['severity=~"c|w"', 'alertname="X"']),
        ('{}/{team!="a"}/{x!~"b"}/3:{alertname="X"}', ['team!="a"', 'x!~"b"', 'alertname="X"']),
        ('{}:{alertname="a":{b}:{c", x="{}:{}"}', ['alertname="a":{b}:{c"', 'x="{}:{}"']),
        ('{}:{"my.label"="x", job="{a=\\"b\\"}"}', ['"my.label"="x"', 'job="{a=\\"b\\"}"']),
        ("{}:{}", []),
    ],
)
def test_a_groups_key_is_its_routes_and_its_own_matchers(key: str, filters: list[str]) -> None:
    key = key.replace('a":{', 'a\\":{')
    filters = [one.replace('a":{', 'a\\":{') for one in filters]
    assert is_group(key)
    assert filters_of_group(key) == filters


@pytest.mark.parametrize("key", ["", "x", "{}", "{}:", '{a="b"}', '{}:{a="b"'])
def test_what_is_no_groups_key_is_asked_of_nobody(key: str) -> None:
    assert not is_group(key)
    with serve(Answer([])) as server, pytest.raises(ConfigError):
        of_dispatch({"payload": {"groupKey": key, "truncatedAlerts": 3}}, [Http("A", Access(url=server.url))])


def test_a_group_of_everything_is_asked_for_by_its_receiver() -> None:
    message = {"groupKey": "{}:{}", "truncatedAlerts": 3, "receiver": "team.a", "alerts": []}
    with serve(Answer([])) as server:
        of_dispatch({"payload": message}, [Http("A", Access(url=server.url))])
        (asked,) = server.asked
    assert [value for name, value in asked.parameters if name in {"filter", "receiver"}] == ["team\\.a"]


def test_alerts_of_a_firing_group_that_are_over_or_silenced_are_left_out() -> None:
    alerts = [told("A"), told("B", "resolved"), told("C", {"state": "suppressed"}), told("D", {"state": "active"})]
    found = json.loads(of_dispatch({"payload": {"alerts": alerts, "groupKey": "{}:{}"}}))
    assert [one["labels"]["alertname"] for one in found] == ["A", "D"]


@pytest.mark.parametrize(("notes", "text"), [("out of memory", "out of memory"), (5, "A"), (["x"], "A"), (None, "A")])
def test_annotations_that_are_none_cost_nothing_but_themselves(notes: object, text: str) -> None:
    alert = told("A", {"state": "active"}) | {"annotations": notes, "fingerprint": "f"}
    with serve(Answer([alert])) as server:
        web = Http("A", Access(url=server.url))
        reading = AlertSource("alertmanager", web).read(Question(since=NOW - timedelta(hours=1), until=NOW))
        seen = AlertVerifier("alertmanager", web, lambda: NOW, timedelta(0)).observe(rollout(), ())
    (one,) = Scanner().scan(inputs_of(reading)).statements
    assert (one.text, one.subject.name, seen.status) == (text, "checkout", "pending")
    assert "A" in of_dispatch({"payload": {"alerts": [alert], "groupKey": "{}:{}"}}, None)


def test_where_an_alert_is_explained_and_measured_is_kept() -> None:
    text = of_dispatch({"payload": {"alerts": [told("A")], "groupKey": "{}:{}"}})
    (one,) = Scanner().scan([text_input("dispatch", text)]).statements
    assert one.facts["runbook_url"] == "https://runbooks.example.com/oom"
    assert one.facts["generator_url"] == "https://prometheus.example.com/g"


def test_alerts_that_fit_into_the_event_are_used_where_nobody_can_be_asked_for_the_rest(caplog) -> None:
    message = {"groupKey": "{}:{}", "truncatedAlerts": 3, "alerts": [told("A"), told("B", "resolved")]}
    for webs in ((), [Http("A", Access(url="http://127.0.0.1:9"), timeout=(1, 1), sleep=lambda _s: None)]):
        caplog.clear()
        found = json.loads(of_dispatch({"payload": message}, webs))
        assert [one["labels"]["alertname"] for one in found] == ["A"]
        assert "only the 1 in it are read" in caplog.text
    with pytest.raises(ConfigError, match="REMEDIATOR_ALERTMANAGER_URL"):
        of_dispatch({"payload": message | {"alerts": []}})


@pytest.mark.parametrize(
    ("message", "cluster"),
    [
        ({"groupLabels": {"cluster": "eu"}}, "eu"),
        ({"groupLabels": {}, "commonLabels": {"cluster": "us"}}, "us"),
        ({"groupKey": '{}/{severity="c"}:{cluster="e\\"u", alertname="X"}'}, 'e"u'),
        ({"groupKey": '{}/{cluster=~"eu|us"}:{alertname="X"}', "commonLabels": 3}, ""),
    ],
)
def test_a_groups_cluster_is_its_labels_or_its_keys(message: dict, cluster: str) -> None:
    assert cluster_of_group({"payload": message}) == cluster


# verifying


NOW = datetime(2026, 11, 22, 12, 50, tzinfo=UTC)


def fires(name: str = "X", began: str = "2026-11-22T12:10:00Z", **labels: str) -> dict:
    return {
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": "in trouble"},
        "startsAt": began,
        "fingerprint": "f1",
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
    }


def watchdog(sent: datetime, **labels: str) -> dict:
    return fires("Watchdog", began="2026-11-01T00:00:00Z", **labels) | {"updatedAt": stamp(sent)}


def verify(*alerts: dict, earlier=(), minutes: float = 0, settle: float = 0, watched: bool = True, **more):
    """Look once; `watched`: an alert that always fires shows that alerts are evaluated."""
    asked = {"channel": "alert", "reason": "X", **more}
    clock = NOW + timedelta(minutes=minutes)
    with serve(Answer([*alerts, *([watchdog(clock)] if watched else [])])) as server:
        made = AlertVerifier(
            "alertmanager", Http("A", Access(url=server.url)), lambda: clock, timedelta(minutes=settle)
        )
        return made.observe(rollout(**asked), earlier)


@pytest.mark.parametrize(
    ("labels", "kind", "name"),
    [
        ({"persistentvolumeclaim": "data-0"}, "PersistentVolumeClaim", "data-0"),
        ({"service": "checkout"}, "Service", "checkout"),
        ({"cronjob": "report"}, "CronJob", "report"),
        ({"job_name": "report-28912345"}, "CronJob", "report"),
        ({"horizontalpodautoscaler": "checkout"}, "HorizontalPodAutoscaler", "checkout"),
        ({"rollout": "checkout"}, "Rollout", "checkout"),
    ],
)
def test_an_alert_is_known_again_by_every_label_that_an_incident_is_made_of(labels, kind, name) -> None:
    seen = verify(fires(**labels, namespace="shop"), subject={"kind": kind, "name": name}, reason="another")
    assert (seen.status, "`X` fires since" in seen.summary) == ("pending", True)
    elsewhere = verify(fires(**labels, namespace="pay"), subject={"kind": kind, "name": name}, reason="another")
    assert elsewhere.status == "success"


def test_a_nodes_alert_keeps_an_incident_with_victims_in_namespaces_open() -> None:
    about = rollout(channel="alert", reason="KubeNodeNotReady")
    node = Subject(kind="Node", name="worker-1", node="worker-1")
    diagnosis = about.diagnosis.model_copy(update={"subject": node, "victims": (about.diagnosis.subject,)})
    told = fires("KubeNodePressure", node="worker-1", namespace="monitoring", job="kube-state-metrics")
    other = fires("KubeNodePressure", node="worker-2", namespace="monitoring", job="kube-state-metrics")
    assert verify(told, diagnosis=diagnosis).status == "pending"
    assert verify(other, diagnosis=diagnosis).status == "success"
    assert verify(fires("KubeNodeNotReady", node="worker-2"), diagnosis=diagnosis).status == "success"


def test_an_alert_of_the_incidents_name_nearby_counts_unless_it_is_another_workloads() -> None:
    later = "2026-11-22T12:45:00Z"
    near = verify(fires(began=later, namespace="shop", persistentvolumeclaim="data-0"))
    assert near.status == "pending", "what may be another's is waited for, and no failure of this change"
    assert verify(fires(began=later, namespace="shop", deployment="checkout")).status == "failed"
    assert verify(fires(namespace="shop", deployment="cart")).status == "success"
    assert verify(fires(namespace="pay", persistentvolumeclaim="data-0")).status == "success"


@pytest.mark.parametrize(
    ("key", "by", "said"),
    [
        ("silencedBy", ["5b4c"], "since 2026-11-22T12:45:00Z (silenced by 5b4c): in trouble"),
        ("inhibitedBy", ["a", "b"], "(inhibited by a, b)"),
        ("unknown", [], "(suppressed)"),
    ],
)
def test_an_alert_that_was_silenced_has_not_ended(key: str, by: list[str], said: str) -> None:
    told = fires(began="2026-11-22T12:45:00Z", namespace="shop", deployment="checkout")
    quiet = told | {"status": {"state": "suppressed", key: by}}
    seen = verify(quiet)
    assert (seen.status, said in seen.summary) == ("pending", True), seen.summary
    assert verify(told, quiet).status == "failed", "one that nobody silenced counts first"


def test_a_verifier_asks_for_silenced_alerts_too_and_a_source_does_not() -> None:
    with serve(Answer([])) as server:
        web = Http("A", Access(url=server.url))
        AlertVerifier("alertmanager", web, lambda: NOW, timedelta(0)).observe(rollout(), ())
        AlertSource("alertmanager", web).read(Question(since=NOW, until=NOW))
        verifying, reading = server.asked
    assert [verifying.get(one) for one in ("active", "silenced", "inhibited")] == ["true", "true", "true"]
    assert [reading.get(one) for one in ("active", "silenced", "inhibited")] == ["true", "false", "false"]


def test_a_server_that_knows_no_such_parameter_still_begins_no_incident_with_a_silenced_alert() -> None:
    silenced = told("A", {"state": "suppressed", "silencedBy": ["s"]}) | {"annotations": {}}
    with serve(Answer([silenced])) as server:
        assert firing(Http("A", Access(url=server.url))) == []


def test_an_alert_that_has_just_ended_must_stay_away_for_the_settle_time() -> None:
    first = verify(settle=5)
    assert (first.status, first.summary) == ("pending", "no alert fires; to be confirmed at 12:55:00 UTC")
    between = verify(settle=5, minutes=3, earlier=[first])
    assert between.status == "pending"
    done = verify(settle=5, minutes=6, earlier=[first, between])
    assert verify(settle=5, minutes=6, earlier=[first]).summary == "no alert fires, in 2 of 3 looks"
    assert (done.status, done.summary) == ("success", "no alert fires")
    assert verify(settle=5, minutes=7, earlier=[first, done]).status == "success"
    fired = verify(fires(namespace="shop", deployment="checkout"), settle=5, minutes=3, earlier=[first])
    assert verify(settle=5, minutes=6, earlier=[first, fired]).status == "pending", "it begins anew"


def test_the_end_of_an_alert_proves_nothing_where_nobody_is_seen_to_send_any() -> None:
    dead = verify(watched=False)
    assert (dead.status, "cannot tell" in dead.summary, dead.facts) == ("pending", True, {UNDECIDED: "yes"})
    assert verify(watchdog(NOW - timedelta(minutes=30)), watched=False).status == "pending", "sent long ago"
    here = {"subject": {"cluster": "eu"}}
    assert verify(watchdog(NOW, cluster="us"), watched=False, **here).status == "pending", "of another cluster"
    assert verify(watchdog(NOW, cluster="eu"), watched=False, **here).status == "success"


@pytest.mark.parametrize(
    ("minutes", "arrived", "status"),
    [(29, True, "pending"), (31, True, "failed"), (31, False, "pending")],
    ids=["rules look back", "it goes on", "nobody saw the change arrive"],
)
def test_an_alert_that_never_pauses_fails_once_the_change_had_its_time(
    minutes: int, arrived: bool, status: str
) -> None:
    arrived_at = {"arrived_at": stamp(NOW)} if arrived else {}
    seen = verify(fires(namespace="shop", deployment="checkout"), minutes=minutes, **arrived_at)
    assert (seen.status, "fires on" in seen.summary) == (status, status == "failed")


def test_a_fault_with_long_pauses_needs_a_long_quiet() -> None:
    pause = {"pause": timedelta(minutes=20)}
    looks = [verify(settle=5, **pause)]
    for minutes in (20, 40, 59):
        looks.append(verify(settle=5, minutes=minutes, earlier=looks, **pause))
    assert [look.status for look in looks] == ["pending"] * 4
    assert verify(settle=5, minutes=60, earlier=looks, **pause).status == "success"


def test_what_a_verifier_cannot_tell_of_needs_no_time() -> None:
    seen = verify(settle=5, channel="status")
    assert (seen.status, seen.facts) == ("success", {"neutral": "no alert told of this incident"})


def test_the_same_workload_in_another_cluster_is_another() -> None:
    told = {"namespace": "shop", "deployment": "checkout"}
    here = {"subject": {"cluster": "eu"}}
    assert verify(fires(cluster="us", **told), **here).status == "success"
    assert verify(fires(cluster="eu", **told), **here).status == "pending"
    assert verify(fires(**told), **here).status == "pending", "what names no cluster may be this one"
    assert verify(fires(cluster="us", **told)).status == "pending"


def test_an_alert_whose_annotations_are_none_is_an_alert_all_the_same() -> None:
    odd = fires(namespace="shop", deployment="checkout") | {"annotations": "in trouble"}
    assert verify(odd).status == "pending"
    assert json.loads(of_dispatch({"payload": {"alerts": [odd]}}))[0]["annotations"] == {"description": "in trouble"}
