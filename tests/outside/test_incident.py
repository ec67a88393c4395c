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

from tests.outside.cluster import cluster, deployment, event, pod, running
from tests.outside.test_argocd import application
from tests.outside.test_real_servers import alert, alertmanager, post  # noqa: F401 - a fixture
from tests.repos import git

if TYPE_CHECKING:
    from collections.abc import Callable

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
def test_from_a_firing_alert_to_the_verdict(alertmanager: str, demo: Path) -> None:  # noqa: F811
    labels = {"namespace": SPACE, "pod": NAME, "container": "notifier", "reason": "OOMKilled", "severity": "critical"}
    post(f"{alertmanager}/api/v2/alerts", [alert("ContainerOOMKilled", **labels)])
    with cluster() as api:
        died = {**running(5, finishedAt=moment(-3)), "name": "notifier"}
        old = pod(died, created=moment(-90), owner="notifier-5d7c86b9f", template="5d7c86b9f")
        api.put("v1/pods", NAME, old, SPACE)
        told = event(NAME, "BackOff", "Back-off restarting failed container notifier", moment(-2))
        api.put("v1/events", "e1", told | {"involvedObject": {"kind": "Pod", "name": NAME, "namespace": SPACE}}, SPACE)
        environ = {"REMEDIATOR_ALERTMANAGER_URL": alertmanager, "REMEDIATOR_KUBERNETES_URL": api.url}
        remediator = command(demo, environ)
        seen = remediator("collect")
        assert "ContainerOOMKilled" in seen
        assert "Back-off restarting failed container notifier" in seen
        (found,) = [
            one for one in json.loads(remediator("run", "--log", "outside", "--json")) if "oom" in one["error_category"]
        ]
        assert found["workflow_status"] == "awaiting_review"
        name, app = found["incident_id"], found["affected_apps"][0]

        remediator("approve", name)
        commit = git(demo, "rev-parse", "HEAD")
        assert "does not exist in Argo CD" in remediator("verify", name)
        for one in found["affected_apps"]:
            made = application(commit, metadata__name=one)
            made["spec"]["source"]["repoURL"] = "https://github.com/northwind/gitops.git"
            api.put("argoproj.io/v1alpha1/applications", one, made, "argocd")
        api.put("apps/v1/deployments", "notifier", deployment(1, 1, 1), SPACE)
        well = {**running(), "name": "notifier"}
        api.drop("v1/pods", NAME, SPACE)
        fresh = pod(well, created=moment(1), owner="notifier-6f6c86b9f", template="6f6c86b9f")
        api.put("v1/pods", "notifier-6f6c86b9f-bbbbb", fresh, SPACE)
        assert "`ContainerOOMKilled` fires since" in remediator("verify", name)
        post(f"{alertmanager}/api/v2/alerts", [alert("ContainerOOMKilled", **labels, minutes=-9, ends=-1)])
        time.sleep(2)
        said = remediator("verify", name)
    assert f"{name}: resolved" in said, said
    assert f"`{app}` synced to `{commit[:7]}`, Healthy" in said
    assert "1 pod ready, 0 restarts, unchanged since" in said
    assert "no alert fires" in said
    status = json.loads(remediator("status", name, "--json"))
    assert (status["status"], status["verification"]) == ("resolved", "success")
