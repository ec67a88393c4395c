"""Find a field that a chart's template writes out itself, with no value behind it.

The template's actions are blanked out byte for byte, so that what remains can be read as YAML at its own places.
"""

from __future__ import annotations

import re
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, depth, get, resolve
from remediator.gitops import yamlread
from remediator.gitops.merge_keys import by_merge_key
from remediator.gitops.model import Manifest
from remediator.gitops.yamlread import UnreadableYaml

_ACTION = re.compile(rb"\{\{.*?\}\}", re.DOTALL)
BLANK = "X" * 4


def masked(data: bytes) -> bytes:
    """Return the template with lines of only actions emptied and other actions replaced by text of equal length."""
    text = _ACTION.sub(lambda match: re.sub(rb"[^\n]", b"\x01", match[0]), data)
    lines = []
    for line in text.split(b"\n"):
        if b"\x01" in line and not line.replace(b"\x01", b"").strip(b" \t\r\"'"):
            lines.append(b" " * len(line))
        else:
            lines.append(line.replace(b"\x01", b"X"))
    return b"\n".join(lines)


def find(data: bytes, target: Manifest, path: YamlPath) -> tuple[int, YamlPath] | None:
    """Return (document, path) of the field in the template, where it stands there literally with the rendered value.

    For a field that is not there, return where it can be added: the mapping that would hold it must stand there literally.
    """
    reached = depth(target.body, resolve(target.body, path))
    existing, missing = path[:reached], path[reached:]
    if missing and (not reached or not isinstance(get(target.body, existing), dict)):
        return None
    position = _literal_place(data, target, existing)
    return (position[0], (*position[1], *missing)) if position else None


def _literal_place(data: bytes, target: Manifest, path: YamlPath) -> tuple[int, YamlPath] | None:
    keyed_path = by_merge_key(target.body, path)
    value = get(target.body, path)
    try:
        documents = yamlread.documents(masked(data))
    except UnreadableYaml:
        return None
    fits = []
    for index, body in enumerate(documents):
        if not isinstance(body, dict) or body.get("kind") != target.kind:
            continue
        for candidate in (keyed_path, _by_index(body, target.body, path)):
            value_in_template = get(body, candidate) if candidate is not None else MISSING
            if (
                value_in_template is not MISSING
                and candidate is not None
                and (value_in_template == value or isinstance(value_in_template, (dict, list)))
            ):
                fits.append((index, resolve(body, candidate), _has_name(body, target.name)))
                break
    exact = [item for item in fits if item[2]]
    chosen = exact or fits
    return (chosen[0][0], chosen[0][1]) if len(chosen) == 1 else None


def _has_name(body: dict[str, Any], name: str) -> bool:
    metadata = body.get("metadata")
    return isinstance(metadata, dict) and metadata.get("name") == name


def _by_index(body: Any, rendered: Any, path: YamlPath) -> YamlPath | None:
    """Return the path by index, where the lists on the way are as long as rendered: their items' names may be templated."""
    node, rendered_node = body, rendered
    for step in resolve(rendered, path):
        if isinstance(node, list) and isinstance(rendered_node, list) and len(node) != len(rendered_node):
            return None
        node, rendered_node = get(node, (step,)), get(rendered_node, (step,))
        if node is MISSING:
            return None
    return resolve(rendered, path)
