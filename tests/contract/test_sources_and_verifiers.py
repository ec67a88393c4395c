"""What every source and every verifier promises, the fakes included."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from remediator.domain.sources import Access, Question, Reading, Workload, item_id
from remediator.errors import RemediatorError, ServiceError
from remediator.evidence import Scanner, text_input
from remediator.intake.collector import inputs_of
from remediator.policy import load
from remediator.services.alertmanager.source import AlertSource
from remediator.services.alertmanager.verify import AlertVerifier
from remediator.services.argocd.client import ArgoApi
from remediator.services.argocd.verify import ArgoVerifier
from remediator.services.kubernetes.client import Cluster
from remediator.services.kubernetes.source import ClusterSource
from remediator.services.kubernetes.verify import PodVerifier
from remediator.services.loki.source import LokiSource
from remediator.services.loki.verify import SignatureVerifier
from remediator.services.prometheus.source import UsageSource
from remediator.transport.http import Http
from tests.fake_ports import FakeVerifier
from tests.servers.http_server import Answer, Asked, serve
from tests.servers.kubernetes_api import event, pod, waiting
from tests.servers.rollouts import rollout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.domain.ports import Verifier
    from remediator.domain.sources import EvidenceSource

NOW = datetime(2026, 11, 22, 12, 50, tzinfo=UTC)
CHECKOUT = Workload(namespace="shop", kind="Deployment", name="checkout")
NAME = "checkout-6d5f4c8b7-abcde"
LABELS = {"namespace": "shop", "pod": NAME, "container": "app"}
ALERT = {
    "labels": {"alertname": "KubePodCrashLooping", "severity": "critical", **LABELS},
    "annotations": {"description": "Pod is crash looping"},
    "startsAt": "2026-11-22T12:45:00Z",
    "endsAt": "2026-11-22T13:45:00Z",
    "fingerprint": "f1",
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
}
SOURCES = ["fake", "loki", "alertmanager", "kubernetes", "prometheus"]
VERIFIERS = ["fake", "argocd", "pods", "loki", "alertmanager"]
FAULTS = {
    "500": Answer({"message": "boom"}, 500),
    "401": Answer("no", 401, "text/plain"),
    "text": Answer("hello", 200, "text/plain"),
    "wrong types": Answer({"items": 3, "data": [], "metadata": None}),
    "a number": Answer(3),
    "truncated": Answer({"data": "x" * 200}, cut=100),
    "a page": Answer("<html>", 200, "text/html"),
    "elsewhere": Answer("", 302, headers={"Location": "http://localhost:1/"}),
}


def healthy(asked: Asked) -> Answer:
    """Every server at one address, each with one thing to tell of the workload."""
    at = str(int(NOW.timestamp()) - 60)
    if asked.path.startswith("/loki"):
        stream = {"stream": LABELS, "values": [[at + "0" * 9, "KeyError: 'DATABASE_URL'"]]}
        return Answer({"data": {"resultType": "streams", "result": [stream]}})
    if asked.path.startswith("/api/v2"):
        return Answer([ALERT])
    if asked.path.startswith("/api/v1/query_range"):
        return Answer({"data": {"resultType": "matrix", "result": [{"metric": LABELS, "values": [[int(at), "5"]]}]}})
    if asked.path.endswith("/pods"):
        made = pod(waiting("ImagePullBackOff", "Back-off pulling image"), ready=False)
        made["metadata"] |= {"name": NAME, "namespace": "shop", "uid": "u"}
        return Answer({"metadata": {}, "items": [made]})
    if asked.path.endswith("/events"):
        told = event(NAME, "Failed", "Failed to pull image", "2026-11-22T12:49:00Z")
        return Answer({"metadata": {}, "items": [told | {"metadata": {"name": "e", "uid": "e"}}]})
    return Answer({"message": "not found"}, 404)


@dataclass
class FakeSource:
    """A `EvidenceSource` of one line; it fails like the server it is told to be."""

    script: object
    name: str = "fake"

    def read(self, question: Question) -> Reading:
        if self.script is not healthy:
            raise ServiceError("told to fail")
        one = item_id("line")
        if one in question.handled:
            return Reading(ids=(one,))
        return Reading(texts=((self.name, "checkout: KeyError: 'DATABASE_URL'\n"),), items=1, ids=(one,))


def web(url: str) -> Http:
    return Http("server", Access(url=url), timeout=(2, 1), sleep=lambda _s: None)


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def source(kind: str, stack: ExitStack, script) -> EvidenceSource:
    url = stack.enter_context(serve(script)).url
    match kind:
        case "loki":
            return LokiSource(kind, web(url), load().catalogue)
        case "alertmanager":
            return AlertSource(kind, web(url))
        case "kubernetes":
            return ClusterSource(kind, Cluster(kind, Access(url=url)))
        case "prometheus":
            return UsageSource(kind, web(url))
    return FakeSource(script)


def verifier(kind: str, stack: ExitStack, script) -> Verifier:
    url = stack.enter_context(serve(script)).url
    settle = timedelta(minutes=5)
    match kind:
        case "argocd":
            api = ArgoApi(web(url))
            known = {"contains": lambda _revision, _commit: None, "ours": lambda _url: True}
            return ArgoVerifier(kind, api.application, lambda: NOW, **known, settle=settle, anew=api.forget)
        case "pods":
            return PodVerifier(kind, Cluster(kind, Access(url=url)), lambda: NOW, settle)
        case "loki":
            return SignatureVerifier(kind, web(url), load().catalogue, lambda: NOW, settle)
        case "alertmanager":
            return AlertVerifier(kind, web(url), lambda: NOW, settle)
    return FakeVerifier(["pending"], name=kind)


def question(**more: object) -> Question:
    values = {"since": NOW - timedelta(hours=1), "until": NOW, "workloads": (CHECKOUT,)}
    return Question.model_validate(values | more)


@pytest.mark.parametrize("kind", SOURCES)
def test_what_a_source_gives_is_understood_and_bears_its_name(servers, kind: str) -> None:
    reading = source(kind, servers, healthy).read(question())
    assert reading.items >= 1
    assert all(name.startswith(kind) for name, _ in (*reading.documents, *reading.texts))
    scan = Scanner().scan(inputs_of(reading))
    assert any(one.subject.name == "checkout" or "checkout" in one.text for one in scan.statements)


@pytest.mark.parametrize("kind", [kind for kind in SOURCES if kind != "prometheus"])
def test_what_was_handled_is_not_news_and_keeps_its_id(servers, kind: str) -> None:
    made = source(kind, servers, healthy)
    first = made.read(question())
    again = made.read(question(handled=frozenset(first.ids)))
    assert again.items < first.items
    assert set(first.ids) == set(again.ids)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_that_cannot_be_read_raises_our_error(servers, kind: str, fault: str) -> None:
    with pytest.raises(RemediatorError) as caught:
        source(kind, servers, FAULTS[fault]).read(question())
    assert str(caught.value)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", VERIFIERS)
def test_a_verifier_never_raises_for_the_world_and_never_calls_a_fault_a_recovery(servers, kind, fault) -> None:
    about = rollout(signal="env_not_set", channel="log")
    seen = verifier(kind, servers, FAULTS[fault]).observe(about, ())
    assert (seen.verifier, seen.status) == (kind, "pending")
    assert seen.summary
    assert datetime.fromisoformat(seen.at).tzinfo


@pytest.mark.parametrize("kind", VERIFIERS)
def test_a_verifier_that_nobody_answers_is_pending(servers, kind) -> None:
    made = verifier(kind, servers, healthy)
    servers.close()
    assert made.observe(rollout(signal="env_not_set", channel="log"), ()).status == "pending"


@pytest.mark.parametrize("kind", [kind for kind in VERIFIERS if kind not in {"fake", "loki"}])
def test_within_a_look_a_server_is_asked_once_and_anew_in_the_next(servers, kind: str) -> None:
    asked: list[str] = []

    def script(question: Asked) -> Answer:
        asked.append(question.path)
        return healthy(question)

    made, about = verifier(kind, servers, script), rollout(signal="env_not_set", channel="log")
    made.observe(about, ())
    first = list(asked)
    made.observe(about, ())
    repeated = asked[len(first) :]
    assert not {path for path in repeated if "/deployments/" not in path} & set(first)
    made.forget()
    made.observe(about, ())
    assert asked[len(first) + len(repeated) :] == first


@pytest.mark.parametrize("kind", SOURCES)
def test_a_document_is_read_as_its_text_would_be(servers, kind: str) -> None:
    reading = source(kind, servers, healthy).read(question())
    texts = [text_input(name, json.dumps(body, indent=1) + "\n") for name, body in reading.documents]
    by_document, by_text = (
        [statement.model_copy(update={"line": 0}) for statement in Scanner().scan(inputs).statements]
        for inputs in (inputs_of(reading), [*texts, *(text_input(*text) for text in reading.texts)])
    )
    assert by_document == by_text
    assert by_document
