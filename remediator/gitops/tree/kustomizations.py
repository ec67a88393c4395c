"""Find the kustomizations that include Applications, by their lists, without building them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from remediator.gitops.file_paths import join
from remediator.gitops.files import Files
from remediator.gitops.tree.scan import Facts

MAX_DEPTH = 40


class Kustomizations:
    """All kustomizations of a checkout, by directory."""

    def __init__(self, files: Files, facts: Mapping[str, Facts]) -> None:
        self.files = files
        self.value_files: set[str] = set()
        self.refs = {posixpath.dirname(name): item for name, item in facts.items() if item.refs is not None}
        self.document_holders = {name for name, item in facts.items() if item.documents}
        self._reached: dict[str, set[str]] = {}
        self._shaped: dict[str, bool] = {}

    def document_files(self, directory: str, chain: tuple[str, ...] = ()) -> set[str]:
        """Return the files with Argo CD documents that a kustomization includes."""
        if directory in self._reached:
            return self._reached[directory]
        item = self.refs.get(directory)
        files: set[str] = set()
        if item is not None and directory not in chain and len(chain) < MAX_DEPTH:
            for ref in item.refs or ():
                target = join(directory, ref)
                if target in self.document_holders:
                    files.add(target)
                elif target in self.refs and target != directory:
                    files |= self.document_files(target, (*chain, directory))
        self._reached[directory] = files
        return files

    def is_transforming(self, directory: str, chain: tuple[str, ...] = ()) -> bool:
        """Return whether the kustomization, or one that it includes, changes the objects that it includes."""
        item = self.refs.get(directory)
        if item is None or directory in chain:
            return False
        if directory not in self._shaped:
            self._shaped[directory] = item.transforms or any(
                self.is_transforming(join(directory, ref), (*chain, directory)) for ref in item.refs or ()
            )
        return self._shaped[directory]

    def runs_charts(self, directory: str, chain: tuple[str, ...] = ()) -> bool:
        """Return whether the kustomization, or one that it includes, has helmCharts."""
        item = self.refs.get(directory)
        if item is None or directory in chain or len(chain) > MAX_DEPTH:
            return False
        return item.has_charts or any(
            self.runs_charts(join(directory, ref), (*chain, directory)) for ref in item.refs or ()
        )

    def roots(self, pointed: set[str]) -> list[str]:
        """Return the kustomizations to build for their Applications: those of a source, or included by no other."""
        if not self.document_holders and not any(item.has_charts for item in self.refs.values()):
            return []
        holders = {
            name
            for name in self.refs
            if (self.document_files(name) and self.is_transforming(name)) or self.runs_charts(name)
        }
        used = {join(name, ref) for name in holders for ref in self.refs[name].refs or ()}
        return sorted(name for name in holders if name in pointed or name not in used)
