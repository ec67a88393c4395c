"""An incident in a small repository, from its log to the change that is proposed first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from remediator import diagnosis, evidence, policy, remedies
from remediator.domain.lifecycle import RemediationPlan
from remediator.domain.yaml_paths import get
from remediator.gitops import Repository
from remediator.judgement import decide
from tests import git_repositories

NAMESPACE = "shop"


@dataclass(frozen=True)
class Outcome:
    """Diagnoses and proposals, with the files as the first proposal leaves them."""

    categories: tuple[str, ...]
    outcomes: tuple[RemediationPlan, ...]
    files: Mapping[str, str]
    changed: Mapping[str, str]

    @property
    def actions(self) -> list[str]:
        return [item.action for outcome in self.outcomes for item in outcome.proposals]

    @property
    def title(self) -> str:
        return next((item.title for outcome in self.outcomes for item in outcome.proposals), "")

    def value(self, path: str, file: str = "web/web.yaml", document: int = 0) -> Any:
        """A value of a changed file; the path is dotted, numbers are list items, `~1` stands for a slash's dot."""
        steps = tuple(int(step) if step.isdigit() else step.replace("~", ".") for step in path.split("."))
        return get(list(yaml.safe_load_all(self.changed[file]))[document], steps)


def propose(folder: Path, files: Mapping[str, str], log: str, *, before: Sequence[Mapping[str, str]] = ()) -> Outcome:
    """Diagnose the log and propose for it; `before` are older states of some files, oldest first, each a commit.

    A file of an older state that is not among `files` is deleted by the last commit.
    """
    older: dict[str, str] = {**files}
    states = [older := {**older, **state} for state in reversed(before)][::-1]
    root = git_repositories.repository(folder, dict(states[0] if states else files))
    for index, state in enumerate([*states[1:], files] if states else []):
        git_repositories.write(root, dict(state))
        for name in set(states[0]) - set(state) if state is files else ():
            (root / name).unlink()
        git_repositories.git(root, "add", "-A")
        git_repositories.git(root, "commit", "-q", "--allow-empty", "-m", f"Change {index}")
    policies, scanner = _rules()
    repository = Repository.open(root)
    diagnoses = diagnosis.classify(scanner.scan([evidence.text_input("log.txt", log)]).statements, policies.catalogue)
    outcomes = tuple(decide(item, repository, policies) for item in diagnoses)
    first = next((outcome.proposals[0] for outcome in outcomes if outcome.proposals), None)
    changed = remedies.changes(first.edits, repository.read) if first else {}
    texts = {name: text.decode() for name, text in changed.items() if text is not None}
    return Outcome(tuple(item.category for item in diagnoses), outcomes, {**files}, texts)


@lru_cache(maxsize=1)
def _rules() -> tuple[policy.Policies, evidence.Scanner]:
    policies = policy.load()
    return policies, evidence.Scanner([evidence.Pattern(name, text) for name, text in policies.catalogue.patterns()])


def shop(**objects: Any) -> dict[str, str]:
    """A repository with one Application, `web`; each keyword is a file of its folder with one object or several."""
    files = {"apps/web.yaml": _text(application("web", "web"))}
    for name, body in objects.items():
        files[f"web/{name}.yaml"] = _text(*body) if isinstance(body, list) else _text(body)
    return files


def _text(*bodies: Mapping[str, Any]) -> str:
    return "---\n".join(yaml.safe_dump(dict(body), sort_keys=False) for body in bodies)


def application(name: str, path: str, namespace: str = NAMESPACE) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": "https://example.com/shop.git", "targetRevision": "main", "path": path},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
        },
    }


def workload(
    container: Mapping[str, Any] | None = None,
    *,
    kind: str = "Deployment",
    name: str = "web",
    pod: Mapping[str, Any] | None = None,
    spec: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A workload with one container of its name; more fields for the container, the pod and the workload."""
    labels = {"app": name}
    box = {"name": name, "image": f"example.com/{name}:1.0", **(container or {})}
    body = {"replicas": 1, "selector": {"matchLabels": labels}, **(spec or {})}
    if kind == "StatefulSet":
        body.setdefault("serviceName", name)
    if kind == "DaemonSet":
        body.pop("replicas")
    body["template"] = {"metadata": {"labels": labels}, "spec": {**(pod or {}), "containers": [box]}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


def other(kind: str, name: str, spec: Mapping[str, Any], *, version: str = "v1") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def claim(name: str, size: str = "1Gi", *, modes: Sequence[str] = ("ReadWriteOnce",), **spec: Any) -> dict[str, Any]:
    body = {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, **spec}
    return other("PersistentVolumeClaim", name, body)


def events(*rows: tuple[str, str, str]) -> str:
    """`kubectl get events`; a row is (reason, object, message)."""
    lines = [f"2m          Warning   {reason:<20} {subject:<40} {message}" for reason, subject, message in rows]
    head = f"LAST SEEN   TYPE      {'REASON':<20} {'OBJECT':<40} MESSAGE"
    return "\n".join([f"$ kubectl get events -n {NAMESPACE}", head, *lines, ""]) + "\n"


POD = "pod/web-5d7b9c6f8b-x2m7k"
REPLICA_SET = "replicaset/web-5d7b9c6f8b"


def log(*lines: str, pod: str = "web-5d7b9c6f8b-x2m7k") -> str:
    return "\n".join([f"$ kubectl logs {pod} -n {NAMESPACE} --previous", *lines, ""]) + "\n"
