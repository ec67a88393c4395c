"""Guess, and say so, which existing values key a chart that is not at hand would read for a field.

Charts agree on much: a component's block bears its name and holds `image`, `resources`, `replicaCount` … beside
each other. A block is taken only when the values name it by the workload's component or its container.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, get, mappings

_MEMBERS = frozenset(
    [
        "image",
        "resources",
        "replicaCount",
        "replicas",
        "env",
        "extraEnv",
        "envVars",
        "enabled",
        "service",
        "ingress",
        "persistence",
        "nodeSelector",
        "tolerations",
        "affinity",
        "securityContext",
        "podSecurityContext",
        "livenessProbe",
        "readinessProbe",
        "args",
        "extraArgs",
        "command",
        "containers",
        "metrics",
        "tag",
        "repository",
    ]
)
NEVER = frozenset(
    [
        "service",
        "services",
        "ingress",
        "persistence",
        "serviceaccount",
        "metrics",
        "httproute",
        "route",
        "config",
        "configmap",
        "env",
        "envfrom",
        "probes",
        "resources",
        "limits",
        "image",
        "volumeclaimtemplate",
        "volumeclaimtemplates",
        "storagespec",
    ]
)
_CONTAINER_MEMBERS = _MEMBERS - {"enabled", "service", "ingress", "persistence", "metrics"}
"""Keys that only the block of a container or workload has."""
INSERTABLE = frozenset(("resources", "nodeSelector", "tolerations", "affinity"))


@dataclass(frozen=True, slots=True)
class Guess:
    """A values key that by convention means the field."""

    path: YamlPath
    exists: bool
    score: float


def plain(name: Any) -> str:
    """Normalise a name: `repoServer`, `repo-server` and `repo_server` are one."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def component(workload: str, release: str, chart: str) -> str:
    """Return the workload's name without the names of release and chart."""
    suffix = workload
    for prefix in (f"{release}-{chart}", release, chart):
        if prefix and suffix == prefix:
            return ""
        if prefix and suffix.startswith(prefix + "-"):
            suffix = suffix[len(prefix) + 1 :]
            break
    return "" if plain(suffix) == plain(chart) else suffix


def guesses(values: Any, *, workload: str, container: str, release: str, chart: str, field: YamlPath) -> list[Guess]:
    """Return the places for a container's or workload's field, best first; equal scores mean that nobody knows."""
    part = "" if get(values, ("fullnameOverride",)) == workload else component(workload, release, chart)
    blocks = sorted(_blocks(values, part, container), key=lambda item: -item[1])
    candidates: list[Guess] = []
    for path, score in blocks:
        block = get(values, path)
        existing = [tail for tail in tails(field) if _can_be_field(get(block, tail), field)]
        if existing:
            candidates += [Guess((*path, *tail), exists=True, score=score + 1) for tail in existing]
        elif field and str(field[0]) in INSERTABLE and isinstance(block, dict):
            candidates += _nested(block, path, field, score) or _addition(block, path, part, field, score)
    candidates.sort(key=lambda item: -item.score)
    return candidates


def _nested(block: dict[str, Any], path: YamlPath, field: YamlPath, score: float) -> list[Guess]:
    """Return the places in deeper mappings that already hold the field's first key: the field belongs there, not beside them."""
    inner_paths = [
        inner_path
        for inner_path, node in mappings(block)
        if inner_path and field[0] in node and not any(plain(step) in NEVER for step in inner_path)
    ]
    return [
        Guess((*path, *inner_path, *field), get(block, (*inner_path, *field)) is not MISSING, score)
        for inner_path in inner_paths
    ]


def _addition(block: dict[str, Any], path: YamlPath, part: str, field: YamlPath, score: float) -> list[Guess]:
    """Return the field as a new key of the block.

    A block that bears only the container's name is no place for it: it is often the program's own configuration.
    """
    of_component = bool(path) and bool(part) and plain(path[-1]) == plain(part)
    if not (of_component or _CONTAINER_MEMBERS & set(block) or not path or path[-2:-1] == ("containers",)):
        return []
    return [Guess((*path, *field), exists=False, score=score)]


def _can_be_field(value: Any, field: YamlPath) -> bool:
    """Return whether the value can be the field: a mapping `image` is not an image, its parts are."""
    if value is MISSING:
        return False
    return not (isinstance(value, (dict, list)) and field in (("image",), ("replicas",)))


def _blocks(values: Any, part: str, container: str) -> Iterator[tuple[YamlPath, float]]:
    """Yield the mappings that can be the component's or container's block, rated."""
    components = {plain(part)} - {""}
    for path, node in mappings(values):
        last = plain(path[-1]) if path else ""
        if any(isinstance(step, int) for step in path) or (
            last in NEVER and last not in components | {plain(container)}
        ):
            continue
        if any(plain(step) in NEVER for step in path[:-1]):
            continue
        score = _name_score(path, last, components, container)
        if path[-2:-1] in (("controllers",), ("containers",)) and len(get(values, path[:-1])) == 1:
            score = 4.0  # the only one of its kind is meant, whatever its name is
        if not path and not part and _MEMBERS & set(node) and not _has_block(values, container):
            score += 2
        if score <= 0:
            continue
        if components & {plain(step) for step in path[:-1]} or (not components and "main" in path[:-1]):
            score += 2
        score += 1 if "image" in node else 0
        score += 0.1 * len(_MEMBERS & set(node))
        score -= 2 if not _MEMBERS & set(node) and path[-2:-1] != ("containers",) else 0
        if score > 0:
            yield path, score


def _name_score(path: YamlPath, last: str, components: set[str], container: str) -> float:
    """Rate how well a block's own key names the component or the container."""
    score = 0.0
    if last:
        score += 3 * (last == plain(container)) + 3 * (last in components)
    if len(path) > 1 and path[-2] in ("containers", "initContainers", "sidecars"):
        score += 4 if last == plain(container) else -10
    if path[-2:-1] == ("controllers",):
        score += 4 if last in components or (not components and last == "main") else -10
    return score


def _has_block(values: Any, container: str) -> bool:
    """Return whether some deeper block bears the container's name, or lists containers."""
    return any(
        path and (path[-2:-1] == ("containers",) or (plain(path[-1]) == plain(container) and _MEMBERS & set(node)))
        for path, node in mappings(values)
    )


def tails(field: YamlPath) -> list[YamlPath]:
    """Return the keys by which charts mean a field of a container or workload."""
    if field == ("image",):
        return [
            ("image", "tag"),
            ("image", "repository"),
            ("image", "registry"),
            ("image", "digest"),
            ("image",),
            ("imageTag",),
            ("tag",),
        ]
    if field == ("replicas",):
        return [("replicaCount",), ("replicas",)]
    if len(field) == 3 and field[0] == "env" and field[2] == "value":
        name = str(field[1]).removeprefix("name=")
        keys = ("env", "extraEnv", "extraEnvVars", "envVars", "environment")
        return [tail for key in keys for tail in ((key, name), (key, f"name={name}", "value"))]
    return [field]
