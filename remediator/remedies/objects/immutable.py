"""Fields that cannot change once the object exists: back to what the cluster holds, as the history shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.change import YamlPath
from remediator.domain.incident import Evidence
from remediator.gitops import Application, Manifest, history
from remediator.gitops.paths import MISSING, differing, get
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.objects.invalid import message_of, path_of
from remediator.remedies.views.application_field import complained, same

_OBJECT = re.compile(r'(?P<kind>[A-Z]\w+)(?:\.[\w.-]+)? "(?P<name>[^"]+)" is invalid: ')
_FIELD = re.compile(
    r"(?P<field>[a-z]\w*(?:\.[\w-]+|\[[^\]]*\])*): (?:Invalid value: .*?: |Forbidden: )"
    r"(?=field is immutable|.*?immutable|updates to|cannot change|may not change)",
    re.DOTALL,
)
_STATEFUL = re.compile(r"updates to statefulset spec for fields other than (?P<fields>'.*?) are forbidden")
_DEEP = 12
"""Commits of the object's file that are looked at."""


@dataclass(frozen=True)
class EarlierTemplate:
    """The object as an older commit had it, and what ended that."""

    body: dict[str, Any]
    said: str


def restore_immutable_field(case: RemedyContext) -> Iterator[Fix]:
    """Restore every value below the field that the API server refuses to change, together, from before one commit."""
    if not case.policies.actions["roll_back"].enabled:
        return
    done: set[tuple[str, str]] = set()
    for application, one in complained(case, *case.action.ends):
        text = message_of(one)
        match = _OBJECT.search(text)
        if match is None or (match["kind"], match["name"]) in done:
            continue
        done.add((match["kind"], match["name"]))
        for manifest in case.repository.objects(application):
            if manifest.kind == match["kind"] and manifest.name == match["name"]:
                yield from _restored(case, application, manifest, text[match.end() :], one)


def _restored(
    case: RemedyContext, application: Application, manifest: Manifest, text: str, one: Evidence
) -> Iterator[Fix]:
    fields, free = _fields(manifest, text)
    for earlier in _earlier(case, application, manifest):
        wants = [
            Want(application, manifest, path, MISSING if old is MISSING else old)
            for field in fields
            for path, old in _changes(manifest.body, earlier.body, field)
            if not any(path[: len(other)] == other for other in free)
        ]
        if not wants:
            continue
        wants += _labels_too(application, manifest, earlier.body, wants)
        names = ", ".join(dict.fromkeys(".".join(map(str, want.path[-2:])) for want in wants))
        yield Fix(
            title=f"restore {names} of `{manifest.name}`",
            reason=f"{earlier.said}. The cluster holds the old value and does not let it change.",
            evidence=case.cite(one),
            wants=tuple(wants),
            parameters={"object": f"{manifest.kind}/{manifest.name}"},
            score=0.9,
            rollback=earlier.said,
        )
        return


def _fields(manifest: Manifest, text: str) -> tuple[list[YamlPath], list[YamlPath]]:
    """(fields that cannot change, fields below them that can)."""
    if found := _STATEFUL.search(text):
        names = re.findall(r"'([\w.]+)'", found["fields"])
        return [("spec",)], [("spec", *name.split(".")) for name in names]
    if manifest.kind == "PersistentVolumeClaim":
        return [("spec",)], [("spec", "resources"), ("spec", "volumeAttributesClassName")]
    found_fields = [path_of(match["field"]) for match in _FIELD.finditer(text)]
    return list(dict.fromkeys(path for path in found_fields if path)), []


def _changes(now: dict[str, Any], then: dict[str, Any], field: YamlPath) -> Iterator[tuple[YamlPath, Any]]:
    """(path, old value) of everything below the field that was otherwise."""
    new, old = get(now, field), get(then, field)
    if old is MISSING and new is not MISSING:
        yield field, MISSING
    elif new is MISSING and old is not MISSING:
        yield field, old
    elif new is not MISSING:
        for path, value, _ in differing(old, new, field):
            yield path, value


def _labels_too(
    application: Application, manifest: Manifest, then: dict[str, Any], wants: list[Want]
) -> Iterator[Want]:
    """A selector that goes back needs the template's labels to still fit it."""
    labels: YamlPath = ("spec", "template", "metadata", "labels")
    held = get(manifest.body, labels)
    for want in wants:
        if want.path[:3] != ("spec", "selector", "matchLabels") or want.value is MISSING or len(want.path) != 4:
            continue
        key = want.path[3]
        if isinstance(held, dict) and held.get(str(key)) != want.value and get(then, (*labels, key)) == want.value:
            yield Want(application, manifest, (*labels, key), want.value)


def _earlier(case: RemedyContext, application: Application, manifest: Manifest) -> Iterator[EarlierTemplate]:
    """The object before each of the last commits to its files, newest first."""
    root = case.repository.root
    reads = {
        manifest.file,
        *(file for source in application.sources if source.local for file in _near(case, source.path)),
    }
    for commit in history.recent(root, limit=_DEEP, until=case.diagnosis.first_seen):
        files = [file for file in commit.files if file in reads or file == manifest.file]
        if not files:
            continue
        older = {file: history.file_at(root, f"{commit.commit}^", file) for file in files}
        past = case.repository.with_changes(older)
        owner = same(past, application)
        for item in past.objects(owner) if owner is not None else ():
            if item.identity == manifest.identity and item.body != manifest.body:
                yield EarlierTemplate(
                    item.body,
                    f"{manifest.kind} `{manifest.name}` was changed by {commit.commit[:7]} ({commit.subject!r}, {commit.when[:10]})",
                )


def _near(case: RemedyContext, path: str) -> Iterator[str]:
    """The files of the source's own directory: patches, values."""
    yield from case.repository.store.below(path) if case.repository.store.is_dir(path) else ()
