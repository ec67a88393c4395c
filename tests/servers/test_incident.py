"""One incident from a firing alert in a real Alertmanager to its verdict, by documented settings alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.git_repositories import git
from tests.github.stand_in import stand_in
from tests.github.test_action import GITOPS, Action
from tests.servers.kube_apiserver import RealCluster, real_cluster
from tests.servers.kubernetes_api import Api, cluster, deployment, event, pod, running
from tests.servers.test_alertmanager_and_prometheus import alert, alertmanager, post  # noqa: F401 - a fixture
from tests.unit.services.argocd.test_argocd import application

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.github.hub_state import HubState

ROOT = Path(__file__).resolve().parents[2]
NAME, SPACE = "notifier-5d7c86b9f-nx4lt", "notifier-eu-west"
SETTLE = "# settle at once: the test cannot wait\nverification: {settle: 1s}\n"


def moment(minutes: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    made = tmp_path / "demo"
    subprocess.run([sys.executable, ROOT / "examples/make_repository.py", made], check=True, capture_output=True)
    (made / ".github").mkdir(exist_ok=True)
    (made / ".github/remediator.yml").write_text(SETTLE)
    git(made, "add", ".github")
    git(made, "commit", "-qm", "Settle at once")
    return made


def command(demo: Path, environ: dict[str, str]) -> Callable[..., str]:
    def run(*argv: str, code: int = 0) -> str:
        line = [sys.executable, "-m", "remediator", *argv, "--repo", str(demo)]
        env = os.environ | environ | {"PYTHONPATH": str(ROOT), "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "a@x"}
        env |= {"GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "a@x"}
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.needs_tools("prometheus-alertmanager", "helm")
@pytest.mark.thorough
def test_from_a_firing_alert_to_the_verdict(alertmanager: str, demo: Path) -> None:  # noqa: F811
    with cluster() as api:
        scripted(alertmanager, demo, api, {"REMEDIATOR_KUBERNETES_URL": api.url})


@pytest.mark.counterpart
@pytest.mark.needs_tools("prometheus-alertmanager", "helm", "etcd")
def test_from_a_firing_alert_to_the_verdict_of_a_real_cluster(
    alertmanager: str,  # noqa: F811
    demo: Path,
    tmp_path: Path,
) -> None:
    """The account of deploy/kubernetes reads it over TLS, with its token and the cluster's own authority."""
    with real_cluster(tmp_path) as api:
        api.serve_applications()
        environ = {"URL": api.url, "TOKEN": api.account(), "CA": str(api.ca)}
        scripted(alertmanager, demo, api, {f"REMEDIATOR_KUBERNETES_{key}": text for key, text in environ.items()})


def scripted(alerts: str, demo: Path, api: Api | RealCluster, environ: dict[str, str]) -> None:
    labels = {"namespace": SPACE, "pod": NAME, "container": "notifier", "reason": "OOMKilled", "severity": "critical"}
    post(f"{alerts}/api/v2/alerts", [alert("ContainerOOMKilled", **labels), alert("Watchdog", severity="none")])
    sick(api)
    remediator = command(demo, {"REMEDIATOR_ALERTMANAGER_URL": alerts, **environ})
    seen = remediator("collect")
    assert "ContainerOOMKilled" in seen
    assert "Back-off restarting failed container notifier" in seen
    (found,) = [
        one for one in json.loads(remediator("run", "--log", "outside", "--json")) if "oom" in one["error_category"]
    ]
    assert found["workflow_status"] == "awaiting_review"
    name, applications = found["incident_id"], found["affected_apps"]

    remediator("approve", name)
    commit = git(demo, "rev-parse", "HEAD")
    assert "does not exist in Argo CD" in remediator("verify", name)
    rolled_out(api, applications, commit, "https://github.com/northwind/gitops.git")
    assert "`ContainerOOMKilled` fires since" in remediator("verify", name)
    lingers = json.loads(remediator("run", "--log", "outside", "--json"))
    assert {one["incident_id"] for one in lingers if "oom" in one["error_category"]} == {name}
    post(f"{alerts}/api/v2/alerts", [alert("ContainerOOMKilled", **labels, minutes=-9, ends=-1)])
    time.sleep(2)
    assert "no alert fires; to be confirmed" in remediator("verify", name)
    time.sleep(1.1)
    assert "in 2 of 3 looks" in remediator("verify", name)
    said = remediator("verify", name)
    assert f"{name}: resolved" in said, said
    assert f"`{applications[0]}` synced to `{commit[:7]}`, Healthy" in said
    assert "1 pod ready, 0 restarts, unchanged since" in said
    assert "no alert fires" in said
    status = json.loads(remediator("status", name, "--json"))
    assert (status["status"], status["verification"]) == ("resolved", "success")
    assert "last look     argocd:" in remediator("status", name)


def applications_of(world: HubState, branch: str) -> list[str]:
    """Of the incident with this branch, as the state lists it."""
    heads = json.loads(world.bare.run("show", "remediator-state:index.json"))["incidents"].values()
    return next(head["applications"] for head in heads if head.get("branch") == branch)


def on_github(policy: str) -> dict[str, str]:
    files = {str(p.relative_to(GITOPS)): p.read_text() for p in GITOPS.rglob("*") if p.is_file()}
    return {**files, ".github/remediator.yml": policy}


def sick(api: Api | RealCluster) -> None:
    """A container that was killed for its memory, and what the kubelet says of it."""
    died = {**running(5, finishedAt=moment(-3)), "name": "notifier"}
    api.put("v1/pods", NAME, pod(died, created=moment(-90), owner="notifier-5d7c86b9f", template="5d7c86b9f"), SPACE)
    told = event(NAME, "BackOff", "Back-off restarting failed container notifier", moment(-2))
    told |= {"firstTimestamp": moment(-2.05), "count": 9}  # its rhythm is known, so that the settle time alone counts
    api.put("v1/events", "e1", told | {"involvedObject": {"kind": "Pod", "name": NAME, "namespace": SPACE}}, SPACE)


def rolled_out(api: Api | RealCluster, applications: list[str], commit: str, repository: str) -> None:
    """Argo CD has applied the merge, and the new pod runs."""
    for one in applications:
        made = application(commit, metadata__name=one)
        made["spec"]["source"]["repoURL"] = repository
        api.put("argoproj.io/v1alpha1/applications", one, made, "argocd")
    api.put("apps/v1/deployments", "notifier", deployment(1, 1, 1), SPACE)
    api.drop("v1/pods", NAME, SPACE)
    well = {**running(), "name": "notifier"}
    fresh = pod(well, created=moment(1), owner="notifier-6f6c86b9f", template="6f6c86b9f")
    api.put("v1/pods", "notifier-6f6c86b9f-bbbbb", fresh, SPACE)


@pytest.mark.needs_tools("prometheus-alertmanager", "helm")
@pytest.mark.parametrize("patience", ["0s", "30s"])
@pytest.mark.thorough
def test_from_a_firing_alert_to_the_verdict_on_github(
    alertmanager: str,  # noqa: F811
    tmp_path: Path,
    patience: str,
) -> None:
    """Each step is a run of the action, told of one event; it is given addresses and the policy file, and no more."""
    labels = {"namespace": SPACE, "pod": NAME, "container": "notifier", "reason": "OOMKilled", "severity": "critical"}
    fires = [alert("ContainerOOMKilled", **labels), alert("Watchdog", severity="none")]
    policy = f"verification: {{settle: 1s, patience: {patience}}}\n"
    with stand_in(tmp_path, on_github(policy)) as server, cluster() as api:
        post(f"{alertmanager}/api/v2/alerts", fires)
        sick(api)
        action, world = Action(server, tmp_path), server.world
        named = {"alertmanager_url": alertmanager, "kubernetes_url": api.url}

        code, out, text = action("schedule", {"schedule": "*/15 * * * *"}, **named)
        assert (code, out["conclusion"], out["pull-request-operation"]) == (0, "proposed", "created"), text
        number = int(out["pull-request-number"])
        assert "ContainerOOMKilled" in world.pulls[number].body
        if patience == "0s":
            code, out, text = action("schedule", {"schedule": "*/15 * * * *"}, **named)
            assert (code, len(world.pulls)) == (0, 1), text
            assert "returned nothing new" in text

        commit = world.merge(number, "ada")
        pull = {"number": number, "merged": True, "head": {"ref": world.pulls[number].head}, "merge_commit_sha": commit}
        closed = {"action": "closed", "pull_request": pull}
        applications = applications_of(world, world.pulls[number].head)
        if patience == "0s":
            code, out, text = action("pull_request", closed, **named)
            assert (code, out["conclusion"], out["verification-status"]) == (0, "verifying", "pending"), text
            assert "does not exist in Argo CD" in world.pulls[number].comments[0].body
        rolled_out(api, applications, commit, "https://github.com/acme/gitops.git")
        post(f"{alertmanager}/api/v2/alerts", [alert("ContainerOOMKilled", **labels, minutes=-9, ends=-1)])
        if patience == "0s":
            for _ in range(2):
                action("schedule", {}, mode="verify", **named)
                time.sleep(1.1)
            code, out, text = action("schedule", {}, mode="verify", **named)
        else:  # one run looks until it is settled
            code, out, text = action("pull_request", closed, **named)
    assert (code, out["conclusion"]) == (0, "resolved"), text
    (comment,) = [one.body for one in world.pulls[number].comments]
    assert "Recovered" in comment
    for words in (f"synced to `{commit[:7]}`, Healthy", "1 pod ready, 0 restarts, unchanged since", "no alert fires"):
        assert words in comment
