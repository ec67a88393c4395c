"""A small repository of two Applications, an incident in one of them, and an investigation of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.domain.investigation import ToolCall
from remediator.settings import Settings
from remediator.wiring import Services
from tests.git_repositories import git, repository, write

if TYPE_CHECKING:
    from remediator.domain.investigation import ToolAnswer
    from remediator.judgement.model import InvestigationSession

DEPLOYMENT = "apps/store/deployment.yaml"
SERVICE = "apps/store/service.yaml"


def application(name: str, namespace: str) -> str:
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd}}
spec:
  project: default
  source: {{repoURL: https://git.example.com/ops/gitops.git, targetRevision: main, path: apps/{name}}}
  destination: {{server: https://kubernetes.default.svc, namespace: {namespace}}}
"""


def deployment(name: str, namespace: str, *, memory: str = "256Mi", port: int = 8080) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
spec:
  replicas: 2
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: {name}
          image: registry.example.com/shop/{name}:1.4.2
          ports:
            - name: http
              containerPort: {port}
          readinessProbe:
            httpGet: {{path: /ready, port: 8080}}
          resources:
            limits:
              memory: {memory}
"""


FILES = {
    "argocd/store.yaml": application("store", "shop"),
    "argocd/ledger.yaml": application("ledger", "books"),
    DEPLOYMENT: deployment("store", "shop", memory="512Mi"),
    SERVICE: """\
apiVersion: v1
kind: Service
metadata: {name: store, namespace: shop}
spec:
  selector: {app: store}
  ports:
    - port: 80
      targetPort: 8080
""",
    "apps/store/config.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: store, namespace: shop}
data:
  app.yaml: |
    cache:
      entries: 1000
    greeting: hello
""",
    "apps/store/secret.yaml": """\
apiVersion: v1
kind: Secret
metadata: {name: store, namespace: shop}
stringData:
  password: correct-horse-battery
""",
    "apps/ledger/deployment.yaml": deployment("ledger", "books"),
}
LOG = """\
Name:         store-7c9d8b6f5d-4xk2p
Namespace:    shop
Controlled By:  ReplicaSet/store-7c9d8b6f5d
Containers:
  store:
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Restart Count:  14
    Limits:
      memory:  256Mi
Events:
  Type     Reason   Age  From     Message
  ----     ------   ---  ----     -------
  Warning  BackOff  1m   kubelet  Back-off restarting failed container store in pod store-7c9d8b6f5d-4xk2p
"""


def services(folder: Path, log: str = LOG, files: dict[str, str] | None = None, **environ: str) -> Services:
    """A process over the repository, whose last commit lowered the limit."""
    root = folder / "gitops"
    if not root.exists():
        repository(root, {**FILES, **(files or {})})
        write(root, {DEPLOYMENT: deployment("store", "shop")})
        git(root, "commit", "-q", "-a", "-m", "Lower the limit of store")
    path = folder / "describe.txt"
    path.write_text(log, encoding="utf-8")
    settings = Settings.from_environ({"PATH": os.environ["PATH"], **environ})
    return Services(settings, root, (str(path),), dry_run=True)


def investigation(
    folder: Path, log: str = LOG, files: dict[str, str] | None = None, *, rules: bool = True, **environ: str
) -> InvestigationSession:
    """An investigation of the gravest incident of a log; `rules` False: as if the rules proposed nothing."""
    from remediator.domain.lifecycle import RemediationPlan

    run = services(folder, log, files, **environ)
    case = run.logs.cases()[0]
    plan = run.planner.propose(case.diagnosis)
    plan = plan if rules else RemediationPlan(applications=plan.applications, reason="The rules propose nothing.")
    found = run.planner.investigation(case.diagnosis, plan, case.log, [])
    assert found is not None
    return found  # type: ignore[return-value]


def call(case: InvestigationSession, tool: str, /, **arguments: Any) -> ToolAnswer:
    return case.call(ToolCall(id="call_1", name=tool, arguments=json.dumps(arguments)))


def memory(value: str, **more: Any) -> dict[str, Any]:
    """The edit of the store's memory limit."""
    return {
        "kind": "Deployment", "name": "store", "value": value,
        "field": "spec.template.spec.containers[name=store].resources.limits.memory", **more,
    }  # fmt: skip
