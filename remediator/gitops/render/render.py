"""Render an Application to the objects that it would apply: each source by its tool, cached by content.

The tools render where they are installed, since only their output is certain. Without them, and where helm fails, the
sources are read statically, and `Rendering.sure` says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remediator.gitops.file_paths import printable
from remediator.gitops.files import Files
from remediator.gitops.model import Application, Manifest, Problem, Source, SourceType
from remediator.gitops.render import helm, helm_render, kustomize_render, plain
from remediator.gitops.render.helm_model import Release
from remediator.gitops.render.kustomize_model import Build
from remediator.gitops.sources.cache import Cache
from remediator.gitops.sources.layout import Layout
from remediator.gitops.sources.source_type import source_type
from remediator.gitops.sources.tools import ToolFailed, Tools
from remediator.gitops.yamlread import UnreadableYaml


@dataclass(slots=True)
class Rendering:
    """The objects of one Application, and the problems that prevented others."""

    manifests: list[Manifest] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    types: list[SourceType] = field(default_factory=list)
    releases: dict[int, Release] = field(default_factory=dict)
    builds: dict[int, Build] = field(default_factory=dict)
    sure: bool = True
    """False where a tool was not installed, or failed, and its input was read statically."""
    fallback: bool = False
    """True where helm failed: what is rendered then is what the templates say, and no cluster has it."""


class Renderer:
    """Renders the Applications of one checkout, each at most once."""

    def __init__(self, files: Files, layout: Layout, tools: Tools, cache: Cache) -> None:
        self.files, self.layout, self.tools, self.cache = files, layout, tools, cache
        self._renderings: dict[tuple[Any, ...], Rendering] = {}

    def rendering(self, app: Application) -> Rendering:
        """Return the Application's objects, rendered at most once."""
        key = (*app.key, app.parent)
        if key not in self._renderings:
            self._renderings[key] = self._render(app)
        return self._renderings[key]

    def _render(self, app: Application) -> Rendering:
        result = Rendering()
        for index, source in enumerate(app.sources):
            kind = source_type(self.files, source)
            result.types.append(kind)
            if source.ref and not source.chart and "path" not in source.body:
                continue
            self._render_source(app, index, source, kind, result)
        if not app.sources:
            result.problems.append(
                Problem("missing-path", "the Application has no source", app.file, application=app.name)
            )
        result.problems = list(dict.fromkeys(result.problems))
        return result

    def _render_source(self, app: Application, index: int, source: Source, kind: SourceType, result: Rendering) -> None:
        match kind:
            case "directory":
                objects, problems = plain.read(self.files, app, source)
                result.manifests += objects
                result.problems += problems
            case "kustomize":
                self._render_kustomize(app, index, source, result)
            case "helm":
                self._render_helm(app, index, source, result)
            case "missing":
                words = (
                    f"path {printable(str(source.body.get('path')))} does not exist"
                    if source.body.get("path") is not None
                    else "the source has neither path nor chart"
                )
                result.problems.append(Problem("missing-path", words, app.file, application=app.name))
            case "remote":
                self._render_remote(app, index, source, result)
            case _:
                words = {
                    "plugin": "a config-management plugin",
                    "hydrator": "the source hydrator",
                    "jsonnet": "jsonnet",
                }[kind]
                result.problems.append(
                    Problem(
                        "declined",
                        f"{source.path or app.name} is rendered by {words}, which is not supported",
                        app.file,
                        application=app.name,
                    )
                )

    def _render_remote(self, app: Application, index: int, source: Source, result: Rendering) -> None:
        result.releases[index] = release = helm.release(self.files, self.layout, app, source)
        result.problems += release.problems
        if release.chart:
            result.types[-1] = "helm"
            self._add_helm_objects(release, result)
            return
        chart = f"chart {source.chart} {source.revision} of {source.repo_url}"
        words = chart if source.chart else f"{source.path or '.'} of {source.repo_url}"
        words = f"{words} is not in this repository{_not_pulled(release.not_pulled.get(source.chart))}"
        result.problems.append(Problem("remote", words, app.file, application=app.name))

    def _render_kustomize(self, app: Application, index: int, source: Source, result: Rendering) -> None:
        result.builds[index] = build = kustomize_render.read(self.files, source)
        problems = kustomize_render.problems_of(build, app)
        if self.tools.kustomize:
            try:
                output = self.cache.text(
                    self.key("kustomize", app, source, build.files | self._sibling_files(build)),
                    lambda: kustomize_render.run(self.files, self.tools, source, build),
                )
                result.manifests += kustomize_render.manifests(output, app, source, build)
                result.problems += [item for item in problems if not item.fault or item.kind == "parse"]
                self._report_missing_charts(app, build, result)
            except ToolFailed as error:
                if (
                    not error.absent
                    and not build.remote
                    and not build.charts
                    and not any(item.fault for item in problems)
                ):
                    problems.append(Problem("render", str(error), source.path, application=app.name))
            except UnreadableYaml as error:
                problems.append(
                    Problem(
                        "render",
                        f"the output of kustomize cannot be read: {error.message}",
                        source.path,
                        application=app.name,
                    )
                )
            else:
                return
        result.sure = False
        result.manifests += kustomize_render.static_manifests(app, source, build)
        result.problems += problems
        self._report_missing_charts(app, build, result)

    def _report_missing_charts(self, app: Application, build: Build, result: Rendering) -> None:
        for file, _, chart in build.charts:
            home = kustomize_render.chart_home(self.files, file.rpartition("/")[0])
            if not self.files.is_dir(f"{home}/{chart.get('name')}"):
                result.problems.append(
                    Problem(
                        "remote",
                        f"chart {chart.get('name')} {chart.get('version', '')} of {chart.get('repo', '')} is not in this repository",
                        file,
                        application=app.name,
                    )
                )

    def _sibling_files(self, build: Build) -> set[str]:
        return {
            f"{directory}/{name}" if directory else name
            for directory in build.directories
            for name in self.files.entries(directory)[0]
        }

    def _render_helm(self, app: Application, index: int, source: Source, result: Rendering) -> None:
        result.releases[index] = release = helm.release(self.files, self.layout, app, source)
        result.problems += release.problems
        for name in release.missing:
            result.problems.append(
                Problem(
                    "remote",
                    f"dependency {name} of the chart is not vendored{_not_pulled(release.not_pulled.get(name))}",
                    f"{source.path}/Chart.yaml",
                    application=app.name,
                )
            )
        self._add_helm_objects(release, result)

    def _add_helm_objects(self, release: Release, result: Rendering) -> None:
        values = helm_render.user_values(release.layers)
        manifests, problems, sure = self.helm_objects(release, values)
        if any(problem.kind == "render" for problem in problems):
            release.static, result.fallback = True, True
            manifests, unread, sure = self.helm_objects(release, values)
            problems = [*problems, *unread]
        result.manifests += manifests
        result.problems += problems
        result.sure = result.sure and sure

    def helm_objects(self, release: Release, values: Mapping[str, Any]) -> tuple[list[Manifest], list[Problem], bool]:
        """Return the release's objects with these values, the problems, and whether helm itself made them."""
        app, source = release.app, release.source
        if any(problem.kind in ("missing-file", "parse") for problem in release.problems):
            return [], [], True
        if self.tools.helm and not release.static:
            try:
                name = self.key(
                    "helm",
                    app,
                    source,
                    release.files,
                    repr(values),
                    release.name,
                    release.namespace,
                    files=release.view,
                )
                stored = self.cache.objects(name)
                if stored is None:
                    objects = helm_render.run(release.view or self.files, self.tools, release, values)
                    self.cache.keep_objects(name, objects)
                    return objects, [], True
                return (
                    [
                        Manifest.of(item["body"], app, source, file=item["file"], document=item["document"])
                        for item in stored
                    ],
                    [],
                    True,
                )
            except ToolFailed as error:
                if not error.absent:
                    return [], [Problem("render", str(error), source.path, application=app.name)], True
            except UnreadableYaml as error:
                return (
                    [],
                    [
                        Problem(
                            "render",
                            f"the chart's output cannot be read: {error.message}",
                            source.path,
                            application=app.name,
                        )
                    ],
                    True,
                )
        from remediator.gitops.render import helm_static

        objects, problems = helm_static.render(release.view or self.files, release, values)
        return objects, problems, False

    def key(
        self, tool: str, app: Application, source: Source, names: set[str], *extra: str, files: Files | None = None
    ) -> str:
        """Return a digest of everything the rendering depends on."""
        files = files or self.files
        digest = hashlib.sha256(
            repr((tool, self.tools, app.name, app.namespace, source.path, source.body, extra)).encode(
                "utf-8", "surrogateescape"
            )
        )
        for name in sorted(names):
            try:
                data = files.read(name)
            except UnreadableYaml:
                data = b"\0"
            digest.update(f"{len(name)}:{name}:{len(data)}:".encode("utf-8", "surrogateescape"))
            digest.update(data)
        return digest.hexdigest()


def _not_pulled(reason: str | None) -> str:
    """Return the end of a sentence that says why a chart was not pulled; empty where none was asked for."""
    return f" and was not pulled: {reason}" if reason else ""
