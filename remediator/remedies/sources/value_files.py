"""Values files that an Application names and that do not exist: name the one of the same environment."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from difflib import SequenceMatcher

from remediator.domain.incident import Evidence
from remediator.gitops import Application, Repository, Source, history
from remediator.gitops.render.helm_values import value_file
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.path_spelling import is_slip, surely_meant
from remediator.remedies.views.application_field import FieldCorrection, complaints, correct_field

_MOST_FILES = 60
"""A commit of more files than these is an import, in which nothing was moved on purpose."""
_COMMITS = 200
_SAME_TEXT = 0.9
"""Share of a file's text that is the same after it was moved."""


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
    moved = _moved_to(repository, name) or _in_own_source(repository, application, name)
    if moved and not new:
        entry_now, said = _spelt_as(entry, name, moved), f"; `{moved}` has its text"
    elif new and entry.endswith(base):
        entry_now, said = entry[: len(entry) - len(base)] + new, f"; `{new}` is in the same directory"
    else:
        entry_now, said = _directory_corrected(repository, entry, name), ""
    yield from correct_field(
        case,
        FieldCorrection(
            application=application,
            path=(*source.pointer, "helm", "valueFiles", index),
            new=entry_now,
            check=_finds_its_files,
            label=f"values file of Application `{application.name}`",
            reason=f"`{name}` does not exist{said if entry_now else ''}.",
            evidence=case.cite(evidence),
            score=0.75,
        ),
    )


def _finds_its_files(repository: Repository, application: Application) -> bool:
    """Return True where the Application misses no file any more; what else may be wrong with it was wrong before."""
    return not any(problem.kind == "missing-file" for problem in repository.problems_of(application))


def _moved_to(repository: Repository, name: str) -> str:
    """Return the one file that the commit which removed `name` gave its text to; empty where there is none."""
    touching = history.commits_touching(repository.root, [name], limit=1).commits
    commits = [
        item
        for item in history.recent(repository.root, limit=_COMMITS)
        if touching and item.commit == touching[0].commit
    ]
    if not commits or len(commits[0].files) > _MOST_FILES:
        return ""
    files = [file for file in commits[0].files if file != name and repository.store.is_file(file)]
    revisions = [(f"{commits[0].commit}^", name), *((commits[0].commit, file) for file in files)]
    old, *new = history.files_at(repository.root, revisions)
    same = [file for file, text in zip(files, new, strict=True) if old and text and _alike(old, text)]
    return same[0] if len(same) == 1 else ""


def _alike(first: bytes, second: bytes) -> bool:
    return first == second or SequenceMatcher(None, first, second).quick_ratio() >= _SAME_TEXT


def _in_own_source(repository: Repository, application: Application, name: str) -> str:
    """Return the file of that name in the one folder of the Application's own sources that has it; empty where none does."""
    base = posixpath.basename(name)
    homes = {posixpath.join(source.path, base) for source in application.sources if source.local and source.path}
    found = [file for file in sorted(homes) if repository.store.is_file(file)]
    return found[0] if len(found) == 1 else ""


def _spelt_as(entry: str, name: str, new: str) -> str:
    """Return the entry with the file's new path, in the entry's own style; empty where the style cannot say it."""
    if entry.endswith(name):
        return entry[: len(entry) - len(name)] + new
    if entry.startswith(("$", "/")):
        return ""
    steps = [step for step in entry.split("/") if step not in ("", ".")]
    if ".." in steps:
        return ""
    chart = "/".join(name.split("/")[: -len(steps)])
    return posixpath.relpath(new, chart or ".")


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
