"""The keys by which Kubernetes pairs list items, so that a path found in a render also holds in a patch.

A strategic merge patch lists only the items that it changes: an index means another item there than in the rendered
object, the merge key means the same one.
"""

from __future__ import annotations

from typing import Any

from remediator.domain.yaml_paths import PathStep, YamlPath, child, position

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}
"""Key by which Kubernetes' strategic merge pairs list items, by the list's field name."""


def merge_key(field: PathStep, items: Any) -> str:
    """Return the key that identifies the items of this list, or an empty text where the list is atomic."""
    if field == "ports":
        first = next((item for item in items or () if isinstance(item, dict)), {})
        return "containerPort" if "containerPort" in first else "port"
    return MERGE_KEYS.get(str(field), "")


def by_merge_key(node: Any, path: YamlPath) -> YamlPath:
    """Return the same path with list items named by their merge key where they have one, so that it holds in a patch."""
    steps: list[PathStep] = []
    parent: PathStep = ""
    for step in path:
        steps.append(_keyed_step(node, parent, step))
        parent = step
        node = child(node, step)
    return tuple(steps)


def _keyed_step(node: Any, parent: PathStep, step: PathStep) -> PathStep:
    index = position(node, step) if isinstance(node, list) else None
    if index is None:
        return step
    key = merge_key(parent, node) or "name"
    item = node[index]
    return f"{key}={item[key]}" if isinstance(item, dict) and key in item else index
