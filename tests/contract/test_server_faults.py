"""Each fault of each server, through the adapter that meets it: said clearly, harmless to the others, no secret told."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from remediator.domain.sources import Access, Reading
from remediator.errors import ServiceError
from remediator.intake.collector import SourceCollector
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
from tests.contract.test_sources_and_verifiers import CHECKOUT, healthy
from tests.servers.http_server import Answer, Asked, Running, certificate, serve
from tests.servers.rollouts import rollout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remediator.domain.ports import Verifier
    from remediator.domain.sources import EvidenceSource, Question

NOW = datetime(2026, 11, 22, 12, 50, tzinfo=UTC)
NAMES = {
    "loki": "Loki prod",
    "alertmanager": "Alertmanager prod",
    "kubernetes": "Kubernetes prod",
    "prometheus": "Prometheus prod",
    "argocd": "Argo CD prod",
}
SECRET = "s3cret-token"


@dataclass(frozen=True)
class Fault:
    """How a server misbehaves, and the words that tell a person what to do about it."""

    says: str
    answer: Answer | None = None
    kubernetes: str = ""
    """Other words of this client for the same."""


FAULTS = {
    "slow": Fault("did not finish its answer", Answer({"data": "x" * 400}, drip=0.02)),
    "hanging": Fault("did not answer within", Answer({}, wait=20), "cannot be reached: timed out"),
    "429": Fault("answers 429: slow down", Answer({"message": "slow down"}, 429, headers={"Retry-After": "1"})),
    "500": Fault("answers 500: boom", Answer({"message": "boom"}, 500)),
    "502": Fault("answers 502: a web page", Answer("<html>", 502, "text/html"), "answers 502"),
    "503": Fault("answers 503: not ready", Answer("not ready", 503, "text/plain")),
    "expired": Fault("wrong or expired): token is expired", Answer({"message": "token is expired"}, 401)),
    "forbidden": Fault("the credentials may not do this", Answer({"message": "no"}, 403), "see deploy/kubernetes"),
    "truncated": Fault("broke off its answer", Answer({"data": "x" * 400}, cut=200), "cannot be reached"),
    "wrong types": Fault("answers with", Answer({"items": 3, "data": [], "metadata": None}), "answers /"),
    "a number": Fault("answers with", Answer(3), "answers /"),
    "text": Fault("what is no JSON: 'hello'", Answer("hello", 200, "text/plain")),
    "nothing": Fault("with nothing", Answer(b"", 200), "what is no JSON"),
    "redirect": Fault("redirects to", None, "redirects"),
    "tls": Fault("is not trusted at", None, "cannot be reached"),
    "refused": Fault("cannot be reached", None),
}
SOURCES = ["loki", "alertmanager", "kubernetes", "prometheus"]
VERIFIERS = ["argocd", "kubernetes", "loki", "alertmanager"]


@pytest.fixture
def stack(monkeypatch) -> Iterator[ExitStack]:
    monkeypatch.setattr("remediator.services.kubernetes.client._TIMEOUT", (0.5, 0.5))
    monkeypatch.setattr("remediator.services.kubernetes.client._BUDGET", 1.0)
    monkeypatch.setattr("remediator.services.argocd.client.REFRESH_PATIENCE", 0.5)
    with ExitStack() as stack:
        yield stack


def faulty(fault: str, stack: ExitStack, folder: Path) -> tuple[str, list[Asked]]:
    """The address of a server with this fault, and what a stranger was asked, whom nobody should ask."""
    strangers: list[Asked] = []
    answer = FAULTS[fault].answer
    if fault == "redirect":
        stranger: Running = stack.enter_context(serve(healthy))
        answer = Answer(
            "", 302, headers={"Location": stranger.url.replace("127.0.0.1", "localhost") + "/api/v2/alerts"}
        )
        strangers = stranger.asked
    if fault == "refused":
        with serve(Answer({})) as gone:
            return gone.url, strangers
    secure = certificate(folder) if fault == "tls" else None
    return stack.enter_context(serve(answer or Answer({}), certificate=secure)).url, strangers


def web(kind: str, url: str) -> Http:
    access = Access(url=url, token=SecretStr(SECRET))
    return Http(NAMES[kind], access, timeout=(0.5, 0.5), budget=1.0, sleep=lambda _s: None)


def cluster(url: str) -> Cluster:
    return Cluster(NAMES["kubernetes"], Access(url=url, token=SecretStr(SECRET)), lambda _s: None)


def source(kind: str, url: str) -> EvidenceSource:
    match kind:
        case "loki":
            return LokiSource(kind, web(kind, url), load().catalogue)
        case "alertmanager":
            return AlertSource(kind, web(kind, url))
        case "kubernetes":
            return ClusterSource(kind, cluster(url))
    return UsageSource(kind, web(kind, url))


def verifier(kind: str, url: str) -> Verifier:
    settle = timedelta(minutes=5)
    match kind:
        case "argocd":
            fetch = ArgoApi(web(kind, url), project="shop").application
            return ArgoVerifier(kind, fetch, lambda: NOW, lambda _revision, _commit: None, lambda _url: True, settle)
        case "kubernetes":
            return PodVerifier(kind, cluster(url), lambda: NOW, settle)
        case "loki":
            return SignatureVerifier(kind, web(kind, url), load().catalogue, lambda: NOW, settle)
    return AlertVerifier(kind, web(kind, url), lambda: NOW, settle)


def said(fault: str, kind: str) -> str:
    known = FAULTS[fault]
    return known.kubernetes if kind == "kubernetes" and known.kubernetes else known.says


class Well:
    """A source that answers whatever the others do."""

    name = "well"

    def read(self, question: Question) -> Reading:
        return Reading(texts=((self.name, "checkout: KeyError: 'DATABASE_URL'\n"),), items=1)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_with_a_fault_is_named_with_it_and_the_others_count(stack, tmp_path, kind: str, fault: str) -> None:
    url, strangers = faulty(fault, stack, tmp_path)
    gather = SourceCollector([source(kind, url), Well()], [], lambda: NOW, workloads=(CHECKOUT,))
    inputs = gather.inputs()
    assert [one.name for one in inputs] == ["well"]
    bad, good = gather.answers
    assert said(fault, kind) in bad.error
    assert NAMES[kind] in bad.error
    assert SECRET not in bad.error
    assert good.error == ""
    assert strangers == []
    assert set(gather.new_marks()) == {"well"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", SOURCES)
def test_where_no_source_is_left_that_is_an_error_with_its_words(stack, tmp_path, kind: str, fault: str) -> None:
    url, _ = faulty(fault, stack, tmp_path)
    with pytest.raises(ServiceError, match="no source could be read") as caught:
        SourceCollector([source(kind, url)], [], lambda: NOW, workloads=(CHECKOUT,)).inputs()
    assert said(fault, kind) in str(caught.value)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", VERIFIERS)
def test_a_check_with_a_fault_waits_and_says_for_what(stack, tmp_path, kind: str, fault: str) -> None:
    url, strangers = faulty(fault, stack, tmp_path)
    seen = verifier(kind, url).observe(rollout(signal="env_not_set", channel="log"), ())
    assert seen.status == "pending"
    assert said(fault, kind) in seen.summary
    assert NAMES[kind] in seen.summary
    assert SECRET not in seen.model_dump_json()
    assert strangers == []
