"""Walk the scalars of a document, also of YAML that one of its strings holds (a config file in a ConfigMap)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import yamlread
from remediator.gitops.yamlread import UnreadableYaml


def text_values(
    node: Any, path: YamlPath = (), inside: YamlPath = (), *, nested: bool = False
) -> Iterator[tuple[YamlPath, YamlPath, Any]]:
    """Yield every scalar with its path, and those of YAML that a string holds."""
    parent = inside if nested else path
    if isinstance(node, dict | list):
        steps = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in steps:
            below = (*parent, key)
            yield from text_values(value, path if nested else below, below if nested else (), nested=nested)
    elif isinstance(node, str) and "\n" in node and ":" in node and not nested:
        try:
            inner = yamlread.documents(node)
        except UnreadableYaml:
            return
        if len(inner) == 1 and isinstance(inner[0], dict):
            yield from text_values(inner[0], path, (), nested=True)
    else:
        yield path, inside, node
