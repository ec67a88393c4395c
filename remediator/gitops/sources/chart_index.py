"""Read the digest of a chart's archive from the index of an HTTP chart repository.

helm does not compare it when it pulls, and an index is often served from elsewhere than the archive.
"""

from __future__ import annotations

import re

from remediator.gitops import yamlread
from remediator.gitops.yamlread import UnreadableYaml

_WHOLE = 2 * 1024 * 1024
"""The largest index that is parsed whole where the chart's own part is not found by its indentation."""


def digest_of(index: bytes, name: str, version: str) -> str:
    """Return the sha256 that the index states for a version; empty where it states none."""
    for entry in _entries(index, name):
        if isinstance(entry, dict) and str(entry.get("version", "")).lstrip("v") == version.lstrip("v"):
            return str(entry.get("digest") or "").removeprefix("sha256:").lower()
    return ""


def _entries(index: bytes, name: str) -> list[object]:
    """Return the versions of one chart; an index can be tens of megabytes, so only the chart's part is parsed."""
    start = re.search(rb"(?m)^  ['\"]?" + re.escape(name.encode()) + rb"['\"]?:[ ]*\r?\n", index)
    if start is not None:
        end = re.compile(rb"(?m)^(?:  )?[^\s-]").search(index, start.end())
        part, path = index[start.start() : end.start() if end else len(index)], [name]
    elif len(index) <= _WHOLE:
        part, path = index, ["entries", name]
    else:
        return []
    try:
        node: object = yamlread.mapping(part)
    except UnreadableYaml:
        return []
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    return node if isinstance(node, list) else []
