"""What a server says is asked for once a look, refusals too; the next look asks anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from remediator.domain.sources import Access
from remediator.errors import RemediatorError
from remediator.services.alertmanager.verify import AlertVerifier
from remediator.services.argocd.client import ArgoApi
from remediator.services.kubernetes.client import Cluster
from remediator.transport.http import Http
from tests.servers.http_server import Answer, serve
from tests.servers.rollouts import rollout

if TYPE_CHECKING:
    from collections.abc import Callable


def asks(kind: str, url: str) -> tuple[Callable[[], object], Callable[[], None]]:
    """One question of an adapter, and how it is told that a new look begins."""
    if kind == "kubernetes":
        cluster = Cluster(kind, Access(url=url))
        return lambda: cluster.pods("shop"), cluster.forget
    web = Http(kind, Access(url=url))
    if kind == "argocd":
        argo = ArgoApi(web)
        return lambda: argo.application("checkout"), argo.forget
    alerts = AlertVerifier(kind, web, lambda: datetime(2026, 1, 1, tzinfo=UTC), timedelta(0))
    return lambda: alerts.observe(rollout(), ()), alerts.forget


@pytest.mark.parametrize("kind", ["kubernetes", "argocd", "alertmanager"])
def test_a_refusal_is_asked_for_once_a_look(kind: str) -> None:
    with serve(Answer({"message": "no"}, 403)) as server:
        ask, forget = asks(kind, server.url)
        for look in (1, 2):
            for _ in range(5):
                try:
                    ask()
                except RemediatorError as error:
                    assert "403" in str(error)  # noqa: PT017 - the verifier tells it instead of raising
            assert len(server.asked) == look
            forget()
