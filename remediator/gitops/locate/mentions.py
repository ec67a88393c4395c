"""Tell whether an Application's files mention a name at all: a search of bytes that saves most renderings."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from remediator.gitops.file_paths import join
from remediator.gitops.files import Files, kustomization_file
from remediator.gitops.model import Application, Source
from remediator.gitops.render import plain
from remediator.gitops.sources.source_type import source_type
from remediator.gitops.tree.scan import references
from remediator.gitops.yamlread import UnreadableYaml

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def mentions_any(repo: Checkout, app: Application, words: Sequence[str]) -> bool:
    """Return True where one of the words stands in what the Application reads, or where that cannot be told."""
    encoded_words = [word.encode() for word in words if word]
    application_text = repr((app.name, app.namespace, app.body.get("spec"))).encode("utf-8", "replace")
    if not encoded_words or any(word in application_text for word in encoded_words):
        return True
    for source in app.sources:
        if source_type(repo.store, source) not in ("directory", "kustomize", "helm"):
            return True
        for name in _names(repo.store, source):
            if any(word in posixpath.basename(name).encode("utf-8", "replace") for word in encoded_words):
                return True
            try:
                data = repo.store.read(name)
            except UnreadableYaml:
                continue
            if any(word in data for word in encoded_words):
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


def _kustomized(files: Files, directory: str, visited: set[str]) -> Iterator[str]:
    """Yield the files of a kustomization and of what its lists name, without parsing them."""
    name = kustomization_file(files, directory)
    if name is None or name in visited:
        return
    visited.add(name)
    yield name
    try:
        entries = references(files.read(name))
    except UnreadableYaml:
        return
    for entry in entries:
        target = join(directory, entry)
        if files.is_dir(target):
            yield from _kustomized(files, target, visited)
        elif files.is_file(target):
            yield target
