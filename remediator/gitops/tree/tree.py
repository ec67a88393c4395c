"""Read the tree of Applications: plain documents, and those that sets, charts and kustomizations produce.

Kustomizations come first, since they replace plain documents. Producers come last, since each may render further
Applications that render others in turn.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from remediator.domain.yaml_paths import list_at, mapping_at
from remediator.gitops.files import Files
from remediator.gitops.model import Application, ApplicationSet, Origin, Problem, Tree
from remediator.gitops.render.render import Renderer
from remediator.gitops.sources.layout import Layout
from remediator.gitops.tree import appsets, parents
from remediator.gitops.tree.documents import TreeDocument, application_from
from remediator.gitops.tree.kustomizations import Kustomizations
from remediator.gitops.tree.kustomize_documents import build_documents
from remediator.gitops.tree.scan import Facts, template_chart
from remediator.gitops.tree.values_documents import (
    application_values_documents,
    may_describe_applications,
    values_file_documents,
)
from remediator.gitops.yamlread import UnreadableYaml

MAX_DEPTH = 12


class TreeReader:
    """Reads the tree of one checkout from the facts of its files."""

    def __init__(self, files: Files, layout: Layout, renderer: Renderer, facts: Mapping[str, Facts]) -> None:
        self.files, self.layout, self.renderer, self.facts = files, layout, renderer, facts
        self.tree = Tree()
        self.clusters: list[Mapping[str, Any]] = []
        self.superseded: set[tuple[str, int]] = set()
        charts = {
            name[: -len("/Chart.yaml")] if "/" in name else "" for name in files.names if name.endswith("Chart.yaml")
        }
        self.app_charts = {
            chart
            for name, item in facts.items()
            if item.template and (chart := template_chart(name, charts)) is not None
        }
        self.kustomized = Kustomizations(files, facts)

    def read(self) -> Tree:
        """Read all documents, follow the Applications that render others, and link children to parents."""
        documents = [
            TreeDocument(name, index, body) for name, item in self.facts.items() for index, body in item.documents
        ]
        self.clusters = [item.body for item in documents if item.body.get("kind") == "Secret"]
        for top in self.kustomized.roots(self._source_paths(documents)):
            self._add_kustomization(top)
        for item in documents:
            if (item.file, item.document) not in self.superseded:
                self._add_document(item)
        for name, facts in self.facts.items():
            if facts.values and posixpath.dirname(name) not in self.app_charts:
                self._add_values_file(name)
        self._follow_producers()
        parents.link(self.tree, self.files, self.kustomized)
        return self.tree

    def _source_paths(self, documents: Iterable[TreeDocument]) -> set[str]:
        paths = set()
        for item in documents:
            spec = mapping_at(item.body, "spec")
            for source in [spec.get("source"), *list_at(spec, "sources")]:
                if isinstance(source, dict) and isinstance(source.get("path"), str):
                    paths.add(self.layout.to_local(source["path"]))
        return paths

    def _add_document(self, item: TreeDocument) -> None:
        match item.body.get("kind"):
            case "Application":
                self._add_application(item)
            case "ApplicationSet":
                self._add_set(item)
            case "AppProject":
                self.tree.projects.append((item.file, item.document, item.body))

    def _add_application(self, item: TreeDocument, kind: str = "", parent: str = "") -> None:
        app = application_from(self.layout, item, kind)
        if app is not None:
            self.tree.applications.append(replace(app, parent=parent) if parent else app)

    def _add_set(self, item: TreeDocument) -> None:
        path, origin = item.path or ("spec",), item.origin
        title = str((item.body.get("metadata") or {}).get("name", ""))
        generated, problems = appsets.expand(
            item.body, self.layout, self.clusters, file=item.file, document=item.document, path=path
        )
        quiet = origin is not None and origin.kind == "values"
        if not quiet or generated:
            self.tree.sets.append(ApplicationSet(title, item.file, item.document, "", item.body, origin, path))
            self.tree.problems += [
                Problem(
                    "declined" if "outside" in text or "another repository" in text else "generator",
                    f"ApplicationSet {title}: {text}",
                    item.file,
                )
                for text in problems
            ]
        for application in generated:
            generator_origin = Origin(
                "generator",
                item.file,
                item.document,
                application.template_path,
                application.template,
                application.places,
                origin.producer if origin else None,
            )
            document = TreeDocument(
                item.file, item.document, application.body, generator_origin, variant=f"{item.variant}#{title}"
            )
            self._add_application(document, "ApplicationSet", title)

    def _add_values_file(self, name: str) -> None:
        if name in self.kustomized.value_files:
            return
        try:
            documents = list(values_file_documents(self.files, name))
        except UnreadableYaml as error:
            self.tree.problems.append(Problem("parse", error.message, name, error.line))
            return
        for item in documents:
            names = {app.name for app in self.tree.applications} | {appset.name for appset in self.tree.sets}
            if item.body["metadata"]["name"] not in names:
                self._add_document(item)

    def _add_kustomization(self, top: str) -> None:
        result = build_documents(self.files, top)
        self.tree.problems += result.problems
        self.superseded |= result.superseded
        self.kustomized.value_files |= result.value_files
        for item in result.documents:
            self._add_document(item)

    def _follow_producers(self) -> None:
        """Render the Applications whose source renders further Applications, until no new one appears."""
        queue = [(app, 0) for app in [*self.tree.applications, *self._implied_releases()]]
        visited: set[tuple[Any, ...]] = set()
        while queue:
            app, level = queue.pop(0)
            if app.key in visited:
                continue
            visited.add(app.key)
            count = len(self.tree.applications)
            if any(source.local and source.path in self.app_charts for source in app.sources):
                if level > MAX_DEPTH:
                    self.tree.problems.append(
                        Problem(
                            "cycle",
                            f"Application {app.name} renders Applications without end",
                            app.file,
                            application=app.name,
                        )
                    )
                    continue
                self._add_children(app)
            elif any(may_describe_applications(self.layout, self.facts, app, source) for source in app.sources):
                for item in application_values_documents(self.files, self.layout, app):
                    self._add_document(item)
            queue += [(child, level + 1) for child in self.tree.applications[count:]]

    def _implied_releases(self) -> list[Application]:
        """Return a release for each chart that renders Applications and that no Application deploys."""
        deployed = {source.path for app in self.tree.applications for source in app.sources if source.local}
        return [
            Application.implied("HelmChart", chart, posixpath.basename(chart) or "release")
            for chart in sorted(self.app_charts - deployed)
        ]

    def _add_children(self, app: Application) -> None:
        rendering = self.renderer.rendering(app)
        self.tree.problems += [problem for problem in rendering.problems if problem.fault]
        producer = replace(app, kind="HelmChart")
        parent = app.name if app.body else ""
        for item in rendering.manifests:
            if item.kind not in ("Application", "ApplicationSet", "AppProject"):
                continue
            if not item.api_version.startswith("argoproj.io/"):
                continue
            count = len(self.tree.applications)
            origin = Origin("rendered", item.file, item.document, (), producer=producer)
            self._add_document(
                TreeDocument(item.file, item.document, item.body, origin, variant=f"{app.variant}/{app.name}")
            )
            for index in range(count, len(self.tree.applications)):
                if not self.tree.applications[index].parent:
                    self.tree.applications[index] = replace(self.tree.applications[index], parent=parent)
