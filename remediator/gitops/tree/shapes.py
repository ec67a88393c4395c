"""Applications that only the values of an unseen chart describe: argocd-apps and the many charts like it.

The chart is not in the checkout, so its templates cannot be read; but its values name path, destination and project in
Argo CD's own words, and a mapping that does is taken for an Application of that name. It is marked as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import YamlPath, mappings


@dataclass(frozen=True, slots=True)
class Shape:
    """One item of values that reads like an Application or ApplicationSet."""

    kind: str
    name: str
    path: YamlPath
    body: Mapping[str, Any]
    """The item in the form of a manifest."""


def shapes(values: Any) -> Iterator[Shape]:
    """Yield every Application and ApplicationSet that the values describe, outermost first."""
    if not isinstance(values, dict):
        return
    defaults = _defaults(values)
    shape_paths: list[YamlPath] = []
    for path, item in mappings(values):
        if any(path[: len(shape_path)] == shape_path for shape_path in shape_paths) or not path:
            continue
        name = str(item.get("name") or (path[-1] if isinstance(path[-1], str) else ""))
        if isinstance(item.get("generators"), list) and isinstance(item.get("template"), dict):
            shape_paths.append(path)
            body = {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "ApplicationSet",
                "metadata": {"name": name, "namespace": item.get("namespace", "")},
                "spec": item,
            }
            yield Shape("ApplicationSet", name, path, body)
        elif _is_application(item, path):
            shape_paths.append(path)
            if item.get("enabled") is not False:
                yield Shape("Application", name, path, _manifest(name, item, defaults))


def _is_application(item: Mapping[str, Any], path: YamlPath) -> bool:
    if len(path) < 2 or str(path[-1]) in ("default", "defaults", "app", "spec", "source", "template", "global"):
        return False
    source, many = item.get("source"), item.get("sources")
    if isinstance(source, dict) and (source.get("path") or source.get("chart")):
        return True
    if isinstance(many, list) and any(isinstance(part, dict) and part.get("repoURL") for part in many):
        return True
    under_app_key = any("app" in str(step).lower() for step in path[:-1])
    return (
        under_app_key
        and isinstance(item.get("path"), str)
        and bool(item.get("repoURL") or item.get("destination") or item.get("namespace") or item.get("project"))
    )


def _defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the repoURL, revision and destination that the chart's values give once for all items."""
    defaults: dict[str, Any] = {}
    for path, item in mappings(values):
        if len(path) > 5 or any(isinstance(step, int) for step in path):
            continue
        for key in ("repoURL", "targetRevision"):
            if isinstance(item.get(key), str):
                defaults.setdefault(key, item[key])
        destination = item.get("destination")
        if isinstance(destination, dict) and destination.get("server"):
            defaults.setdefault("server", destination["server"])
    return defaults


def _manifest(name: str, item: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    destination = dict(item["destination"]) if isinstance(item.get("destination"), dict) else {}
    if isinstance(item.get("namespace"), str):
        destination.setdefault("namespace", item["namespace"])
    if defaults.get("server") and not destination.get("name"):
        destination.setdefault("server", defaults["server"])
    spec: dict[str, Any] = {"project": item.get("project", "default"), "destination": destination}
    if isinstance(item.get("sources"), list):
        spec["sources"] = item["sources"]
    else:
        source = (
            dict(item["source"])
            if isinstance(item.get("source"), dict)
            else {
                key: item[key]
                for key in ("path", "chart", "repoURL", "targetRevision", "helm", "kustomize", "directory")
                if key in item
            }
        )
        for key in ("repoURL", "targetRevision"):
            if key in defaults:
                source.setdefault(key, defaults[key])
        extra = str(source.get("extraSourceFields", "")) + str(item.get("extraSourceFields", ""))
        if "plugin:" in extra:
            source["plugin"] = {}
        spec["source"] = source
    if isinstance(item.get("ignoreDifferences"), list):
        spec["ignoreDifferences"] = item["ignoreDifferences"]
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name}, "spec": spec}
