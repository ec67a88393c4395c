"""Values files that an Application names and that do not exist: name the one of the same environment."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from remediator.domain.incident import Evidence
from remediator.gitops import Application, Repository, Source
from remediator.gitops.render.helm_values import value_file
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.path_spelling import is_slip, surely_meant
from remediator.remedies.views.application_field import FieldCorrection, complaints, correct_field, has_no_faults


def fix_value_file(case: RemedyContext) -> Iterator[Fix]:
    """Name the existing values file of the same environment."""
    for application, evidence in complaints(case, "value_file_missing"):
        missing = evidence.facts.get("file", "").strip("'\"")
        for source in application.sources:
            for index, entry in enumerate(source.options("helm").get("valueFiles") or []):
                yield from _value_file_corrected(case, application, source, index, str(entry), missing, evidence)


def _value_file_corrected(
    case: RemedyContext,
    application: Application,
    source: Source,
    index: int,
    entry: str,
    missing: str,
    evidence: Evidence,
) -> Iterator[Fix]:
    repository = case.repository
    name = value_file(repository.layout, application, source, entry)
    if name is None or repository.store.is_file(name) or not _is_missing_file(missing, name):
        return
    directory, base = posixpath.dirname(name), posixpath.basename(name)
    beside = (
        [file for file in repository.store.entries(directory)[0] if file.endswith((".yaml", ".yml"))]
        if repository.store.is_dir(directory)
        else []
    )
    used = _value_files_of_others(repository, application)
    new = surely_meant(
        base, [file for file in beside if posixpath.join(directory, file) not in used or is_slip(base, file)]
    )
    if not beside:
        new = ""
    yield from correct_field(
        case,
        FieldCorrection(
            application=application,
            path=(*source.pointer, "helm", "valueFiles", index),
            new=entry[: len(entry) - len(base)] + new
            if new and entry.endswith(base)
            else _directory_corrected(repository, entry, name),
            check=has_no_faults,
            label=f"values file of Application `{application.name}`",
            reason=f"`{name}` does not exist{f'; `{new}` is in the same directory' if new else ''}.",
            evidence=case.cite(evidence),
            score=0.75,
        ),
    )


def _is_missing_file(missing: str, name: str) -> bool:
    """Return True where the message is about this file; it shows the path below a temporary directory."""
    missing = missing.replace("\\", "/").rstrip(":")
    return bool(missing) and (
        missing == name
        or missing.endswith("/" + name)
        or name.endswith("/" + missing.lstrip("./"))
        or posixpath.basename(missing) == posixpath.basename(name)
    )


def _value_files_of_others(repository: Repository, application: Application) -> set[str]:
    return {
        name
        for user in repository.applications
        if user != application
        for source in user.sources
        for entry in source.options("helm").get("valueFiles") or []
        if (name := value_file(repository.layout, user, source, str(entry)))
    }


def _directory_corrected(repository: Repository, entry: str, name: str) -> str:
    """Return the entry with the only directory of which the current one is a misspelling; empty where none fits."""
    base = posixpath.basename(name)
    homes = [
        posixpath.join(directory, base)
        for directory in repository.store.tree
        if directory.count("/") == posixpath.dirname(name).count("/")
        and repository.store.is_file(posixpath.join(directory, base))
    ]
    new = surely_meant(name, homes)
    if not new:
        return ""
    shared = 0
    while (
        shared < len(name)
        and name[-1 - shared : len(name)] == new[-1 - shared : len(new)]
        and entry.endswith(name[-1 - shared :])
    ):
        shared += 1
    old_part, new_part = name[: len(name) - shared], new[: len(new) - shared]
    head = posixpath.commonprefix([old_part, new_part])
    wrong, right = old_part[len(head) :], new_part[len(head) :]
    return entry.replace(wrong, right) if wrong and entry.count(wrong) == 1 else ""
