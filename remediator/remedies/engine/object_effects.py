"""The rendered objects before and after a change, whatever the changed files look like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import mapping_at
from remediator.gitops import Application, ObjectChange, Repository
from remediator.policy.leaves import documents
from remediator.remedies.engine.unprovable import Unprovable


@dataclass(frozen=True)
class ObjectEffect:
    """One rendered object before and after a change; None where it is not there."""

    application: Application | None
    kind: str
    name: str
    namespace: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reappears: bool = False
    """The Application did not render before, so that all of its objects seem new."""

    @property
    def label(self) -> str:
        """Return kind and name for a sentence."""
        return f"{self.kind} `{self.name}`"


def object_effects(
    before: Repository, after: Repository, differences: Sequence[ObjectChange], files: Mapping[str, bytes | None]
) -> Iterator[ObjectEffect]:
    """Yield every object that a change alters: rendered ones, the Applications themselves, and texts without rendering."""
    seen: set[tuple[str, str, str, str]] = set()
    for change in differences:
        identity = (change.application, change.kind, change.name, change.namespace)
        if change.scope not in ("field", "object") or identity in seen:
            continue
        seen.add(identity)
        old = before.application(change.application)
        yield ObjectEffect(
            old, change.kind, change.name, change.namespace,
            _body(before, change), _body(after, change),
            reappears=old is not None and any(problem.fault for problem in before.problems_of(old)),
        )  # fmt: skip
    yield from _applications(before, after)
    yield from _unrendered(before, differences, files)


def _body(repository: Repository, change: ObjectChange) -> Mapping[str, Any] | None:
    objects = (
        manifest
        for application in repository.applications
        if application.name == change.application
        for manifest in repository.objects(application)
    )
    identity = (change.kind, change.name, change.namespace)
    return next((item.body for item in objects if (item.kind, item.name, item.namespace) == identity), None)


def _applications(before: Repository, after: Repository) -> Iterator[ObjectEffect]:
    old = {app.key: app for app in before.applications}
    new = {app.key: app for app in after.applications}
    for key in dict.fromkeys((*old, *new)):
        first, second = old.get(key), new.get(key)
        application = first or second
        if application is None or (first is not None and second is not None and first.body == second.body):
            continue
        yield ObjectEffect(
            application, "Application", application.name, application.object_namespace,
            first.body if first else None, second.body if second else None,
        )  # fmt: skip


def _unrendered(
    before: Repository, differences: Sequence[ObjectChange], files: Mapping[str, bytes | None]
) -> Iterator[ObjectEffect]:
    """Yield the texts whose effect no rendering shows, each document as an object without a kind."""
    shown = {change.application for change in differences}
    for file, text in files.items():
        readers = before.feeds.readers(file)
        if readers and all(app.name in shown for app in readers):
            continue
        old = documents(read_or_none(before, file))
        new = documents(text)
        if new is None:
            raise Unprovable(f"{file}: what the change does can be seen neither in objects nor in the text")
        for index in range(max(len(old or ()), len(new))):
            first = old[index] if old and index < len(old) else None
            second = new[index] if index < len(new) else None
            if first != second and all(isinstance(side, dict) or side is None for side in (first, second)):
                yield _of_document(file, first, second, reappears=old is None)


def _of_document(
    file: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *, reappears: bool
) -> ObjectEffect:
    """Return the effect on a document; one without a kind is a text of values, named by its file."""
    document = after or before or {}
    metadata = mapping_at(document, "metadata")
    kind, name, namespace = document.get("kind", ""), metadata.get("name") or file, metadata.get("namespace", "")
    return ObjectEffect(None, str(kind), str(name), str(namespace), before, after, reappears)


def read_or_none(repository: Repository, file: str) -> bytes | None:
    """Return a file's bytes; None where the checkout has no such file."""
    return repository.store.read(file) if repository.store.is_file(file) else None
