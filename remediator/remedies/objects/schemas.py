"""Fields of Kubernetes' own objects, from the published JSON schemas; custom resources are not among them."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

from remediator.domain.yaml_paths import YamlPath


def fields_at(api_version: str, kind: str, path: YamlPath) -> frozenset[str]:
    """Return the names of the fields that the object may have at this path; empty where the schema is not known."""
    node = _schema(api_version, kind)
    for step in path:
        node = _resolved(node)
        if isinstance(step, int) or "items" in node:
            node = node.get("items", {})
        else:
            node = (node.get("properties") or {}).get(step) or {}
        if not isinstance(node, dict) or not node:
            return frozenset()
    return frozenset(_resolved(node).get("properties") or {})


def _resolved(node: Any) -> dict[str, Any]:
    for _ in range(4):
        if not isinstance(node, dict):
            return {}
        reference = str(node.get("$ref", ""))
        if not reference:
            return node
        node = _definitions().get(reference.rpartition("/")[2], {})
    return {}


def _schema(api_version: str, kind: str) -> dict[str, Any]:
    # rbac.authorization.k8s.io/v1 → rbac-v1, as the schemas are named
    short = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version).lower()
    if not re.fullmatch(r"[a-z0-9-]+", short) or not re.fullmatch(r"[A-Za-z0-9]+", kind):
        return {}
    return _loaded(f"{kind.lower()}-{short}.json")


def _definitions() -> dict[str, Any]:
    definitions = _loaded("_definitions.json").get("$defs")
    return definitions if isinstance(definitions, dict) else {}


@lru_cache(maxsize=32)
def _loaded(name: str) -> dict[str, Any]:
    folder = _newest()
    try:
        schema = json.loads((folder / name).read_text(encoding="utf-8")) if folder is not None else {}
    except (OSError, ValueError):
        return {}
    return schema if isinstance(schema, dict) else {}


@lru_cache(maxsize=1)
def _newest() -> Any:
    try:
        home = files("kubernetes_validate").joinpath("kubernetes-json-schema")
        folders = [folder for folder in home.iterdir() if folder.name.endswith("-local-strict")]
    except (ModuleNotFoundError, OSError):
        return None
    return max(folders, key=lambda folder: [int(part) for part in re.findall(r"\d+", folder.name)], default=None)
