"""Name the value paths of a chart that could control a rendered field; the canaries decide which of them do.

More candidates cost little, since all get their canaries in one rendering; a missing one costs the answer. So the
rules here are generous: a value that reads like the field, or a path that charts by custom continue to the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from remediator.domain.yaml_paths import YamlPath, leaves
from remediator.gitops.locate.fields import CONTAINER, POD

_BLOCK = CONTAINER | POD | {"replicaCount", "replicas", "enabled", "tag", "repository", "extraEnv", "service"}

ALIASES: Mapping[str, tuple[str, ...]] = {
    "replicas": ("replicaCount",),
    "serviceAccountName": ("name",),
    "image": ("tag",),
}
"""Other names that charts give a field, by the field's name."""


def carriers(values: Any, rendered: Any) -> Iterator[tuple[YamlPath, Any]]:
    """Yield the leaves of the values that the rendered value equals, or that can be a part of it."""
    text = scalar_text(rendered)
    for path, value in leaves(values):
        if value in (None, "", {}, []) or isinstance(value, (dict, list)):
            continue
        if isinstance(value, bool) or isinstance(rendered, bool):
            if value is rendered:
                yield path, value
        elif scalar_text(value) == text or (
            isinstance(rendered, str)
            and scalar_text(value) in text
            and (len(scalar_text(value)) > 1 or text.count(":"))
        ):
            yield path, value


def tails(base: YamlPath, steps: list[Any], *, block: bool = True) -> Iterator[YamlPath]:
    """Yield the ways to continue a value path to the field.

    `resources` continues with limits.memory, the block of a workload with resources.limits.memory.
    """
    last = str(base[-1]) if base else ""
    names = {index: str(step) for index, step in enumerate(steps)}
    for index, name in names.items():
        tail = tuple(steps[index + 1 :])
        if last and (name == last or name.lower() == last.lower()) and _crosses_no_list(tail):
            yield tail
    start = (
        max((index for index, step in enumerate(steps) if isinstance(step, int) or "=" in str(step)), default=-1) + 1
    )
    inner = tuple(steps[start:])
    field = str(steps[start]) if start < len(steps) else ""
    if inner and block and _crosses_no_list(inner):
        yield inner
    if last in ALIASES.get(field, ()) and _crosses_no_list(tuple(steps[start + 1 :])):
        yield tuple(steps[start + 1 :])
    if len(steps) >= 2 and steps[-1] == "value" and str(steps[-2]).startswith("name="):
        variable = str(steps[-2])[5:]
        if re.search(r"(?i)env", last):
            yield (variable,)
            yield (f"name={variable}", "value")
    if tuple(steps) == ("spec", "replicas") and block:
        yield ("replicaCount",)
        yield ("replicas",)


def _crosses_no_list(path: YamlPath) -> bool:
    return not any(isinstance(step, int) or "=" in step for step in path)


def is_block(node: Any) -> bool:
    """Return whether a mapping of values reads like the description of a workload or container."""
    return isinstance(node, dict) and bool(_BLOCK & set(node))


def collections(node: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, Any]]:
    """Yield every mapping and list below the node, with its path."""
    if isinstance(node, (dict, list)):
        if path:
            yield path, node
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from collections(value, (*path, key))


def typical_value(path: YamlPath) -> Any:
    """Return a value of the type that a field of this name takes."""
    last = str(path[-1])
    names = [str(step) for step in path]
    if "limits" in names or "requests" in names or last in ("sizeLimit", "storage"):
        return "1Mi"
    if (
        last in ("replicas", "port", "containerPort", "targetPort")
        or last.endswith(("Seconds", "Threshold"))
        or last.startswith("runAs")
        or last == "fsGroup"
    ):
        return 65_000 if last == "runAsNonRoot" else 1
    if last in ("runAsNonRoot", "readOnlyRootFilesystem", "privileged", "hostNetwork"):
        return False
    return "x"


def scalar_text(value: Any) -> str:
    """Return a scalar as a rendered manifest spells it."""
    return "true" if value is True else "false" if value is False else str(value)
