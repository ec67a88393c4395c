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
_NEVER = frozenset(
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
    ]
)
INSERTABLE = frozenset(("resources", "nodeSelector", "tolerations", "affinity"))


@dataclass(frozen=True, slots=True)
class Guess:
    """A key that by convention means the field."""

    path: YamlPath
    exists: bool
    score: float


def plain(name: Any) -> str:
    """`repoServer`, `repo-server` and `repo_server` are one name."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def component(workload: str, release: str, chart: str) -> str:
    """What is left of the workload's name without release and chart."""
    rest = workload
    for known in (f"{release}-{chart}", release, chart):
        if known and rest == known:
            return ""
        if known and rest.startswith(known + "-"):
            rest = rest[len(known) + 1 :]
            break
    return "" if plain(rest) == plain(chart) else rest


def guesses(values: Any, *, workload: str, container: str, release: str, chart: str, field: YamlPath) -> list[Guess]:
    """Places for a container's or workload's field, best first; equal scores mean that nobody knows."""
    part = "" if get(values, ("fullnameOverride",)) == workload else component(workload, release, chart)
    blocks = sorted(_blocks(values, part, container), key=lambda item: -item[1])
    found: list[Guess] = []
    for path, score in blocks:
        block = get(values, path)
        existing = [tail for tail in _tails(field) if _scalar(get(block, tail), field)]
        if existing:
            found += [Guess((*path, *tail), exists=True, score=score + 1) for tail in existing]
        elif field and str(field[0]) in INSERTABLE and isinstance(block, dict):
            found += _nested(block, path, field, score) or [Guess((*path, *field), exists=False, score=score)]
    found.sort(key=lambda item: -item.score)
    return found


def _nested(block: dict[str, Any], path: YamlPath, field: YamlPath, score: float) -> list[Guess]:
    """Where deeper mappings of the block already speak of the field's first key: there, not beside them."""
    inner = [where for where, node in mappings(block) if where and field[0] in node and plain(where[-1]) not in _NEVER]
    return [Guess((*path, *where, *field), get(block, (*where, *field)) is not MISSING, score) for where in inner]


def _scalar(value: Any, field: YamlPath) -> bool:
    """Whether the value can be the field: a mapping `image` is not an image, its parts are."""
    if value is MISSING:
        return False
    return not (isinstance(value, (dict, list)) and field in (("image",), ("replicas",)))


def _blocks(values: Any, part: str, container: str) -> Iterator[tuple[YamlPath, float]]:
    """Mappings that can be the component's or container's block, rated."""
    wanted = {plain(part)} - {""}
    for path, node in mappings(values):
        last = plain(path[-1]) if path else ""
        if any(isinstance(step, int) for step in path) or (last in _NEVER and last not in wanted | {plain(container)}):
            continue
        if any(plain(step) in _NEVER for step in path[:-1]):
            continue
        score = _named(path, last, wanted, container)
        if not path and not part and _MEMBERS & set(node) and not _describes(values, container):
            score += 2
        if score <= 0:
            continue
        if wanted & {plain(step) for step in path[:-1]} or (not wanted and "main" in path[:-1]):
            score += 2
        score += 1 if "image" in node else 0
        score += 0.1 * len(_MEMBERS & set(node))
        score -= 2 if not _MEMBERS & set(node) and path[-2:-1] != ("containers",) else 0
        if score > 0:
            yield path, score


def _named(path: YamlPath, last: str, wanted: set[str], container: str) -> float:
    """How well a block's own key names the component or the container."""
    score = 0.0
    if last:
        score += 3 * (last == plain(container)) + 3 * (last in wanted)
    if len(path) > 1 and path[-2] in ("containers", "initContainers", "sidecars"):
        score += 4 if last == plain(container) else -10
    return score


def _describes(values: Any, container: str) -> bool:
    """Whether some deeper block bears the container's name."""
    return any(path and plain(path[-1]) == plain(container) and _MEMBERS & set(node) for path, node in mappings(values))


def _tails(field: YamlPath) -> list[YamlPath]:
    """Keys by which charts mean a field of a container or workload."""
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
