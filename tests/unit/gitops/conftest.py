"""Small repositories written from text, and the tools that some tests need."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from remediator.gitops import Repository, Tools

GIT = [
    "git",
    "-c",
    "user.name=ops",
    "-c",
    "user.email=ops@example.com",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "init.defaultBranch=main",
]

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: argocd
spec:
  project: default
  source:
    repoURL: https://github.com/example/platform.git
    targetRevision: {revision}
    path: {path}
{more}  destination:
    server: https://kubernetes.default.svc
    namespace: {namespace}
"""

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
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
        image: registry.example.com/{name}:1.0
        env:
        - name: MODE
          value: fast
"""


def application(name: str, path: str, *, namespace: str = "", revision: str = "HEAD", more: str = "") -> str:
    return APPLICATION.format(name=name, path=path, namespace=namespace or name, revision=revision, more=more)


def deployment(name: str) -> str:
    return DEPLOYMENT.format(name=name)


class Writer:
    """Writes a repository and opens it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, files: dict[str, str | bytes]) -> Writer:
        for name, text in files.items():
            target = self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode() if isinstance(text, str) else text)
        return self

    def open(self, tools: Tools | None = None, cache: Path | None = None) -> Repository:
        return Repository.open(self.root, tools=Tools.none() if tools is None else tools, cache=cache)

    def git(self, *words: str, when: str = "2026-01-01T00:00:00Z") -> str:
        environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        process = subprocess.run(
            [*GIT, *words], cwd=self.root, check=True, capture_output=True, text=True, env=environment
        )
        return process.stdout

    def commit(self, message: str, when: str = "2026-01-01T00:00:00Z") -> str:
        if not (self.root / ".git").exists():
            self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, when=when)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def repo(tmp_path: Path) -> Writer:
    root = tmp_path / "repo"
    root.mkdir()
    return Writer(root)


@pytest.fixture(scope="session")
def found_tools() -> Tools:
    return Tools.find()


@pytest.fixture
def helm(found_tools: Tools) -> Tools:
    if not found_tools.helm:
        pytest.skip("helm is not on the PATH")
    return found_tools


@pytest.fixture
def kustomize(found_tools: Tools) -> Tools:
    if not found_tools.kustomize:
        pytest.skip("neither kustomize nor kubectl is on the PATH")
    return found_tools


@pytest.fixture(params=["static", "tools"])
def tools(request: pytest.FixtureRequest, found_tools: Tools) -> Tools:
    """Everything must hold without any tool, and with all."""
    if request.param == "static":
        return Tools.none()
    if not (found_tools.helm and found_tools.kustomize):
        pytest.skip("helm and kustomize are not on the PATH")
    return found_tools
