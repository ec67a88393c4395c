"""Determine the tool that Argo CD uses for a source: as set explicitly, else by the files in its directory.

The order of the checks is Argo CD's, so that a directory with a Chart.yaml and a kustomization is read as Helm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediator.gitops.file_paths import join
from remediator.gitops.files import Files, kustomization_file
from remediator.gitops.model import Source, SourceType

_TOOLS: tuple[SourceType, ...] = ("kustomize", "helm", "directory")


def source_type(files: Files, source: Source) -> SourceType:
    """Return the source's type; `missing` where its path is not in the checkout."""
    if source.body.get("sourceHydrator"):
        return "hydrator"
    if isinstance(source.body.get("plugin"), dict):
        return "plugin"
    if source.chart or not source.local:
        return "remote"
    if not files.is_dir(source.path):
        return "missing"
    tools: list[SourceType] = [tool for tool in _TOOLS if _has_options(source.body.get(tool))]
    if tools:
        return "jsonnet" if tools[0] == "directory" and _is_jsonnet(files, source) else tools[0]
    if files.is_file(join(source.path, "Chart.yaml")):
        return "helm"
    if kustomization_file(files, source.path):
        return "kustomize"
    return "jsonnet" if _is_jsonnet(files, source) else "directory"


def _has_options(options: Any) -> bool:
    """Return whether any option has a value; Argo CD drops empty ones before it decides."""
    return isinstance(options, Mapping) and any(value not in (None, "", False, [], {}) for value in options.values())


def _is_jsonnet(files: Files, source: Source) -> bool:
    names = files.entries(source.path)[0]
    return any(name.endswith((".jsonnet", ".libsonnet")) for name in names) and not any(
        name.endswith((".yaml", ".yml", ".json")) for name in names
    )
