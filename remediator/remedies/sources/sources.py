"""What an Application's source names and Argo CD cannot find: a path, a revision, a values file, a namespace."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import get
from remediator.gitops import Application, Repository, Source
from remediator.gitops.files import clean
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.path_spelling import is_shortened, is_slip, surely_meant
from remediator.remedies.views.application_field import (
    FieldCheck,
    FieldCorrection,
    complaints,
    correct_field,
    has_no_faults,
)

_RENDERABLE = (".yaml", ".yml", ".json", ".jsonnet")


def fix_source_path(case: RemedyContext) -> Iterator[Fix]:
    """Point a source at the directory that was meant, where the one it names is not there."""
    for application, evidence in complaints(case, "app_path_missing"):
        missing = clean(evidence.facts.get("path", ""))
        for source in application.sources:
            path_text = str(source.body.get("path") or "")
            if not source.local or clean(path_text) != missing or case.repository.store.is_dir(source.path):
                continue
            new = _directory_meant(case.repository, source, application)
            yield from correct_field(
                case,
                FieldCorrection(
                    application=application,
                    path=(*source.pointer, "path"),
                    new=_as_written(path_text, case.repository.layout.to_repository(new)) if new else "",
                    check=_path_exists,
                    label=f"path of Application `{application.name}`",
                    reason=f"there is no directory `{missing}`{f'; `{new}` is the one that was meant' if new else ''}.",
                    evidence=case.cite(evidence),
                    score=0.75,
                ),
            )


def _path_exists(repository: Repository, application: Application) -> bool:
    local = [source for source in application.sources if source.local and not source.ref]
    return (
        bool(local)
        and all(repository.store.is_dir(source.path) for source in local)
        and has_no_faults(repository, application)
    )


def _as_written(old: str, new: str) -> str:
    """The new path with the habits of the old one: a leading `./`, a trailing `/`."""
    return (
        f"{'./' if old.startswith('./') else '/' if old.startswith('/') else ''}{new}{'/' if old.endswith('/') else ''}"
    )


def _directory_meant(repository: Repository, source: Source, application: Application) -> str:
    """The one directory with something to apply of which the path is a misspelling, or to which it moved."""
    holds = _directories(repository)
    path = source.path
    same_depth = [name for name in holds if name.count("/") == path.count("/")]
    one_step = [name for name in same_depth if _steps_differing(name, path) == 1]
    if new := surely_meant(path, one_step):
        return new
    cut = [name for name in one_step if is_shortened(path, name) and posixpath.basename(name) == application.name]
    if len(cut) == 1:
        return cut[0]
    elsewhere = [name for name in holds if posixpath.basename(name) == posixpath.basename(path)]
    used = {
        other_source.path
        for app in repository.applications
        for other_source in app.sources
        if other_source.local and app != application
    }
    telling = posixpath.basename(path) == application.name or "/" in path
    return elsewhere[0] if len(elsewhere) == 1 and elsewhere[0] not in used and telling else ""


def _steps_differing(a: str, b: str) -> int:
    return sum(step != other_step for step, other_step in zip(a.split("/"), b.split("/"), strict=True))


def _directories(repository: Repository) -> set[str]:
    """Directories that hold something Argo CD can render."""
    return {
        directory
        for directory, names in repository.store.tree.items()
        if directory and not directory.startswith(".") and any(name.endswith(_RENDERABLE) for name in names)
    }


_UNREACHABLE = re.compile(
    r"(?i)timeout|timed out|connection (?:refused|reset)|no such host|TLS handshake|x509|unauthorized|forbidden|authentication|\b(?:401|403|429|50\d)\b"
)


def fix_target_revision(case: RemedyContext) -> Iterator[Fix]:
    """Set a revision that does not resolve to the branch, tag or version that was meant.

    A server that does not answer says nothing about the revision, and one that this checkout has does resolve.
    """
    for application, evidence in complaints(case, "revision_unresolved", "chart_version_missing"):
        if _UNREACHABLE.search(evidence.text):
            continue
        revision = (
            evidence.facts.get("revision")
            or evidence.facts.get("version")
            or evidence.facts.get("target_revision")
            or ""
        )
        for source in application.sources:
            chart = evidence.facts.get("chart", "")
            if source.revision != revision or (chart and source.chart != chart):
                continue
            existing = _revisions(case.repository, source)
            if source.revision not in existing:
                yield from _revision_corrected(case, application, source, existing, evidence)


def _revision_corrected(
    case: RemedyContext, application: Application, source: Source, existing: set[str], evidence: Evidence
) -> Iterator[Fix]:
    new = _revision_meant(source.revision, existing)
    yield from correct_field(
        case,
        FieldCorrection(
            application=application,
            path=(*source.pointer, "targetRevision"),
            new=new,
            check=_follows(source, existing),
            label=f"targetRevision of Application `{application.name}`",
            reason=f"`{source.revision}` does not resolve{f'; `{new}` does' if new else ''}.",
            evidence=case.cite(evidence),
            score=0.75,
        ),
    )


def _revisions(repository: Repository, source: Source) -> set[str]:
    """Revisions that surely exist: HEAD, what other Applications follow of the same repository, local branches and tags."""
    revisions = {
        other_source.revision
        for application in repository.applications
        for other_source in application.sources
        if other_source.revision
        and other_source.revision != source.revision
        and (other_source.repo_url, other_source.chart) == (source.repo_url, source.chart)
    }
    if source.chart:
        return revisions
    if source.local:
        revisions |= _references(repository)
    return revisions | {"HEAD"}


def _references(repository: Repository) -> set[str]:
    """Branches and tags that this checkout knows of, from git's own files."""
    git = repository.root / ".git"
    names_in_git = set()
    try:
        packed = (
            (git / "packed-refs").read_text(encoding="utf-8", errors="replace")
            if (git / "packed-refs").is_file()
            else ""
        )
    except OSError:
        packed = ""
    for line in packed.splitlines():
        _, _, name = line.partition(" ")
        names_in_git.add(name)
    for folder in ("heads", "tags", "remotes/origin"):
        base = git / "refs" / folder
        if base.is_dir():
            names_in_git |= {
                f"refs/{folder}/{path.relative_to(base).as_posix()}" for path in base.rglob("*") if path.is_file()
            }
    names = {
        re.sub(r"^refs/(?:heads|tags|remotes/origin)/", "", name) for name in names_in_git if name.startswith("refs/")
    }
    return {name for name in names if name and not name.startswith(("refs/", "remediator"))}


def _revision_meant(wrong: str, existing: set[str]) -> str:
    if wrong.lower() == "head":
        return "HEAD"
    if new := surely_meant(wrong, existing):
        return new
    if sorted(wrong.upper()) == sorted("HEAD"):
        return "HEAD"
    bare = wrong.removeprefix("v")
    versions = {name for name in existing if name.removeprefix("v") == bare}
    return versions.pop() if len(versions) == 1 else ""


def _follows(source: Source, existing: set[str]) -> FieldCheck:
    """Whether the source follows something that exists; what the history had is believed to have existed."""
    bad = source.revision

    def holds(_: Repository, application: Application) -> bool:
        revision = str(get(application.body, (*source.pointer, "targetRevision")))
        return revision not in (bad, "") and (revision in existing or not is_slip(bad, revision) or len(existing) <= 1)

    return holds
