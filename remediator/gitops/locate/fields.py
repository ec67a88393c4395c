"""Turn field names as people write them into paths of an object."""

from __future__ import annotations

import re

from remediator.domain.yaml_paths import PathStep, YamlPath
from remediator.gitops.model import Manifest

CONTAINER = frozenset(
    [
        "image",
        "imagePullPolicy",
        "resources",
        "env",
        "envFrom",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "ports",
        "command",
        "args",
        "volumeMounts",
        "securityContext",
        "lifecycle",
        "workingDir",
        "terminationMessagePath",
        "stdin",
        "tty",
    ]
)
POD = frozenset(
    [
        "serviceAccountName",
        "nodeSelector",
        "tolerations",
        "affinity",
        "volumes",
        "hostNetwork",
        "dnsPolicy",
        "restartPolicy",
        "imagePullSecrets",
        "priorityClassName",
        "terminationGracePeriodSeconds",
        "topologySpreadConstraints",
        "initContainers",
        "containers",
        "automountServiceAccountToken",
    ]
)
OF_APPLICATION = frozenset(
    ("targetRevision", "chartVersion", "path", "repoURL", "chart", "namespace", "syncOptions", "project")
)
ROOTS = frozenset(
    (
        "spec",
        "metadata",
        "data",
        "stringData",
        "rules",
        "subjects",
        "roleRef",
        "webhooks",
        "apiVersion",
        "kind",
        "type",
        "provisioner",
        "status",
    )
)


def steps(text: str) -> YamlPath:
    """Read `a.b[0]["c.d"][name=x]` as a path; `env.NAME` stays as written."""
    path: list[PathStep] = []
    for match in re.finditer(r"\[\"([^\"]*)\"\]|\['([^']*)'\]|\[([^\]]*)\]|([^.\[\]]+)", text):
        quoted, single, bracket, name = match.groups()
        if bracket is not None:
            path.append(int(bracket) if bracket.lstrip("-").isdigit() else bracket)
        else:
            path.append(next(part for part in (quoted, single, name) if part is not None))
    return tuple(path)


def path_of(target: Manifest, field: str, container: YamlPath | None) -> YamlPath | None:
    """Return the path of a field in an object; None where it belongs to a container and none was chosen."""
    path = steps(field)
    if not path:
        return None
    head = str(path[0])
    if head == "replicas" and len(path) == 1:
        return ("spec", "replicas")
    if head in ROOTS:
        return path
    if head in CONTAINER and not (target.kind == "Service" and head == "ports"):
        if container is None:
            return None
        if head == "env" and len(path) > 1 and isinstance(path[1], str):
            name = field.split(".", 1)[1]
            return (*container, "env", f"name={name.removeprefix('name=')}", "value")
        return (*container, *path)
    if head in POD:
        pod = pod_path(target)
        return (*pod, *path)
    return ("spec", *path)


def pod_path(target: Manifest) -> YamlPath:
    """Return the path of the pod's spec, even in an object whose body is not known."""
    pod_spec = target.pod_spec()
    if pod_spec is not None:
        return pod_spec[1]
    return {"Pod": ("spec",), "CronJob": ("spec", "jobTemplate", "spec", "template", "spec")}.get(
        target.kind, ("spec", "template", "spec")
    )


def container_path(target: Manifest, name: str) -> tuple[YamlPath | None, list[str]]:
    """Return the container's path and, where the name leaves a choice, the names to choose from."""
    containers = list(target.containers())
    if not containers and not target.body:
        return (*pod_path(target), "containers", f"name={name or target.name}"), []
    if name:
        for item, path, _ in containers:
            if item.get("name") == name:
                return path, []
        return None, [str(item.get("name")) for item, _, _ in containers]
    main = [(item, path) for item, path, init in containers if not init]
    if len(main) == 1:
        return main[0][1], []
    alike = [path for item, path in main if item.get("name") == target.name]
    return (alike[0], []) if len(alike) == 1 else (None, [str(item.get("name")) for item, _ in main])


def container_field(target: Manifest, path: YamlPath) -> tuple[str, YamlPath]:
    """Return the container's name and the field within it; the name is empty for a field of the workload."""
    for index, step in enumerate(path):
        if step in ("containers", "initContainers") and index + 1 < len(path):
            selector = path[index + 1]
            if isinstance(selector, str) and "=" in selector:
                return selector.partition("=")[2], path[index + 2 :]
            for item, container_at, _ in target.containers():
                if container_at == path[: index + 2]:
                    return str(item.get("name", "")), path[index + 2 :]
            return "", path[index + 2 :]
    pod = pod_path(target)
    if path[: len(pod)] == pod:
        return "", path[len(pod) :]
    return "", path[1:] if path[:1] == ("spec",) else path
