"""Turn a document into an Application, wherever the document comes from.

Patches, placeholders and fragments look like Applications, too. They have no destination or no source, so an
Application is only taken from a plain document with both; generated and rendered ones may leave the rest to Argo CD.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import YamlPath, mapping_at
from remediator.gitops.model import Application, Manifest, Origin
from remediator.gitops.sources.layout import Layout


@dataclass(frozen=True, slots=True)
class TreeDocument:
    """One Application, ApplicationSet or AppProject with its place and its origin."""

    file: str
    document: int
    body: Mapping[str, Any]
    origin: Origin | None = None
    path: YamlPath = ()
    """The path of an ApplicationSet's spec, where it is not `spec`."""
    variant: str = ""


def application_from(layout: Layout, item: TreeDocument, kind: str = "") -> Application | None:
    """Return the Application that a document describes; None for a patch, a placeholder or a fragment."""
    spec, metadata, origin = item.body.get("spec"), item.body.get("metadata"), item.origin
    if not isinstance(spec, dict) or not isinstance(metadata, dict):
        return None
    name = str(metadata.get("name") or "")
    sources = layout.sources(name, spec)
    if (
        not sources
        or (origin is None and not any(source.repo_url for source in sources))
        or (origin is None and "{{" in name)
        or (origin is None and "destination" not in spec)
    ):
        return None
    destination = mapping_at(spec, "destination")
    return Application(
        name=name,
        namespace=str(destination.get("namespace") or ""),
        project=str(spec.get("project") or "default"),
        cluster=str(destination.get("name") or destination.get("server") or ""),
        file=item.file,
        document=item.document,
        kind=kind or _kind(origin),
        parent="",
        sources=sources,
        body=item.body,
        object_namespace=str(metadata.get("namespace") or ""),
        origin=origin,
        variant=item.variant,
    )


def _kind(origin: Origin | None) -> str:
    if origin is None:
        return "Application"
    if origin.kind == "rendered":
        return "HelmChart" if origin.producer and origin.producer.kind == "HelmChart" else "Kustomization"
    return {"generator": "ApplicationSet", "values": "Values"}[origin.kind]


def child_manifest(app: Application, objects: Iterable[Manifest]) -> Manifest | None:
    """Return the object that is this Application, among those that its producer renders."""
    for item in objects:
        if item.kind == "Application" and item.name == app.name and item.api_version.startswith("argoproj.io/"):
            return item
    return None
