"""Which Applications read a file: the others that an edit would reach."""

from __future__ import annotations

import posixpath

from remediator.gitops import plain
from remediator.gitops.kustomize import build
from remediator.gitops.layout import override_files
from remediator.gitops.model import Application
from remediator.gitops.render import Renderer
from remediator.gitops.sources import source_type


class Feeds:
    """Answers for one tree; the files of an Application are read at most once."""

    def __init__(self, applications: list[Application], renderer: Renderer) -> None:
        self.applications, self.renderer, self.files = applications, renderer, renderer.files
        self._sets: dict[str, frozenset[str]] = {}
        self._builds: dict[str, frozenset[str]] = {}

    def of(self, file: str) -> list[Application]:
        """The Applications whose rendering reads the file."""
        return [app for app in self.applications if self.reads(app, file)]

    def reads(self, app: Application, file: str) -> bool:
        """Whether the Application's rendering reads the file."""
        for source in app.sources:
            if not source.local:
                continue
            kind = source_type(self.files, source)
            if kind == "directory":
                if plain.covers(source, file):
                    return True
            elif kind == "kustomize":
                if file in self._kustomize(source.path):
                    return True
            elif kind == "helm" and (_under(file, source.path) or file in self._values(app)):
                return True
            if file in override_files(source.path, app.name):
                return True
        return any(source.chart for source in app.sources) and file in self._values(app)

    def _kustomize(self, path: str) -> frozenset[str]:
        if path not in self._builds:
            self._builds[path] = frozenset(build(self.files, path).files)
        return self._builds[path]

    def _values(self, app: Application) -> frozenset[str]:
        name = repr(app.key)
        if name not in self._sets:
            from remediator.gitops.helm import release

            found: set[str] = set()
            for source in app.sources:
                if source.options("helm"):
                    found |= release(self.files, self.renderer.layout, app, source).files
            self._sets[name] = frozenset(found)
        return self._sets[name]

    def values_readers(self, file: str) -> list[Application]:
        """Like `of`, but a chart's other value files do not count as read by every user of the chart."""
        result = []
        for app in self.of(file):
            helm = [
                source
                for source in app.sources
                if source.local and source_type(self.files, source) == "helm" and _under(file, source.path)
            ]
            if (
                helm
                and posixpath.basename(file) != "values.yaml"
                and not any("templates/" in file or file.endswith("Chart.yaml") for _ in helm)
            ):
                from remediator.gitops.helm import release

                layers = [
                    layer.file
                    for source in helm
                    for layer in release(self.files, self.renderer.layout, app, source).layers
                ]
                if file not in layers and not _templates(file):
                    continue
            result.append(app)
        return result


def _under(file: str, directory: str) -> bool:
    return not directory or file == directory or file.startswith(directory + "/")


def _templates(file: str) -> bool:
    return "/templates/" in file or file.startswith("templates/")
