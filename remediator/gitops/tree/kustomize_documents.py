"""Find the Applications that a kustomization changes, or that the values of its charts describe.

The plain document of a changed Application must not count a second time, so the documents that the kustomization
replaces are returned, too.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files
from remediator.gitops.model import Application, Origin, Problem
from remediator.gitops.render import kustomize
from remediator.gitops.render.kustomize_model import KustomizeLayer, Tracked
from remediator.gitops.tree.documents import TreeDocument
from remediator.gitops.tree.shapes import shapes
from remediator.gitops.yamlread import UnreadableYaml


@dataclass(slots=True)
class KustomizedDocuments:
    """The documents of one kustomization."""

    documents: list[TreeDocument] = field(default_factory=list)
    superseded: set[tuple[str, int]] = field(default_factory=set)
    """The plain documents, by file and index, that the kustomization patches or replaces."""
    problems: list[Problem] = field(default_factory=list)
    value_files: set[str] = field(default_factory=set)
    """The values files that were read for charts of the kustomization."""


def build_documents(files: Files, top: str) -> KustomizedDocuments:
    """Build the kustomization of a directory and return its Argo CD documents."""
    result = KustomizedDocuments()
    implied = Application.implied("Kustomization", top, top)
    build = kustomize.build(files, top, _ChartValues(files, result.value_files).objects)
    result.problems += [problem for problem in build.problems if problem.kind == "cycle"]
    for item in build.objects:
        if item.kind not in ("Application", "ApplicationSet", "AppProject"):
            continue
        result.superseded |= {
            (layer.file, layer.document)
            for layer in item.layers
            if layer.kind in ("patch", "json") and not layer.embedded
        }
        base = item.layers[0]
        if base.kind == "base" and len(item.layers) == 1:
            continue
        if base.kind == "base":
            result.superseded.add((base.file, base.document))
        result.documents.append(_document(item, base, implied))
    return result


def _document(item: Tracked, base: KustomizeLayer, implied: Application) -> TreeDocument:
    values = base.kind == "chart" and len(item.layers) == 1
    origin = Origin(
        "values" if values else "rendered", base.file, base.document, base.path, producer=implied, inside=base.inside
    )
    path = base.path if values and item.kind == "ApplicationSet" else ()
    return TreeDocument(base.file, base.document, item.body, origin, path, implied.variant)


class _ChartValues:
    """Replaces the charts of a kustomization, which are not run, by the Applications that their values describe."""

    def __init__(self, files: Files, value_files: set[str]) -> None:
        self.files, self.value_files = files, value_files

    def objects(self, file: str, index: int, chart: Mapping[str, Any]) -> list[Tracked]:
        """Return the Applications that the values of one helmCharts entry describe."""
        tracked = []
        directory = posixpath.dirname(file)
        for name in [
            str(chart.get("valuesFile") or ""),
            *[str(item) for item in chart.get("additionalValuesFiles") or []],
        ]:
            target = join(directory, name) if name else ""
            if target and self.files.is_file(target):
                self.value_files.add(target)
                try:
                    documents = yamlread.documents(self.files.read(target))
                except UnreadableYaml:
                    continue
                tracked += [
                    _tracked_shape(directory, target, shape.path, shape.body)
                    for shape in shapes(documents[0] if documents else None)
                ]
        prefix = ("helmCharts", index, "valuesInline")
        tracked += [
            _tracked_shape(directory, file, (*prefix, *shape.path), shape.body)
            for shape in shapes(chart.get("valuesInline"))
        ]
        return tracked


def _tracked_shape(directory: str, file: str, path: YamlPath, body: Mapping[str, Any]) -> Tracked:
    layer = KustomizeLayer("chart", directory, file, 0, path, body)
    return Tracked(dict(body), [layer], {str(body["metadata"]["name"])})
