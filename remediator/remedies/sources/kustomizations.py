"""Entries of a kustomization that name a missing file, or name a file twice.

A correction is accepted only if the Application then renders with fewer faults and with no new one, because an entry
that exists can still be the wrong one.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath
from remediator.errors import ConfigError
from remediator.gitops import Application, Repository, history
from remediator.gitops.file_paths import join
from remediator.gitops.files import kustomization_file
from remediator.policy.leaves import documents
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.older_values import LOOK_BACK, describe_change
from remediator.remedies.engine.path_spelling import surely_meant
from remediator.remedies.views.application_field import (
    affected_applications,
    complaints,
    counterpart,
    has_no_faults,
    with_edits,
)

_REMOTE = re.compile(r"^[a-z+]+://|^git@|^(?:github|gitlab|bitbucket)\.|\?ref=")
_PLAIN_LISTS = (
    "resources",
    "bases",
    "components",
    "patchesStrategicMerge",
    "crds",
    "configurations",
    "generators",
    "transformers",
    "validators",
)
_PATH_LISTS = ("patches", "patchesJson6902", "replacements")
_MAX_DIRECTORIES = 200


@dataclass(frozen=True)
class ResourceEntry:
    """One file or directory that a kustomization names."""

    file: str
    """The path of the kustomization."""
    path: YamlPath
    value: str
    target: str
    """The path of the named file, relative to the root of the checkout."""
    front: str = ""
    """The text before the name: the `key=` of a generator's file."""

    @property
    def listed(self) -> bool:
        """True where the entry adds objects; False where it changes them."""
        return self.path[0] in ("resources", "bases", "components")


def fix_kustomize_resource(case: RemedyContext) -> Iterator[Fix]:
    """Name the file that was meant, where an entry names a missing one."""
    for application, evidence in complaints(case, "kustomize_resource_missing", "kustomize_failed"):
        if has_no_faults(case.repository, application):
            continue  # the newest commit corrected it
        entries = [
            entry
            for source in application.sources
            if source.local
            for entry in entries_below(case.repository, source.path)
        ]
        for entry in entries:
            if not _exists(case.repository, entry) and _is_named(evidence, entry):
                yield from _corrected(case, application, entry, entries, evidence)
    yield from _remove_duplicates(case)


def _remove_duplicates(case: RemedyContext) -> Iterator[Fix]:
    """Remove the second entry of a file that one kustomization lists twice."""
    for application, evidence in complaints(case, "duplicate_resource"):
        for source in application.sources:
            listed: set[tuple[str, str]] = set()
            for entry in entries_below(case.repository, source.path) if source.local else ():
                key = (entry.file, entry.target.rstrip("/"))
                if entry.listed and key in listed and _is_named(evidence, entry):
                    place = Place(
                        file=entry.file, path=entry.path, value=entry.value, why="the second entry of the same file"
                    )
                    yield Fix(
                        title=f"list {entry.value} once in {entry.file}",
                        reason=f"`{entry.file}` lists `{entry.value}` twice; kustomize refuses to add an object twice.",
                        evidence=case.cite(evidence),
                        edits=(Edit(op="delete", file=entry.file, path=entry.path),),
                        places=(place,),
                        applications=tuple(dict.fromkeys([application, *_applications_of(case, application, entry)])),
                        parameters={"entry": entry.value},
                        score=0.8,
                    )
                listed.add(key)


def entries_below(repository: Repository, directory: str) -> list[ResourceEntry]:
    """Return every entry of a directory's kustomization and of those that it includes."""
    result: list[ResourceEntry] = []
    pending = [directory]
    files: set[str] = set()
    while pending and len(files) < _MAX_DIRECTORIES:
        current = pending.pop(0)
        file = kustomization_file(repository.store, current)
        if file is None or file in files:
            continue
        files.add(file)
        for entry in _entries(repository, file, current):
            result.append(entry)
            if entry.listed and repository.store.is_dir(entry.target):
                pending.append(entry.target)
    return result


def _entries(repository: Repository, file: str, directory: str) -> Iterator[ResourceEntry]:
    try:
        bodies = documents(repository.read(file))
    except ConfigError:
        return
    body = bodies[0] if bodies else None
    if not isinstance(body, dict):
        return
    for path, value, front in _named_files(body):
        if "\n" not in value and not _REMOTE.search(value):
            yield ResourceEntry(file, path, value, join(directory, value), front)


def _named_files(body: dict[str, Any]) -> Iterator[tuple[YamlPath, str, str]]:
    """Yield (path, file name, text before it) for everything in a kustomization that names a file."""
    for key in _PLAIN_LISTS:
        for index, item in enumerate(_list(body, key)):
            if isinstance(item, str):
                yield (key, index), item, ""
    for key, field in (*((key, "path") for key in _PATH_LISTS), ("helmCharts", "valuesFile")):
        for index, item in enumerate(_list(body, key)):
            if isinstance(item, dict) and isinstance(item.get(field), str):
                yield (key, index, field), item[field], ""
    for key in ("configMapGenerator", "secretGenerator"):
        for index, item in enumerate(_list(body, key)):
            if isinstance(item, dict):
                yield from _generator(item, (key, index))


def _generator(item: dict[str, Any], path: YamlPath) -> Iterator[tuple[YamlPath, str, str]]:
    for kind in ("files", "envs"):
        for number, text in enumerate(_list(item, kind)):
            front, equals, name = str(text).rpartition("=")
            yield (*path, kind, number), name, front + equals
    if isinstance(item.get("env"), str):
        yield (*path, "env"), item["env"], ""


def _list(body: dict[str, Any], key: str) -> list[Any]:
    items = body.get(key)
    return items if isinstance(items, list) else []


def _exists(repository: Repository, entry: ResourceEntry) -> bool:
    return repository.store.is_file(entry.target) or repository.store.is_dir(entry.target)


def _is_named(evidence: Evidence, entry: ResourceEntry) -> bool:
    """Return True where the message names this entry; kustomize quotes it as the file has it."""
    base = posixpath.basename(entry.value.rstrip("/"))
    resource = evidence.facts.get("resource", "")
    return base in evidence.text or (bool(resource) and posixpath.basename(resource) == base)


def _corrected(
    case: RemedyContext,
    application: Application,
    entry: ResourceEntry,
    entries: list[ResourceEntry],
    evidence: Evidence,
) -> Iterator[Fix]:
    new = _nearest_entry(case.repository, entry, entries)
    place = Place(
        file=entry.file, path=entry.path, value=entry.front + entry.value, why="the kustomization's own entry"
    )
    yield from _restored(case, application, entry, place, evidence)
    if new and (fix := _fix(case, application, entry, place, new, evidence)):
        yield fix


def _nearest_entry(repository: Repository, entry: ResourceEntry, entries: list[ResourceEntry]) -> str:
    """Return the entry for the file or directory of nearly that name beside it that is not listed yet."""
    home, base = posixpath.split(entry.target.rstrip("/"))
    if not repository.store.is_dir(home):
        return _nearest_directory(repository, entry, home, base)
    files, directories = repository.store.entries(home)
    listed = {sibling.target.rstrip("/") for sibling in entries if sibling.file == entry.file}
    kustomizations = {name for name in files if name.lower().startswith("kustomization")}
    candidates = [
        name for name in (*files, *directories) if name not in kustomizations and join(home, name) not in listed
    ]
    if not entry.listed:
        candidates = [name for name in candidates if name in files]
    new = surely_meant(base, candidates)
    return entry.value.rstrip("/")[: -len(base)] + new if new else ""


def _nearest_directory(repository: Repository, entry: ResourceEntry, home: str, base: str) -> str:
    """Return the entry for the same name below the only directory of which the current one is a misspelling."""
    parent, folder = posixpath.split(home)
    if not repository.store.is_dir(parent) or entry.value.count(folder) != 1:
        return ""
    near = [
        name
        for name in repository.store.entries(parent)[1]
        if repository.store.is_file(join(join(parent, name), base))
        or repository.store.is_dir(join(join(parent, name), base))
    ]
    new = surely_meant(folder, near)
    return entry.value.replace(folder, new) if new else ""


def _restored(
    case: RemedyContext, application: Application, entry: ResourceEntry, place: Place, evidence: Evidence
) -> Iterator[Fix]:
    if not case.policies.actions["roll_back"].enabled:
        return
    changes = history.changes(case.repository.root, place, limit=LOOK_BACK).changes
    for change in changes:
        if change.old is MISSING or not isinstance(change.old, str) or change.old == place.value:
            continue
        fix = _fix(case, application, entry, place, change.old[len(entry.front) :], evidence)
        if fix is not None:
            sentence = describe_change(change, entry.path)
            yield replace(
                fix,
                title=f"restore `{change.old}` in {entry.file}",
                reason=f"{sentence}. {fix.reason}",
                score=0.95,
                rollback=sentence,
            )
            return


def _fix(
    case: RemedyContext, application: Application, entry: ResourceEntry, place: Place, new: str, evidence: Evidence
) -> Fix | None:
    edit = Edit(op="set", file=entry.file, path=entry.path, value=entry.front + new)
    after = with_edits(case, edit)
    fresh = counterpart(after, application) if after is not None else None
    if after is None or fresh is None or not _has_fewer_faults(case.repository, after, application, fresh):
        return None
    users = _applications_of(case, application, entry)
    return Fix(
        title=f"list `{new}` instead of `{entry.value}` in {entry.file}",
        reason=f"`{entry.target}` does not exist; `{join(posixpath.dirname(entry.file), new)}` does.",
        evidence=case.cite(evidence),
        edits=(edit,),
        places=(place.model_copy(update={"also_feeds": tuple(user.name for user in users if user != application)}),),
        applications=tuple(dict.fromkeys([*affected_applications(case.repository, after, application), *users])),
        parameters={"kustomization": entry.file, "from": entry.value, "to": new},
        score=0.8,
    )


def _has_fewer_faults(original: Repository, after: Repository, application: Application, fresh: Application) -> bool:
    """Return True where fewer faults are left; the remaining ones of the Application may have other causes."""
    old = {problem.message for problem in original.problems_of(application) if problem.fault}
    new = {problem.message for problem in after.problems_of(fresh) if problem.fault}
    return len(new) < len(old) and new <= old


def _applications_of(case: RemedyContext, application: Application, entry: ResourceEntry) -> tuple[Application, ...]:
    """Return every Application that the kustomization feeds."""
    directory = posixpath.dirname(entry.file)
    users = [
        user
        for user in case.repository.applications
        if any(_feeds(case.repository, source.path, entry.file, directory) for source in user.sources if source.local)
    ]
    return tuple(dict.fromkeys([application, *users]))


def _feeds(repository: Repository, path: str, file: str, directory: str) -> bool:
    return path == directory or any(included.file == file for included in entries_below(repository, path))
