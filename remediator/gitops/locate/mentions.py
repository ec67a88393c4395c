"""Whether an Application's files speak of a name at all: a search of bytes that saves most renderings."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from remediator.gitops.files import Files, join, kustomization_file
from remediator.gitops.model import Application, Source
from remediator.gitops.render import plain
from remediator.gitops.sources.source_type import source_type
from remediator.gitops.tree.scan import references
from remediator.gitops.yamlread import UnreadableYaml

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def speaks(repo: Checkout, app: Application, words: Sequence[str]) -> bool:
    """True where one of the words stands in what the Application reads, or where that cannot be told."""
    wanted = [word.encode() for word in words if word]
    own = repr((app.name, app.namespace, app.body.get("spec"))).encode("utf-8", "replace")
    if not wanted or any(word in own for word in wanted):
        return True
    for source in app.sources:
        if source_type(repo.store, source) not in ("directory", "kustomize", "helm"):
            return True
        for name in _names(repo.store, source):
            if any(word in posixpath.basename(name).encode("utf-8", "replace") for word in wanted):
                return True
            try:
                data = repo.store.read(name)
            except UnreadableYaml:
                continue
            if any(word in data for word in wanted):
                return True
    return False


def _names(files: Files, source: Source) -> Iterator[str]:
    kind = source_type(files, source)
    if kind == "directory":
        yield from plain.file_names(files, source)
    elif kind == "helm":
        yield from files.below(source.path)
    else:
        yield from _kustomized(files, source.path, set())


def _kustomized(files: Files, directory: str, seen: set[str]) -> Iterator[str]:
    """Files of a kustomization and of what its lists name, found without parsing."""
    name = kustomization_file(files, directory)
    if name is None or name in seen:
        return
    seen.add(name)
    yield name
    try:
        entries = references(files.read(name))
    except UnreadableYaml:
        return
    for entry in entries:
        target = join(directory, entry)
        if files.is_dir(target):
            yield from _kustomized(files, target, seen)
        elif files.is_file(target):
            yield target
