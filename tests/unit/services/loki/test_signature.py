"""The incident's own signature, asked of the logs again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.lifecycle import PAUSE, UNDECIDED
from remediator.domain.sources import Access
from remediator.policy import load
from remediator.services.loki.query import shared_matchers
from remediator.services.loki.verify import SignatureVerifier
from remediator.transport.http import Http
from tests.servers.http_server import Answer, serve
from tests.servers.loki_api import LokiServer
from tests.servers.rollouts import MERGED, rollout

CATALOGUE = load().catalogue
MERGE = datetime.fromisoformat(MERGED)
POD = {"namespace": "shop", "pod": "checkout-7c9d8f6b5d-x2x7k", "container": "app"}
ASKED = {"signal": "env_not_set", "channel": "log", "facts": {"variable": "DATABASE_URL"}}


def spoken(*minutes: float) -> LokiServer:
    loki = LokiServer()
    for at in minutes:
        loki.add(MERGE.timestamp() + at * 60, "KeyError: 'DATABASE_URL'", **POD)
    for at in range(-60, 130):
        loki.add(MERGE.timestamp() + at * 60 + 1, "GET /healthz 200", **POD)
    return loki


def observe(server, minutes: float, selectors=(), settle=timedelta(minutes=5), **more):
    web = Http("Loki", Access(url=server.url), timeout=(2, 1), sleep=lambda _s: None)
    now = (MERGE + timedelta(minutes=minutes)).astimezone(UTC)
    verifier = SignatureVerifier("loki", web, CATALOGUE, lambda: now, settle, selectors=selectors)
    return verifier.observe(rollout(**{"arrived_at": MERGED, **ASKED, **more}), ())


BEFORE = tuple(range(-55, 0))


@pytest.mark.parametrize(
    ("after", "minutes", "status", "said"),
    [
        ((), 9, "success", "0 in 9 min (before: 0.9 per min)"),
        ((), 3, "pending", "quiet for 3 min"),
        ((1.5,), 4, "pending", "1 in 4 min (before: 0.9 per min); quiet for 2 min"),
        ((1.5,), 12, "success", "0 in 10 min"),
        (tuple(range(1, 15)), 15, "failed", "in 15 min (before: 0.9 per min)"),
    ],
)
def test_the_rate_since_is_held_against_the_rate_before(after, minutes, status, said) -> None:
    with serve(spoken(*BEFORE, *after)) as server:
        seen = observe(server, minutes)
    assert (seen.status, said in seen.summary) == (status, True), seen.summary
    assert len(server.asked) == (2 if status == "success" else 1)


@pytest.mark.parametrize(("minutes", "status"), [(15, "pending"), (29, "failed")])
def test_lines_count_as_before_only_once_the_change_had_time_to_arrive(minutes: float, status: str) -> None:
    with serve(spoken(*BEFORE, *range(1, 30))) as server:
        assert observe(server, minutes, arrived_at="").status == status


def test_a_fault_of_unknown_rhythm_must_be_quiet_for_longer() -> None:
    with serve(spoken(-30)) as server:
        seen = [observe(server, minutes, pause=timedelta(0)) for minutes in (20, 119, 121)]
    assert [one.status for one in seen] == ["pending", "pending", "success"]


@pytest.mark.parametrize(("minutes", "status"), [(12, "pending"), (29, "pending"), (31, "success")])
def test_quiet_must_outlast_the_faults_own_pauses(minutes: float, status: str) -> None:
    with serve(spoken(*range(-60, 0, 10))) as server:
        seen = observe(server, minutes)
    assert (seen.status, round(int(seen.facts[PAUSE]), -2)) == (status, 600)
    assert (UNDECIDED in seen.facts) == (status == "pending")


def test_a_rare_fault_is_looked_for_further_back() -> None:
    with serve(spoken(-170, -110, -50)) as server:
        seen = observe(server, 20, pause=timedelta(minutes=60))
    assert (seen.status, "of 180 min" in seen.summary) == ("pending", True), seen.summary


@pytest.mark.parametrize(
    ("last", "status"), [(29, "success"), (3, "pending"), (-1, "pending")], ids=["speaks", "stopped", "silent"]
)
def test_a_log_that_falls_silent_as_a_whole_proves_no_recovery(last: int, status: str) -> None:
    loki = LokiServer()
    for at in BEFORE:
        loki.add(MERGE.timestamp() + at * 60, "KeyError: 'DATABASE_URL'", **POD)
    for at in range(-60, last + 1):
        loki.add(MERGE.timestamp() + at * 60 + 1, "GET /healthz 200", **POD)
    with serve(loki) as server:
        seen = observe(server, 29)
    assert seen.status == status
    assert ("cannot tell" in seen.summary, UNDECIDED in seen.facts) == (status == "pending", status == "pending")


def test_a_short_settle_time_is_counted_in_seconds() -> None:
    with serve(spoken(-5, 0.3)) as server:
        seen = [observe(server, minutes, settle=timedelta(seconds=12)) for minutes in (0.4, 0.6)]
    assert [(one.status, one.summary) for one in seen] == [
        ("pending", "1 in 24 s (before: 0.0 per min); quiet for 4 s of 12 s"),
        ("success", "0 in 16 s (before: 0.0 per min)"),
    ]


def test_logs_that_never_showed_it_prove_nothing() -> None:
    with serve(spoken()) as server:
        seen = observe(server, 10)
    assert (seen.status, seen.facts) == ("success", {"neutral": "these logs never showed it"})


@pytest.mark.parametrize(
    ("after", "minutes", "status", "said"),
    [
        (tuple(range(1, 15)), 15, "pending", "in 15 min (before: none); quiet for"),
        ((0.5,), 1, "pending", "(before: none)"),
        ((2,), 12, "success", "0 in 10 min (before: none)"),
    ],
)
def test_a_signature_that_speaks_since_the_merge_only_must_fall_silent_first(after, minutes, status, said) -> None:
    with serve(spoken(*after)) as server:
        seen = observe(server, minutes)
    assert (seen.status, said in seen.summary, seen.facts) == (status, True, {}), seen.summary


def test_an_incident_that_no_log_told_of_is_not_asked_for() -> None:
    with serve(spoken()) as server:
        seen = observe(server, 10, channel="status", signal="oom_killed")
    assert (seen.facts, server.asked) == ({"neutral": "its signature was never one of a log"}, [])


def test_another_fault_of_the_same_signal_does_not_count() -> None:
    loki = spoken(*BEFORE)
    for at in range(1, 15):
        loki.add(MERGE.timestamp() + at * 60, "KeyError: 'OTHER_URL'", **POD)
    with serve(loki) as server:
        assert observe(server, 15, text="KeyError: 'DATABASE_URL'").status == "success"


@pytest.mark.parametrize("answer", [Answer("no org id\n", 401, "text/plain"), Answer({"data": {}}), Answer("x", cut=1)])
def test_a_loki_that_does_not_answer_is_pending(answer) -> None:
    with serve(answer) as server:
        assert observe(server, 10).status == "pending"


@pytest.mark.parametrize(
    ("selectors", "shared"),
    [
        ((), []),
        (('{cluster="eu", namespace="shop"}',), ['cluster="eu"']),
        (('{cluster = "eu", pod=~"a-.+"} |= "x{y=\\"z\\"}"',), ['cluster="eu"']),
        (
            ('{cluster="eu",stage!=`dev`}', '{namespace="a", stage!=`dev`, cluster="eu", app="a"}'),
            ['cluster="eu"', "stage!=`dev`"],
        ),
        (('{cluster="eu"}', '{cluster="us"}'), []),
        (('{cluster="eu", app="cart", service_name="cart", job=~"shop/.+"}',), ['cluster="eu"']),
        (('{ns="shop", a="}, b=\\"c"}',), ['a="}, b=\\"c"']),
    ],
)
def test_what_all_polled_streams_share_is_asked_for_besides_the_workload(selectors, shared) -> None:
    assert shared_matchers(selectors, {"namespace": "ns"} if "ns=" in "".join(selectors) else {}) == shared


def test_the_logs_of_the_same_workload_in_another_cluster_do_not_count() -> None:
    loki = LokiServer()
    for at in (*BEFORE, *range(1, 15)):
        loki.add(MERGE.timestamp() + at * 60, "KeyError: 'DATABASE_URL'", **POD, cluster="us")
    for at in BEFORE:
        loki.add(MERGE.timestamp() + at * 60, "KeyError: 'DATABASE_URL'", **POD, cluster="eu")
    for at in range(-60, 30):
        loki.add(MERGE.timestamp() + at * 60 + 1, "GET /healthz 200", **POD, cluster="eu")
    with serve(loki) as server:
        assert observe(server, 15).status == "pending"
        assert observe(server, 15, selectors=('{cluster="eu", namespace="shop"}',)).status == "success"


def test_the_logs_that_told_are_asked_though_another_object_is_the_culprit() -> None:
    loki, told = LokiServer(), {"namespace": "shop", "kind": "Deployment", "name": "checkout", "container": "app"}
    for at in (*BEFORE, *range(1, 15)):
        loki.add(MERGE.timestamp() + at * 60, "KeyError: 'DATABASE_URL'", **POD)
    made = rollout(**ASKED, subject={"kind": "Service", "name": "db", "container": ""})
    spoken = made.diagnosis.evidence[0]
    spoken = spoken.model_copy(update={"subject": spoken.subject.model_copy(update=told)})
    diagnosis = made.diagnosis.model_copy(update={"evidence": (spoken,)})
    with serve(loki) as server:
        web = Http("Loki", Access(url=server.url))
        now = (MERGE + timedelta(minutes=15)).astimezone(UTC)
        verifier = SignatureVerifier("loki", web, CATALOGUE, lambda: now, timedelta(minutes=5))
        seen = verifier.observe(made.model_copy(update={"diagnosis": diagnosis, "arrived_at": MERGED}), ())
    assert seen.status == "failed"


def test_lines_that_the_signal_leaves_out_do_not_count() -> None:
    loki = LokiServer()
    for at in BEFORE:
        loki.add(MERGE.timestamp() + at * 60, "dial tcp: connection refused", **POD)
    for at in range(1, 15):
        loki.add(MERGE.timestamp() + at * 60, "connection refused, reconnected at the second try", **POD)
    with serve(loki) as server:
        seen = observe(server, 15, signal="connection_refused", text="dial tcp: connection refused", facts={})
    assert seen.status == "success"
