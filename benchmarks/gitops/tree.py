"""How long the tree of Applications takes, against the least that anybody could do.

The yardstick walks the same checkout, reads every YAML file, and parses those that say `argoproj.io/` with PyYAML's C
loader: without any understanding of what it parsed. Both run in one process, one after the other, several times;
the best of each counts. Run: python benchmarks/gitops/tree.py [--files 10000] [--applications 700] [--growth]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

CONTAINER = """      - name: {name}
        image: registry.example.com/team-{team}/{name}:1.{minor}.{patch}
        ports:
        - containerPort: 8080
          name: http
        env:
        - name: LOG_LEVEL
          value: info
        - name: DATABASE_URL
          valueFrom:
            secretKeyRef:
              name: {name}-database
              key: url
        resources:
          requests:
            cpu: 100m
            memory: 128Mi
          limits:
            memory: {memory}Mi
        livenessProbe:
          httpGet:
            path: /healthz
            port: http
          initialDelaySeconds: 10
"""
DEPLOYMENT = """# Owned by team {team}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: team-{team}
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
    spec:
      serviceAccountName: {name}
      containers:
"""
SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector:
    app.kubernetes.io/name: {name}
  ports:
  - name: http
    port: 80
    targetPort: http
"""
CONFIG = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}-config
data:
  application.yaml: |
    server:
      port: 8080
    features:
{features}
"""
APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: argocd
  finalizers:
  - resources-finalizer.argocd.argoproj.io
spec:
  project: team-{team}
  source:
    repoURL: https://github.com/example/platform.git
    targetRevision: main
    path: {path}
  destination:
    server: https://kubernetes.default.svc
    namespace: {namespace}
  syncPolicy:
    automated:
      prune: true
      selfHeal: true
    syncOptions:
    - CreateNamespace=true
"""
SET = """apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: team-{team}
  namespace: argocd
spec:
  goTemplate: true
  generators:
  - git:
      repoURL: https://github.com/example/platform.git
      revision: main
      directories:
      - path: generated/team-{team}/*
  template:
    metadata:
      name: '{{{{ .path.basename }}}}'
    spec:
      project: team-{team}
      source:
        repoURL: https://github.com/example/platform.git
        targetRevision: main
        path: '{{{{ .path.path }}}}'
      destination:
        server: https://kubernetes.default.svc
        namespace: '{{{{ .path.basename }}}}'
"""


def generate(root: Path, files: int, applications: int) -> int:
    """A monorepo: a root Application, most of the rest as documents, some generated; returns how many files."""
    rng = random.Random(20_261)  # noqa: S311 - the same repository each time
    written = 0

    def put(name: str, text: str) -> None:
        nonlocal written
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        written += 1

    put(
        "root.yaml",
        APPLICATION.format(name="root", team=0, path="applications", namespace="argocd").replace(
            "    path: applications", "    path: applications\n    directory:\n      recurse: true"
        ),
    )
    single = (applications - 1) * 6 // 7
    generated = applications - 1 - single
    names = [
        (f"applications/team-{n % 20}/app-{n}.yaml", f"app-{n}", n % 20, f"workloads/team-{n % 20}/app-{n}")
        for n in range(single)
    ]
    for file, name, team, path in names:
        put(file, APPLICATION.format(name=name, team=team, path=path, namespace=name))
    for team in range(min(20, generated)):
        put(f"applications/sets/team-{team}.yaml", SET.format(team=team))
    folders = [(path, name, team) for _, name, team, path in names]
    folders += [(f"generated/team-{n % 20}/svc-{n}", f"svc-{n}", n % 20) for n in range(generated)]
    index = 0
    while written < files:
        path, name, team = folders[index % len(folders)]
        file, text = content(index // len(folders), name, team, rng)
        put(f"{path}/{file}", text)
        index += 1
    return written


def content(turn: int, name: str, team: int, rng: random.Random) -> tuple[str, str]:
    """The n-th file of a workload's directory."""
    if turn == 0:
        containers = [
            CONTAINER.format(
                name=f"{name}-{number}", team=team, minor=rng.randrange(90), patch=rng.randrange(9), memory=256
            )
            for number in range(rng.randrange(1, 4))
        ]
        return "object-0.yaml", DEPLOYMENT.format(name=name, team=team) + "".join(containers)
    if turn == 1:
        return "object-1.yaml", SERVICE.format(name=name)
    if turn == 2 and rng.random() < 0.6:
        return "kustomization.yaml", "resources:\n- object-0.yaml\n- object-1.yaml\n"
    features = "\n".join(f"      feature_{number}: {rng.random() > 0.5}" for number in range(rng.randrange(20, 300)))
    return f"object-{turn}.yaml", CONFIG.format(name=f"{name}-{turn}", features=features)


def yardstick(root: Path) -> int:
    """Walk, read, search, parse."""
    found = 0
    for directory, _, names in os.walk(root):
        for name in names:
            if name.endswith((".yaml", ".yml")):
                with open(f"{directory}/{name}", "rb") as handle:  # noqa: PTH123 - the fastest way there is
                    data = handle.read()
                if b"argoproj.io/" in data:
                    found += sum(1 for _ in yaml.load_all(data, Loader=yaml.CSafeLoader))
    return found


def tree(root: Path, cache: Path | None = None) -> int:
    """The Applications, workloads left alone."""
    from remediator.gitops import Repository, Tools

    return len(Repository.open(root, tools=Tools.none(), cache=cache).applications)


def timed(function: Callable[[], object]) -> tuple[float, float]:
    """(seconds on the clock, seconds of processor time with that of git and other children)."""
    before, began = os.times(), time.perf_counter()
    function()
    clock, after = time.perf_counter() - began, os.times()
    return clock, sum(after[:4]) - sum(before[:4])


def measure(files: int, applications: int, rounds: int) -> dict[str, float]:
    """One size: best of several rounds, clock and processor."""
    with tempfile.TemporaryDirectory() as directory:
        root, cache = Path(directory, "repo"), Path(directory, "cache")
        root.mkdir()
        written = generate(root, files, applications)
        for words in (
            ["init", "-q"],
            ["add", "-A"],
            ["-c", "user.name=b", "-c", "user.email=b@example.com", "commit", "-q", "-m", "Generate"],
        ):
            subprocess.run(["git", *words], cwd=root, check=True)
        tree(root), yardstick(root)
        least, cold, warm = [], [], []
        for _ in range(rounds):
            least.append(timed(lambda: yardstick(root)))
            shutil.rmtree(cache, ignore_errors=True)
            cold.append(timed(lambda: tree(root, cache)))
            warm.append(timed(lambda: tree(root, cache)))
        result: dict[str, float] = {"files": written, "applications": tree(root)}
        for index, kind in enumerate(("clock", "processor")):
            one, two, three = (min(pair[index] for pair in pairs) for pairs in (least, cold, warm))
            result |= {
                f"{kind}_yardstick_s": round(one, 4),
                f"{kind}_tree_s": round(two, 4),
                f"{kind}_again_s": round(three, 4),
                f"{kind}_tree_over_yardstick": round(two / one, 2) if one else 0,
                f"{kind}_again_speedup": round(two / three, 2) if three else 0,
            }
        return result


def main() -> int:
    """Print one JSON line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--applications", type=int, default=700)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--growth", action="store_true", help="also 100 and 1,000 files, to see that growth is linear")
    args = parser.parse_args()
    sizes = [(100, 7), (1_000, 70)] if args.growth else []
    rows = [
        measure(files, applications, args.rounds) for files, applications in [*sizes, (args.files, args.applications)]
    ]
    for row in rows:
        print(json.dumps(row))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
