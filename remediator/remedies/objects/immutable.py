"""Fields that cannot change once the object exists: restore the values that the cluster still has.

The cluster keeps the object as it was before the refused change, so the last commit in which the fields were different
shows its values. They go back together: one of several restored fields would be refused again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get, value_differences
from remediator.gitops import Application, Manifest, history
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.objects.refusal import message_of, path_of
from remediator.remedies.views.application_field import complaints, counterpart

_OBJECT = re.compile(r'(?P<kind>[A-Z]\w+)(?:\.[\w.-]+)? "(?P<name>[^"]+)" is invalid: ')
_FIELD = re.compile(
    r"(?P<field>[a-z]\w*(?:\.[\w-]+|\[[^\]]*\])*): (?:Invalid value: .*?: |Forbidden: )"
    r"(?=field is immutable|.*?immutable|updates to|cannot change|may not change)",
    re.DOTALL,
)
_STATEFUL = re.compile(r"updates to statefulset spec for fields other than (?P<fields>'.*?) are forbidden")
_COMMITS = 12
"""Number of commits that are read back from the newest one."""


@dataclass(frozen=True)
class EarlierTemplate:
    """The object before a commit changed it."""

    body: dict[str, Any]
    change: str
    """The commit that changed it, in one sentence."""


def restore_immutable_field(case: RemedyContext) -> Iterator[Fix]:
    """Restore every value below the field that the API server refuses to change, together, from before one commit."""
    if not case.policies.actions["roll_back"].enabled:
        return
    handled: set[tuple[str, str]] = set()
    for application, evidence in complaints(case, *case.action.ends):
        text = message_of(evidence)
        match = _OBJECT.search(text)
        if match is None or (match["kind"], match["name"]) in handled:
            continue
        handled.add((match["kind"], match["name"]))
        for manifest in case.repository.objects(application):
            if manifest.kind == match["kind"] and manifest.name == match["name"]:
                yield from _restored(case, application, manifest, text[match.end() :], evidence)


def _restored(
    case: RemedyContext, application: Application, manifest: Manifest, text: str, evidence: Evidence
) -> Iterator[Fix]:
    fields, changeable = _fields(manifest, text)
    for earlier in _earlier_templates(case, application, manifest):
        wants = [
            Want(application, manifest, path, MISSING if old is MISSING else old)
            for field in fields
            for path, old in _changes(manifest.body, earlier.body, field)
            if not any(path[: len(prefix)] == prefix for prefix in changeable)
        ]
        if not wants:
            continue
        wants += _selected_labels(application, manifest, earlier.body, wants)
        names = ", ".join(dict.fromkeys(".".join(map(str, want.path[-2:])) for want in wants))
        yield Fix(
            title=f"restore {names} of `{manifest.name}`",
            reason=f"{earlier.change}. The cluster has the old value, and this field cannot change.",
            evidence=case.cite(evidence),
            wants=tuple(wants),
            parameters={"object": f"{manifest.kind}/{manifest.name}"},
            score=0.9,
            rollback=earlier.change,
        )
        return


def _fields(manifest: Manifest, text: str) -> tuple[list[YamlPath], list[YamlPath]]:
    """Return the fields that cannot change, and the fields below them that can."""
    if match := _STATEFUL.search(text):
        names = re.findall(r"'([\w.]+)'", match["fields"])
        return [("spec",)], [("spec", *name.split(".")) for name in names]
    if manifest.kind == "PersistentVolumeClaim":
        return [("spec",)], [("spec", "resources"), ("spec", "volumeAttributesClassName")]
    paths = [path_of(match["field"]) for match in _FIELD.finditer(text)]
    return list(dict.fromkeys(path for path in paths if path)), []


def _changes(now: dict[str, Any], then: dict[str, Any], field: YamlPath) -> Iterator[tuple[YamlPath, Any]]:
    """Yield (path, old value) of everything below the field that was different."""
    new, old = get(now, field), get(then, field)
    if old is MISSING and new is not MISSING:
        yield field, MISSING
    elif new is MISSING and old is not MISSING:
        yield field, old
    elif new is not MISSING:
        for path, value, _ in value_differences(old, new, field):
            yield path, value


def _selected_labels(
    application: Application, manifest: Manifest, then: dict[str, Any], wants: list[Want]
) -> Iterator[Want]:
    """Yield the template's labels that must be restored with the selector, so that the two still fit."""
    labels: YamlPath = ("spec", "template", "metadata", "labels")
    current = get(manifest.body, labels)
    for want in wants:
        if want.path[:3] != ("spec", "selector", "matchLabels") or want.value is MISSING or len(want.path) != 4:
            continue
        key = want.path[3]
        if (
            isinstance(current, dict)
            and current.get(str(key)) != want.value
            and get(then, (*labels, key)) == want.value
        ):
            yield Want(application, manifest, (*labels, key), want.value)


def _earlier_templates(case: RemedyContext, application: Application, manifest: Manifest) -> Iterator[EarlierTemplate]:
    """Yield the object before each of the last commits to its files, newest first."""
    root = case.repository.root
    sources = {
        manifest.file,
        *(file for source in application.sources if source.local for file in _files_of(case, source.path)),
    }
    for commit in history.recent(root, limit=_COMMITS, until=case.diagnosis.first_seen):
        files = [file for file in commit.files if file in sources or file == manifest.file]
        if not files:
            continue
        older = {file: history.file_at(root, f"{commit.commit}^", file) for file in files}
        earlier = case.repository.with_changes(older)
        owner = counterpart(earlier, application)
        for item in earlier.objects(owner) if owner is not None else ():
            if item.identity == manifest.identity and item.body != manifest.body:
                yield EarlierTemplate(
                    item.body,
                    f"{manifest.kind} `{manifest.name}` was changed by {commit.commit[:7]} ({commit.subject!r}, {commit.when[:10]})",
                )


def _files_of(case: RemedyContext, path: str) -> Iterator[str]:
    """Yield the files of the source's own directory: patches, values."""
    yield from case.repository.store.below(path) if case.repository.store.is_dir(path) else ()
