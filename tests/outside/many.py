"""Many open incidents in a real repository, and servers that answer for all of them after a while."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from remediator.domain.incident import Subject
from remediator.domain.life import Review
from remediator.graph.admission import Caps
from remediator.graph.limits import stamp
from remediator.services.local.git import Git
from remediator.services.local.ref_store import GitRefStore
from remediator.settings import Settings
from remediator.wiring import Services
from tests.graph.worlds import World, case
from tests.outside.cluster import deployment, pod
from tests.outside.servers import Answer, Asked
from tests.outside.test_argocd import application
from tests.repos import git, repository

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"apps/checkout/values.yaml": "memory: 1Gi\n"}


@dataclass
class Servers:
    """Argo CD, Kubernetes and Loki behind one address; `healthy` by incident number."""

    commit: str
    latency: float
    sick: frozenset[int] = frozenset()

    def __call__(self, asked: Asked) -> Answer:
        time.sleep(self.latency)
        parts = asked.path.strip("/").split("/")
        number = next((int(part.rpartition("-")[2]) for part in parts if part.startswith(("shop-", "app-"))), 0)
        if "applications" in parts:
            app = application(self.commit, metadata__name=f"app-{number}")
            return Answer(app)
        if parts[-1] == "pods":
            made = pod(ready=number not in self.sick)
            made["metadata"] |= {"name": "checkout-6d5f4c8b7-abcde", "uid": f"u{number}"}
            return Answer({"metadata": {}, "items": [made]})
        if parts[-1] == "events":
            return Answer({"metadata": {}, "items": []})
        if "deployments" in parts:
            return Answer(deployment(1, 1, 1))
        return Answer({"status": "success", "data": {"resultType": "matrix", "result": []}})


def repository_with(folder: Path, count: int, admitted: int = 0) -> tuple[Path, str]:
    """A repository whose state branch holds so many merged incidents that wait for a verdict."""
    root = repository(folder / "repo", FILES)
    commit = git(root, "rev-parse", "HEAD")
    merged = stamp(datetime.now(UTC) - timedelta(minutes=30))
    cases = []
    for number in range(count):
        made = case(fingerprint=f"{number:06x}" + "0" * 58)
        subject = Subject(namespace=f"shop-{number}", kind="Deployment", name="checkout", container="app")
        diagnosis = made.diagnosis.model_copy(update={"subject": subject})
        cases.append(made.model_copy(update={"diagnosis": diagnosis}))
    world = World(cases=tuple(cases), time=datetime.now(UTC) - timedelta(minutes=31))
    driver = world.driver()
    driver.admission.caps = Caps(open=count, per_run=admitted or count, per_day=count)
    for number, one in enumerate(cases):
        world.workshop.plan = world.workshop.plan.model_copy(update={"applications": (f"app-{number}",)})
        result = driver.start(one)
        name = result.state["incident_id"]
        if not result.state["incident"].held:
            driver.resume(name, Review(kind="merged", by="ann", commit=commit, at=merged))
    GitRefStore(Git(root)).write("", world.store.commits[-1], "open incidents")
    return root, commit


def services(root: Path, url: str) -> Services:
    environ = {**os.environ, "REMEDIATOR_ARGOCD_URL": url, "REMEDIATOR_KUBERNETES_URL": url}
    return Services(Settings.from_environ({**environ, "REMEDIATOR_LOKI_URL": url}), root)
