"""The installed command on a repository and a log of its own, nothing faked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.git_repositories import ENVIRON, git, repository

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYMENT = "apps/checkout/deployment.yaml"
FILES = {
    "argocd/checkout.yaml": """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: checkout
  namespace: argocd
spec:
  project: default
  source:
    repoURL: https://git.example.com/shop/gitops.git
    targetRevision: HEAD
    path: apps/checkout
  destination:
    server: https://kubernetes.default.svc
    namespace: shop
""",
    DEPLOYMENT: """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
spec:
  replicas: 1
  selector:
    matchLabels: {app: checkout}
  template:
    metadata:
      labels: {app: checkout}
    spec:
      containers:
        - name: app
          image: registry.example.com/shop/checkout:1.4.2
          resources:
            limits:
              memory: 256Mi   # keep in step with -Xmx
""",
}
LOG = """\
Name:         checkout-6d5f7c9b8-x2x4z
Namespace:    shop
Labels:       app=checkout
              pod-template-hash=6d5f7c9b8
Status:       Running
Controlled By:  ReplicaSet/checkout-6d5f7c9b8
Containers:
  app:
    Image:          registry.example.com/shop/checkout:1.4.2
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  14
    Limits:
      memory:  256Mi
Events:
  Type     Reason   Age                  From     Message
  ----     ------   ----                 ----     -------
  Warning  BackOff  2m (x60 over 50m)    kubelet  Back-off restarting failed container app in pod checkout-6d5f7c9b8-x2x4z_shop
"""


class Shop:
    """The repository, the log, and the command as a process."""

    def __init__(self, folder: Path) -> None:
        self.root = repository(folder / "repo", FILES)
        self.log = folder / "incident.txt"
        self.log.write_text(LOG)
        self.environ = {**ENVIRON, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}

    def argv(self, *argv: str) -> list[str]:
        return [sys.executable, "-m", "remediator", *argv, "--repo", str(self.root)]

    def __call__(self, *argv: str, code: int = 0) -> str:
        done = subprocess.run(self.argv(*argv), env=self.environ, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout

    def run(self, *more: str) -> Any:
        return json.loads(self("run", "--log", str(self.log), "--json", *more))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_from_a_log_to_a_merged_fix(shop: Shop) -> None:
    (incident,) = shop.run()
    assert (incident["error_category"], incident["error_severity"]) == ("oom", "critical")
    assert incident["affected_apps"] == ["checkout"]
    assert incident["workflow_status"] == "awaiting_review"
    name = incident["incident_id"]
    assert git(shop.root, "diff", "--numstat", "main", f"remediator/{name}-1") == f"1\t1\t{DEPLOYMENT}"
    assert "512Mi   # keep in step with -Xmx" in git(shop.root, "show", f"remediator/{name}-1:{DEPLOYMENT}")
    assert shop.run()[0]["seen"] == 2
    assert "pending: no verifier configured" in shop("approve", name)
    assert "512Mi" in (shop.root / DEPLOYMENT).read_text()
    assert "verifying" in shop("status", name)


def test_a_dry_run_imports_no_client_of_the_outside_world_and_reads_stdin(shop: Shop) -> None:
    probe = (
        "import sys; from remediator.cli import main; main(sys.argv[1:]);print(' '.join(sys.modules), file=sys.stderr)"
    )
    argv = [sys.executable, "-c", probe, "run", "--log", "-", "--repo", str(shop.root), "--dry-run", "--json"]
    done = subprocess.run(argv, env=shop.environ, input=LOG, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)[0]["git_changes"]
    loaded = {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}
    assert "langgraph" in loaded
    assert not loaded & {"kubernetes", "github", "langchain_openai", "openai"}
    assert git(shop.root, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95])
def test_killed_by_the_clock_and_started_again(shop: Shop, tmp_path: Path, share: float) -> None:
    began = time.monotonic()
    Shop(tmp_path / "other").run()
    whole = time.monotonic() - began
    process = subprocess.Popen(
        shop.argv("run", "--log", str(shop.log)),
        env=shop.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(whole * share)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (incident,) = shop.run()
    name = incident["incident_id"]
    assert git(shop.root, "for-each-ref", "--format=%(refname:short)").split("\n") == [
        "main",
        "remediator-state",
        f"remediator/{name}-1",
    ]
    assert git(shop.root, "rev-list", "--count", f"main..remediator/{name}-1") == "1"
    assert git(shop.root, "ls-tree", "-r", "--name-only", "remediator-state", "incidents/") == f"incidents/{name}.json"
