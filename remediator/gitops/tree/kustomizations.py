"""Which kustomizations reach Applications, told from the lists in them without parsing."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from remediator.gitops.files import Files, join
from remediator.gitops.tree.scan import Facts

MAX_DEPTH = 40


class Kustomizations:
    """All kustomizations of a checkout, by directory."""

    def __init__(self, files: Files, facts: Mapping[str, Facts]) -> None:
        self.files = files
        self.value_files: set[str] = set()
        self.refs = {posixpath.dirname(name): item for name, item in facts.items() if item.refs is not None}
        self.holding = {name for name, item in facts.items() if item.documents}
        self._reached: dict[str, set[str]] = {}
        self._shaped: dict[str, bool] = {}

    def reach(self, directory: str, chain: tuple[str, ...] = ()) -> set[str]:
        """Files with Argo CD documents under a kustomization."""
        if directory in self._reached:
            return self._reached[directory]
        item = self.refs.get(directory)
        files: set[str] = set()
        if item is not None and directory not in chain and len(chain) < MAX_DEPTH:
            for ref in item.refs or ():
                target = join(directory, ref)
                if target in self.holding:
                    files.add(target)
                elif target in self.refs and target != directory:
                    files |= self.reach(target, (*chain, directory))
        self._reached[directory] = files
        return files

    def shaped(self, directory: str, chain: tuple[str, ...] = ()) -> bool:
        """Whether the kustomization, or one it includes, changes what it includes."""
        item = self.refs.get(directory)
        if item is None or directory in chain:
            return False
        if directory not in self._shaped:
            self._shaped[directory] = item.shapes or any(
                self.shaped(join(directory, ref), (*chain, directory)) for ref in item.refs or ()
            )
        return self._shaped[directory]

    def inflates(self, directory: str, chain: tuple[str, ...] = ()) -> bool:
        """Whether the kustomization, or one it includes, runs charts."""
        item = self.refs.get(directory)
        if item is None or directory in chain or len(chain) > MAX_DEPTH:
            return False
        return item.inflates or any(self.inflates(join(directory, ref), (*chain, directory)) for ref in item.refs or ())

    def tops(self, pointed: set[str]) -> list[str]:
        """Kustomizations to build for their Applications: pointed at, or used by no other."""
        if not self.holding and not any(item.inflates for item in self.refs.values()):
            return []
        holders = {name for name in self.refs if (self.reach(name) and self.shaped(name)) or self.inflates(name)}
        used = {join(name, ref) for name in holders for ref in self.refs[name].refs or ()}
        return sorted(name for name in holders if name in pointed or name not in used)
