"""Walk and compare the parsed form of YAML by path; a list item may be meant by index or as `name=app`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remediator.domain.change import PathStep, YamlPath


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Any = _Missing()
"""Stands for `there is no such field`, which null is not."""

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
    """Key that identifies the items of this list, or empty where the list is atomic."""
    if field == "ports":
        first = next((item for item in items or () if isinstance(item, dict)), {})
        return "containerPort" if "containerPort" in first else "port"
    return MERGE_KEYS.get(str(field), "")


def child(node: Any, step: PathStep) -> Any:
    """The value one step down, or MISSING."""
    if isinstance(node, dict):
        return node.get(step if step in node else str(step), MISSING)
    if isinstance(node, list):
        index = position(node, step)
        return node[index] if index is not None else MISSING
    return MISSING


def position(items: list[Any], step: PathStep) -> int | None:
    """Index that a step means in a list: a number, or `key=value` of the item."""
    if isinstance(step, int) or step.lstrip("-").isdigit():
        index = int(step)
        return index if -len(items) <= index < len(items) else None
    key, _, value = step.partition("=")
    for index, item in enumerate(items):
        if isinstance(item, dict) and str(item.get(key, MISSING)) == value:
            return index
    return None


def table(node: Any, key: str) -> dict[str, Any]:
    """The mapping under a key; empty for anything else."""
    value = node.get(key) if isinstance(node, Mapping) else None
    return value if isinstance(value, dict) else {}


def listed(node: Any, key: str) -> list[Any]:
    """The list under a key; empty for anything else."""
    value = node.get(key) if isinstance(node, Mapping) else None
    return value if isinstance(value, list) else []


def get(node: Any, path: YamlPath) -> Any:
    """The value at a path, or MISSING."""
    for step in path:
        node = child(node, step)
        if node is MISSING:
            return MISSING
    return node


def resolve(node: Any, path: YamlPath) -> YamlPath:
    """The same path with every item that exists named by its index."""
    steps: list[PathStep] = []
    for step in path:
        if isinstance(node, list):
            index = position(node, step)
            steps.append(step if index is None else index)
        else:
            steps.append(step)
        node = child(node, step)
    return tuple(steps)


def keyed(node: Any, path: YamlPath) -> YamlPath:
    """The same path with list items named by their merge key where they have one, so that it holds in a patch."""
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


def depth(node: Any, path: YamlPath) -> int:
    """How many leading steps of the path exist."""
    count = 0
    for step in path:
        node = child(node, step)
        if node is MISSING:
            break
        count += 1
    return count


def with_value(node: Any, path: YamlPath, value: Any) -> Any:
    """A copy with the value set, along the path only; mappings that are missing are made."""
    if not path:
        return value
    step, tail = path[0], path[1:]
    if isinstance(node, list):
        items = list(node)
        index = position(items, step)
        if index is None:
            items.append(with_value(_new_item(step, tail), tail, value))
        else:
            items[index] = with_value(items[index], tail, value)
        return items
    mapping = dict(node) if isinstance(node, dict) else {}
    if step not in mapping and str(step) in mapping:
        step = str(step)
    mapping[step] = with_value(mapping.get(step, _blank(tail)), tail, value)
    return mapping


def _blank(tail: YamlPath) -> Any:
    return [] if tail and (isinstance(tail[0], int) or tail[0].startswith("name=")) else {}


def _new_item(step: PathStep, tail: YamlPath) -> Any:
    """What a list item that does not exist starts as: `name=x` is its name."""
    if isinstance(step, str) and step.startswith("name="):
        return {"name": step[5:]}
    return _blank(tail)


def leaves(node: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, Any]]:
    """Every scalar and every empty container, with its path."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list) and node:
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))
    else:
        yield path, node


def mappings(node: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, dict[str, Any]]]:
    """Every mapping with its path, outermost first."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from mappings(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from mappings(value, (*path, index))


def differing(before: Any, after: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, Any, Any]]:
    """Paths at which two values differ, as deep as possible; a missing side is MISSING."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differing(before.get(key, MISSING), after.get(key, MISSING), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            old = before[index] if index < len(before) else MISSING
            new = after[index] if index < len(after) else MISSING
            yield from differing(old, new, (*path, index))
    elif before is not after and (type(before) is not type(after) or before != after):
        yield path, before, after


def dotted(path: YamlPath) -> str:
    """For people: spec.containers[0].image."""
    text = ""
    for step in path:
        if isinstance(step, int) or "=" in step:
            text += f"[{step}]"
        elif "." in step or "/" in step:
            text += f'["{step}"]'
        else:
            text += f".{step}" if text else step
    return text
