"""Read the tree of Applications: plain documents, and those that sets, charts and kustomizations produce."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from remediator.domain.yaml_paths import YamlPath, list_at, mapping_at
from remediator.gitops import yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files
from remediator.gitops.model import Application, ApplicationSet, Manifest, Origin, Problem, Source, Tree
from remediator.gitops.render import kustomize
from remediator.gitops.render.helm import release
from remediator.gitops.render.helm_model import Release
from remediator.gitops.render.kustomize_model import KustomizeLayer, Tracked
from remediator.gitops.render.render import Renderer
from remediator.gitops.sources.layout import Layout
from remediator.gitops.sources.source_type import source_type
from remediator.gitops.tree import parents
from remediator.gitops.tree.kustomizations import Kustomizations
from remediator.gitops.tree.scan import Facts, template_chart
from remediator.gitops.tree.shapes import shapes
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
        self.rendered: set[str] = set()

    def read(self) -> Tree:
        """Read all documents, follow the Applications that render others, and link children to parents."""
        documents = [(name, index, body) for name, item in self.facts.items() for index, body in item.documents]
        self.clusters = [body for _, _, body in documents if body.get("kind") == "Secret"]
        for top in self.kustomized.roots(self._source_paths(documents)):
            self._build_kustomization(top)
        for name, index, body in documents:
            if (name, index) not in self.superseded:
                self._add_document(name, index, body)
        for name, item in self.facts.items():
            if item.values and not self._is_beside_app_chart(name):
                self._read_values_file(name)
        self._follow_producers()
        parents.link(self.tree, self.files, self.kustomized)
        return self.tree

    def _source_paths(self, documents: Iterable[tuple[str, int, Any]]) -> set[str]:
        paths = set()
        for _, _, body in documents:
            spec = mapping_at(body, "spec")
            for source in [spec.get("source"), *list_at(spec, "sources")]:
                if isinstance(source, dict) and isinstance(source.get("path"), str):
                    paths.add(self.layout.to_local(source["path"]))
        return paths

    def _is_beside_app_chart(self, name: str) -> bool:
        directory = posixpath.dirname(name)
        return directory in self.app_charts

    def _add_document(
        self,
        name: str,
        index: int,
        body: Mapping[str, Any],
        origin: Origin | None = None,
        path: YamlPath = (),
        variant: str = "",
    ) -> None:
        match body.get("kind"):
            case "Application":
                self._add_application(name, index, body, origin, variant)
            case "ApplicationSet":
                self._add_set(name, index, body, origin, path or ("spec",), variant)
            case "AppProject":
                self.tree.projects.append((name, index, body))

    def _add_application(
        self, name: str, index: int, body: Mapping[str, Any], origin: Origin | None, variant: str = "", kind: str = ""
    ) -> Application | None:
        app = self.application_from(name, index, body, origin, variant, kind)
        if app is not None:
            self.tree.applications.append(app)
        return app

    def application_from(
        self, name: str, index: int, body: Mapping[str, Any], origin: Origin | None, variant: str, kind: str
    ) -> Application | None:
        """Return the Application that a body describes; None for a patch, a placeholder or a fragment."""
        spec, metadata = body.get("spec"), body.get("metadata")
        if not isinstance(spec, dict) or not isinstance(metadata, dict):
            return None
        app_name = str(metadata.get("name") or "")
        sources = self.layout.sources(app_name, spec)
        if (
            not sources
            or (origin is None and not any(source.repo_url for source in sources))
            or (origin is None and "{{" in app_name)
        ):
            return None
        destination = mapping_at(spec, "destination")
        if origin is None and "destination" not in spec:
            return None
        kinds = {"generator": "ApplicationSet", "values": "Values"}
        application_kind = kind or (
            kinds.get(
                origin.kind, "HelmChart" if origin.producer and origin.producer.kind == "HelmChart" else "Kustomization"
            )
            if origin
            else "Application"
        )
        return Application(
            name=app_name,
            namespace=str(destination.get("namespace") or ""),
            project=str(spec.get("project") or "default"),
            cluster=str(destination.get("name") or destination.get("server") or ""),
            file=name,
            document=index,
            kind=application_kind,
            parent="",
            sources=sources,
            body=body,
            object_namespace=str(metadata.get("namespace") or ""),
            origin=origin,
            variant=variant,
        )

    def _add_set(
        self, name: str, index: int, body: Mapping[str, Any], origin: Origin | None, path: YamlPath, variant: str
    ) -> None:
        from remediator.gitops.tree import appsets

        title = str((body.get("metadata") or {}).get("name", ""))
        generated, problems = appsets.expand(body, self.layout, self.clusters, file=name, document=index, path=path)
        quiet = origin is not None and origin.kind == "values"
        if not quiet or generated:
            self.tree.sets.append(ApplicationSet(title, name, index, "", body, origin, path))
            self.tree.problems += [
                Problem(
                    "declined" if "outside" in text or "another repository" in text else "generator",
                    f"ApplicationSet {title}: {text}",
                    name,
                )
                for text in problems
            ]
        for item in generated:
            generator_origin = Origin(
                "generator",
                name,
                index,
                item.template_path,
                item.template,
                item.places,
                origin.producer if origin else None,
            )
            app = self._add_application(
                name, index, item.body, generator_origin, f"{variant}#{title}", "ApplicationSet"
            )
            if app is not None:
                self.tree.applications[-1] = replace(app, parent=title)

    def _read_values_file(self, name: str) -> None:
        """Add the ApplicationSets and Applications of a values file whose chart is not in the checkout."""
        if not self.files.is_file(join(posixpath.dirname(name), "Chart.yaml")) or name in self.kustomized.value_files:
            return
        try:
            documents = yamlread.documents(self.files.read(name))
        except UnreadableYaml as error:
            self.tree.problems.append(Problem("parse", error.message, name, error.line))
            return
        for shape in shapes(documents[0] if documents else None):
            names = {app.name for app in self.tree.applications} | {item.name for item in self.tree.sets}
            if shape.name not in names:
                self._add_document(name, 0, shape.body, Origin("values", name, 0, shape.path), shape.path)

    def _build_kustomization(self, top: str) -> None:
        """Add the Applications that a kustomization changes, or that the values of its charts describe."""
        implied = Application(
            top,
            "",
            "",
            "",
            "",
            0,
            "Kustomization",
            "",
            (Source("", top, "", "", "", True, ("spec", "source")),),
            {},
            variant=top,
        )
        built = kustomize.build(self.files, top, self._inflate)
        self.tree.problems += [problem for problem in built.problems if problem.kind == "cycle"]
        for item in built.objects:
            if item.kind not in ("Application", "ApplicationSet", "AppProject"):
                continue
            self.superseded |= {
                (layer.file, layer.document)
                for layer in item.layers
                if layer.kind in ("patch", "json") and not layer.embedded
            }
            if len(item.layers) == 1 and item.layers[0].kind == "base":
                continue
            base = item.layers[0]
            if base.kind == "base":
                self.superseded.add((base.file, base.document))
            values = base.kind == "chart" and len(item.layers) == 1
            origin = Origin(
                "values" if values else "rendered",
                base.file,
                base.document,
                base.path,
                producer=implied,
                inside=base.inside,
            )
            self._add_document(
                base.file,
                base.document,
                item.body,
                origin,
                base.path if values and item.kind == "ApplicationSet" else (),
                top,
            )
        self.rendered.add(top)

    def _inflate(self, file: str, index: int, chart: Mapping[str, Any]) -> list[Tracked]:
        tracked = []
        directory = posixpath.dirname(file)
        for name in [
            str(chart.get("valuesFile") or ""),
            *[str(item) for item in chart.get("additionalValuesFiles") or []],
        ]:
            target = join(directory, name) if name else ""
            if target and self.files.is_file(target):
                self.kustomized.value_files.add(target)
                try:
                    documents = yamlread.documents(self.files.read(target))
                except UnreadableYaml:
                    continue
                tracked += [
                    self._tracked_shape(directory, target, (), shape.path, shape.body)
                    for shape in shapes(documents[0] if documents else None)
                ]
        inline = chart.get("valuesInline")
        tracked += [
            self._tracked_shape(directory, file, ("helmCharts", index, "valuesInline"), shape.path, shape.body)
            for shape in shapes(inline)
        ]
        return tracked

    @staticmethod
    def _tracked_shape(directory: str, file: str, prefix: YamlPath, path: YamlPath, body: Mapping[str, Any]) -> Tracked:
        layer = KustomizeLayer("chart", directory, file, 0, (*prefix, *path), body)
        return Tracked(dict(body), [layer], {str(body["metadata"]["name"])})

    def _follow_producers(self) -> None:
        """Render the Applications whose source renders further Applications, until no new one appears."""
        pointed = {source.path for app in self.tree.applications for source in app.sources if source.local}
        queue: list[tuple[Application, int]] = [(app, 0) for app in self.tree.applications]
        for chart in sorted(self.app_charts - pointed):
            source = Source("", chart, "", "", "", True, ("spec", "source"))
            queue.append(
                (
                    Application(
                        posixpath.basename(chart) or "release",
                        "",
                        "",
                        "",
                        "",
                        0,
                        "HelmChart",
                        "",
                        (source,),
                        {},
                        variant=chart,
                    ),
                    0,
                )
            )
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
            elif any(self._may_describe_applications(app, source) for source in app.sources):
                self._read_inline_values(app)
            queue += [(child, level + 1) for child in self.tree.applications[count:]]

    def _add_children(self, app: Application) -> None:
        rendering = self.renderer.rendering(app)
        self.tree.problems += [problem for problem in rendering.problems if problem.fault]
        for item in rendering.manifests:
            if item.kind in ("Application", "ApplicationSet", "AppProject") and item.api_version.startswith(
                "argoproj.io/"
            ):
                count = len(self.tree.applications)
                producer = replace(app, kind="HelmChart")
                self._add_document(
                    item.file,
                    item.document,
                    item.body,
                    Origin("rendered", item.file, item.document, (), producer=producer),
                    (),
                    f"{app.variant}/{app.name}",
                )
                parent = app.name if app.body else ""
                for index in range(count, len(self.tree.applications)):
                    if not self.tree.applications[index].parent:
                        self.tree.applications[index] = replace(self.tree.applications[index], parent=parent)

    def _may_describe_applications(self, app: Application, source: Source) -> bool:
        """Return whether the source's values can describe Applications for a chart that is not in the checkout."""
        if source.local and not source.options("helm"):
            return False
        options = source.options("helm")
        text = str(options.get("values") or options.get("valuesObject") or "")
        return "repoURL" in text or any(
            self.facts[name].values
            for entry in options.get("valueFiles") or []
            if (name := self._value_file(app, source, str(entry))) in self.facts
        )

    def _value_file(self, app: Application, source: Source, entry: str) -> str:
        from remediator.gitops.render.helm_values import value_file

        return value_file(self.layout, app, source, entry) or ""

    def _read_inline_values(self, app: Application) -> None:
        for source in app.sources:
            if source_type(self.files, source) not in ("remote", "helm") or not source.options("helm"):
                continue
            helm_release: Release = release(self.files, self.layout, app, source)
            if helm_release.chart and not helm_release.missing:
                continue
            for layer in helm_release.layers:
                for shape in shapes(layer.data if layer.kind in ("values", "valuesObject", "file") else None):
                    file = layer.file or app.file
                    path = layer.path if not layer.inside else ()
                    origin = Origin(
                        "values",
                        file,
                        layer.document if layer.file else app.document,
                        (*path, *shape.path),
                        producer=app,
                        inside=shape.path if layer.inside else (),
                    )
                    self._add_document(
                        file,
                        origin.document,
                        shape.body,
                        origin,
                        (*path, *shape.path) if shape.kind == "ApplicationSet" else (),
                        app.name,
                    )


def child_manifest(app: Application, objects: Iterable[Manifest]) -> Manifest | None:
    """Return the object that is this Application, among those that its producer renders."""
    for item in objects:
        if item.kind == "Application" and item.name == app.name and item.api_version.startswith("argoproj.io/"):
            return item
    return None
