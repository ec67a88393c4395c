"""Find the parent of each Application: the Application whose source contains its text.

A directory source applies the files that it covers; a kustomization applies the files that its lists reach. So the text
of a child decides, not its labels, which exist only in the cluster.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace

from remediator.gitops.files import Files
from remediator.gitops.model import Application, Problem, Source, Tree
from remediator.gitops.render import plain
from remediator.gitops.sources.source_type import source_type
from remediator.gitops.tree.kustomizations import Kustomizations

Users = Mapping[str, list[tuple[Application, Source]]]
"""The Applications, with the source, that use each directory."""


def link(tree: Tree, files: Files, kustomized: Kustomizations) -> None:
    """Give every Application and ApplicationSet its parent; cycles are reported as problems."""
    _Linker(files, kustomized).link(tree)


class _Linker:
    def __init__(self, files: Files, kustomized: Kustomizations) -> None:
        self.files, self.kustomized = files, kustomized

    def link(self, tree: Tree) -> None:
        directories: dict[str, list[tuple[Application, Source]]] = {}
        listed: dict[str, str] = {}
        for app in tree.applications:
            for source in app.sources:
                if source.local and not source.chart:
                    directories.setdefault(source.path, []).append((app, source))
        for path, users in directories.items():
            if path in self.kustomized.refs:
                for file in self.kustomized.document_files(path):
                    listed.setdefault(file, users[0][0].name)
        parents = {}
        for index, app in enumerate(tree.applications):
            if not app.parent and app.origin is None:
                parents[index] = self._parent(app.file, app.name, directories, listed)
            elif not app.parent and app.origin is not None and app.origin.producer is not None:
                top = app.origin.producer.variant
                parents[index] = (
                    next((user.name for user, _ in directories.get(top, ()) if user.name != app.name), "")
                    if not app.origin.producer.body
                    else app.origin.producer.name
                )
        for index, parent in parents.items():
            tree.applications[index] = replace(tree.applications[index], parent=parent)
        tree.sets = [replace(item, parent=self._parent(item.file, "", directories, listed)) for item in tree.sets]
        _report_cycles(tree)

    def _parent(
        self,
        file: str,
        name: str,
        directories: Users,
        listed: Mapping[str, str],
    ) -> str:
        directory = posixpath.dirname(file)
        while True:
            for app, source in directories.get(directory, ()):
                if (
                    app.name != name
                    and directory not in self.kustomized.refs
                    and source_type(self.files, source) == "directory"
                    and plain.covers(source, file)
                ):
                    return app.name
            if not directory:
                break
            directory = posixpath.dirname(directory)
        parent = listed.get(file, "")
        return parent if parent != name else ""


def _report_cycles(tree: Tree) -> None:
    parent = {app.name: app.parent for app in tree.applications if app.parent}
    reported: set[str] = set()
    for app in tree.applications:
        chain: list[str] = []
        name = app.name
        while name in parent and name not in chain and name not in reported:
            chain.append(name)
            name = parent[name]
        if name in chain:
            ring = chain[chain.index(name) :]
            reported.update(ring)
            tree.problems.append(
                Problem(
                    "cycle",
                    "Applications apply each other: " + " → ".join([*ring, ring[0]]),
                    app.file,
                    application=app.name,
                )
            )
        reported.update(chain)
