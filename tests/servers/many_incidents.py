"""Many open incidents in a real repository, and servers that answer for all of them after a while."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from remediator.domain.incident import Subject
from remediator.domain.lifecycle import Review
from remediator.domain.times import stamp
from remediator.graph.admission import Caps
from remediator.services.local.git import Git
from remediator.services.local.ref_store import GitRefStore
from remediator.settings import Settings
from remediator.wiring import Services
from tests.fake_ports import FakeForge
from tests.git_repositories import git, repository
from tests.github.hub_state import BOT, Pull
from tests.github.server import Server
from tests.github.stand_in import stand_in
from tests.graph.incident_run import IncidentRun, case
from tests.servers.http_server import Answer, Asked
from tests.servers.kubernetes_api import deployment, pod
from tests.unit.services.argocd.test_argocd import application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remediator.domain.change import Change, PullRequest
    from remediator.domain.lifecycle import Case

FILES = {"apps/checkout/values.yaml": "memory: 1Gi\n"}
MERGED = {"apps/checkout/values.yaml": "memory: 2Gi\n"}


@dataclass
class Servers:
    """Argo CD, Kubernetes, Loki and Alertmanager behind one address; `healthy` by incident number."""

    commit: str
    latency: float
    sick: frozenset[int] = frozenset()

    def __call__(self, request: Asked) -> Answer:
        time.sleep(self.latency)
        parts = request.path.strip("/").split("/")
        number = next((int(part.rpartition("-")[2]) for part in parts if part.startswith(("shop-", "app-"))), 0)
        if "applications" in parts:
            app = application(self.commit, metadata__name=f"app-{number}")
            return Answer(app)
        if parts[-1] == "pods":
            sample_pod = pod(ready=number not in self.sick)
            sample_pod["metadata"] |= {"name": "checkout-6d5f4c8b7-abcde", "uid": f"u{number}"}
            return Answer({"metadata": {}, "items": [sample_pod]})
        if parts[-1] == "events":
            return Answer({"metadata": {}, "items": []})
        if parts[-1] == "alerts":
            return Answer([])
        if "deployments" in parts:
            return Answer(deployment(1, 1, 1))
        return Answer({"status": "success", "data": {"resultType": "matrix", "result": []}})


class Numbered(FakeForge):
    """A forge whose pull requests bear numbers, as GitHub's do."""

    def publish(self, change: Change) -> PullRequest:
        pull_request = super().publish(change)
        return pull_request.model_copy(update={"number": len(self.branches)})


def repository_with(folder: Path, count: int, admitted: int = 0) -> tuple[Path, str]:
    """A repository whose state branch holds so many merged incidents that wait for a verdict."""
    root = repository(folder / "repo", MERGED)
    commit = git(root, "rev-parse", "HEAD")
    world = merged(count, commit, admitted=admitted)
    GitRefStore(Git(root)).write("", world.store.commits[-1], "open incidents")
    return root, commit


def merged(count: int, commit: str, *, admitted: int = 0, logged: bool = False) -> IncidentRun:
    """So many incidents, each in a namespace and an Application of its own, all merged half an hour ago."""
    at = stamp(datetime.now(UTC) - timedelta(minutes=30))
    cases = [_case(number, logged=logged) for number in range(count)]
    world = IncidentRun(cases=tuple(cases), time=datetime.now(UTC) - timedelta(minutes=31))
    world.forge = Numbered(dict(FILES))
    driver = world.driver()
    driver.admission.caps = Caps(open=count, per_run=admitted or count, per_day=count)
    for number, new_case in enumerate(cases):
        world.planner.plan = world.planner.plan.model_copy(update={"applications": (f"app-{number}",)})
        result = driver.start(new_case)
        if not result.state["incident"].held:
            review = Review(kind="merged", by="ann", commit=commit, at=at)
            driver.resume(result.state["incident_id"], review)
    return world


def _case(number: int, *, logged: bool) -> Case:
    base_case = case(fingerprint=f"{number:06x}" + "0" * 58)
    subject = Subject(namespace=f"shop-{number}", kind="Deployment", name="checkout", container="app")
    fields = {"signal": "env_not_set", "channel": "log", "text": "KeyError: 'DATABASE_URL'"} if logged else {}
    # Seen twice within a second, so that its rhythm is known and the settle time alone counts.
    often = {"count": 9, "first_seen": "2026-11-22T12:00:00Z", "last_seen": "2026-11-22T12:00:01Z"}
    evidence = tuple(item.model_copy(update={**fields, **often}) for item in base_case.diagnosis.evidence)
    diagnosis = base_case.diagnosis.model_copy(update={"subject": subject, "evidence": evidence})
    return base_case.model_copy(update={"diagnosis": diagnosis})


def services(root: Path, url: str) -> Services:
    environ = {**os.environ, "REMEDIATOR_ARGOCD_URL": url, "REMEDIATOR_KUBERNETES_URL": url}
    return Services(Settings.from_environ({**environ, "REMEDIATOR_LOKI_URL": url}), root)


@dataclass
class Hub:
    """GitHub's stand-in as forge and store, with a runner's checkout of it."""

    server: Server
    root: Path
    commit: str

    def environ(self, url: str) -> dict[str, str]:
        """Return the environment of a scheduled run of the action; all other servers are at one address."""
        services = {f"REMEDIATOR_{kind}_URL": url for kind in ("ARGOCD", "KUBERNETES", "LOKI", "ALERTMANAGER")}
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.root.parent), "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "schedule", "REMEDIATOR_MODE": "verify", "GITHUB_WORKSPACE": str(self.root),
            "REMEDIATOR_TOKEN": "bot-token", "GITHUB_REPOSITORY": "acme/gitops", "GITHUB_API_URL": self.server.url,
            "RUNNER_TEMP": str(self.root.parent), **services,
        }  # fmt: skip

    @property
    def commits(self) -> int:
        """Return the number of commits of the branch that holds the incidents' state."""
        return int(self.server.world.bare.run("rev-list", "--count", "remediator-state"))


@contextmanager
def hub(folder: Path, count: int, *, latency: float = 0.0, logged: bool = False, policy: str = "") -> Iterator[Hub]:
    """GitHub with so many merged pull requests whose incidents wait for a verdict."""
    files = {**MERGED, **({".github/remediator.yml": policy} if policy else {})}
    with stand_in(folder, files) as server:
        bare = server.world.bare
        commit = server.world.branch("main")
        world = merged(count, commit, logged=logged)
        for number, (branch, change) in enumerate(world.forge.branches.items(), 1):
            server.world.pulls[number] = Pull(
                number, change.title, change.body, branch, "main", BOT, commit, commit,
                state="closed", merged=True, merged_by="ada", merge_commit=commit,
            )  # fmt: skip
        server.world.create("remediator-state", bare.write_commit(bare.write_tree("", {}), [], "Start", "ada"))
        server.world.commit_files("remediator-state", dict(world.store.commits[-1]), "Open incidents", BOT)
        git(folder, "clone", "-q", str(bare.path), str(folder / "checkout"))
        server.latency = latency
        yield Hub(server, folder / "checkout", commit)
