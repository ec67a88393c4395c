"""Find the Applications that read a file, so that an edit's effect on other Applications is known.

A fix may only change what the incident asks for, so the proposal lists every other Application that the file reaches.
"""

from __future__ import annotations

import posixpath

from remediator.gitops.model import Application
from remediator.gitops.render import plain
from remediator.gitops.render.helm import release
from remediator.gitops.render.kustomize import build
from remediator.gitops.render.render import Renderer
from remediator.gitops.sources.layout import override_files
from remediator.gitops.sources.source_type import source_type
from remediator.gitops.tree.scan import is_yaml


class Feeds:
    """The files that each Application of one tree reads; they are determined at most once per Application."""

    def __init__(self, applications: list[Application], renderer: Renderer) -> None:
        self.applications, self.renderer, self.files = applications, renderer, renderer.files
        self._sets: dict[str, frozenset[str]] = {}
        self._builds: dict[str, frozenset[str]] = {}

    def readers(self, file: str) -> list[Application]:
        """Return the Applications whose rendering reads the file."""
        return [app for app in self.applications if self.reads(app, file)]

    def reads(self, app: Application, file: str) -> bool:
        """Return whether the Application's rendering reads the file."""
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

    def files_of(self, app: Application) -> list[str]:
        """Return the files that an Application reads, including the file of the Application itself."""
        files = {app.file} - {""}
        for source in app.sources:
            kind = source_type(self.files, source)
            if kind == "directory":
                files.update(plain.file_names(self.files, source))
            elif kind == "kustomize":
                files |= self._kustomize(source.path)
            else:
                files |= self._values(app)
            files.update(name for name in override_files(source.path, app.name) if self.files.is_file(name))
        if any(source_type(self.files, source) == "helm" for source in app.sources):
            files |= {name for source in app.sources if source.local for name in self.files.below(source.path)}
        return sorted(files)

    def _kustomize(self, path: str) -> frozenset[str]:
        if path not in self._builds:
            self._builds[path] = frozenset(build(self.files, path).files)
        return self._builds[path]

    def _values(self, app: Application) -> frozenset[str]:
        name = repr(app.key)
        if name not in self._sets:
            files: set[str] = set()
            for source in app.sources:
                if source.options("helm"):
                    files |= release(self.files, self.renderer.layout, app, source).files
            self._sets[name] = frozenset(files)
        return self._sets[name]

    def values_readers(self, file: str) -> list[Application]:
        """Return the readers of a file; a value file beside a chart counts only for the Applications that name it."""
        return [app for app in self.readers(file) if self._is_used_by(app, file)]

    def _is_used_by(self, app: Application, file: str) -> bool:
        directory, name = posixpath.split(file)
        same_directory = [source for source in app.sources if source.local and source.path == directory]
        charts = [source for source in same_directory if source_type(self.files, source) == "helm"]
        if not charts or name in _CHART_FILES or not is_yaml(name):
            return True
        layers = [layer for source in charts for layer in release(self.files, self.renderer.layout, app, source).layers]
        return any(layer.file == file for layer in layers)


_CHART_FILES = frozenset(("Chart.yaml", "values.yaml", "requirements.yaml"))


def _under(file: str, directory: str) -> bool:
    return not directory or file == directory or file.startswith(directory + "/")
