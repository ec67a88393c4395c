"""Containers of the same namespace that run like one another: what several of them agree on is known to work there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from remediator.gitops import Match
from remediator.gitops.images import split_image
from remediator.remedies.engine.case import RemedyContext

_HEAP = re.compile(r"-Xmx\S+|-XX:MaxRAMPercentage=\S+|--max[-_]old[-_]space[-_]size[= ]\d+")
LEAST = 2
"""So many peers must agree: one alone may be the one that is wrong."""


def peers(case: RemedyContext, target: Match, container: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the containers of other workloads in the namespace with the same heap options, or of the same image."""
    heap, image = _heap_options(container), _image_name(container)
    for manifest in case.namespace_objects(target):
        if manifest.name == target.manifest.name and manifest.kind == target.manifest.kind:
            continue
        for other, _, init in manifest.containers():
            same_heap = bool(heap) and _heap_options(other) == heap
            if not init and (same_heap or (image and not heap and _image_name(other) == image)):
                yield other


def _heap_options(container: dict[str, Any]) -> frozenset[str]:
    """Return the options of the container's variables and arguments that bound its heap."""
    variables = [item.get("value") for item in container.get("env") or () if isinstance(item, dict)]
    texts = [*variables, *(container.get("command") or ()), *(container.get("args") or ())]
    return frozenset(option for text in texts if isinstance(text, str) for option in _HEAP.findall(text))


def _image_name(container: dict[str, Any]) -> str:
    image = container.get("image")
    return split_image(image)[0] if isinstance(image, str) else ""
