"""Find the Applications that only the values of a chart describe, for charts that are not in the checkout."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from remediator.gitops import yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files
from remediator.gitops.model import Application, Origin, Source
from remediator.gitops.render.helm import release
from remediator.gitops.render.helm_values import value_file
from remediator.gitops.sources.layout import Layout
from remediator.gitops.sources.source_type import source_type
from remediator.gitops.tree.documents import TreeDocument
from remediator.gitops.tree.scan import Facts
from remediator.gitops.tree.shapes import shapes


def values_file_documents(files: Files, name: str) -> Iterator[TreeDocument]:
    """Yield the Applications of a values file beside a chart; raises UnreadableYaml."""
    if not files.is_file(join(posixpath.dirname(name), "Chart.yaml")):
        return
    documents = yamlread.documents(files.read(name))
    for shape in shapes(documents[0] if documents else None):
        yield TreeDocument(name, 0, shape.body, Origin("values", name, 0, shape.path), shape.path)


def may_describe_applications(layout: Layout, facts: Mapping[str, Facts], app: Application, source: Source) -> bool:
    """Return whether the source's values can describe Applications for a chart that is not in the checkout."""
    options = source.options("helm")
    if source.local and not options:
        return False
    text = str(options.get("values") or options.get("valuesObject") or "")
    names = [value_file(layout, app, source, str(entry)) or "" for entry in options.get("valueFiles") or []]
    return "repoURL" in text or any(facts[name].values for name in names if name in facts)


def application_values_documents(files: Files, layout: Layout, app: Application) -> Iterator[TreeDocument]:
    """Yield the Applications that the values of an Application's charts describe, where a chart is missing."""
    for source in app.sources:
        if source_type(files, source) not in ("remote", "helm") or not source.options("helm"):
            continue
        helm_release = release(files, layout, app, source)
        if helm_release.chart and not helm_release.missing:
            continue
        for layer in helm_release.layers:
            for shape in shapes(layer.data if layer.kind in ("values", "valuesObject", "file") else None):
                file = layer.file or app.file
                path = (*(layer.path if not layer.inside else ()), *shape.path)
                origin = Origin(
                    "values",
                    file,
                    layer.document if layer.file else app.document,
                    path,
                    producer=app,
                    inside=shape.path if layer.inside else (),
                )
                spec_path = path if shape.kind == "ApplicationSet" else ()
                yield TreeDocument(file, origin.document, shape.body, origin, spec_path, app.name)
