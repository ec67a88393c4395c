"""Paths and revisions that an Application's source names and that do not exist.

The path is corrected to the only directory that it can mean. A revision is corrected only to one that surely exists:
one that other Applications follow, or a branch or tag of this checkout.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import get
from remediator.gitops import Application, Repository, Source
from remediator.gitops.file_paths import clean
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.path_spelling import is_shortened, is_slip, surely_meant
from remediator.remedies.sources.listed_revisions import KnownRevisions, listed_revisions
from remediator.remedies.views.application_field import (
    FieldCheck,
    FieldCorrection,
    complaints,
    correct_field,
    has_no_faults,
)

_RENDERABLE = (".yaml", ".yml", ".json", ".jsonnet")


def fix_source_path(case: RemedyContext) -> Iterator[Fix]:
    """Name the directory that was meant, where a source names a missing one."""
    for application, evidence in complaints(case, "app_path_missing"):
        missing = clean(evidence.facts.get("path", ""))
        for source in application.sources:
            path_text = str(source.body.get("path") or "")
            if not source.local or clean(path_text) != missing or case.repository.store.is_dir(source.path):
                continue
            new = _nearest_directory(case.repository, source, application)
            yield from correct_field(
                case,
                FieldCorrection(
                    application=application,
                    path=(*source.pointer, "path"),
                    new=_in_old_style(path_text, case.repository.layout.to_repository(new)) if new else "",
                    check=_path_exists,
                    label=f"path of Application `{application.name}`",
                    reason=f"There is no directory `{missing}`{f'; the nearest one is `{new}`' if new else ''}.",
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


def _in_old_style(old: str, new: str) -> str:
    """Return the new path in the style of the old one: with its leading `./` and its trailing `/`."""
    return (
        f"{'./' if old.startswith('./') else '/' if old.startswith('/') else ''}{new}{'/' if old.endswith('/') else ''}"
    )


def _nearest_directory(repository: Repository, source: Source, application: Application) -> str:
    """Return the only directory with manifests of which the path is a misspelling, or to which it was moved."""
    directories = _directories(repository)
    path = source.path
    same_depth = [name for name in directories if name.count("/") == path.count("/")]
    one_step = [name for name in same_depth if _steps_differing(name, path) == 1]
    if new := surely_meant(path, one_step):
        return new
    cut = [name for name in one_step if is_shortened(path, name) and posixpath.basename(name) == application.name]
    if len(cut) == 1:
        return cut[0]
    elsewhere = [name for name in directories if posixpath.basename(name) == posixpath.basename(path)]
    used = {
        other_source.path
        for app in repository.applications
        for other_source in app.sources
        if other_source.local and app != application
    }
    is_distinctive = posixpath.basename(path) == application.name or "/" in path
    return elsewhere[0] if len(elsewhere) == 1 and elsewhere[0] not in used and is_distinctive else ""


def _steps_differing(a: str, b: str) -> int:
    return sum(step != other_step for step, other_step in zip(a.split("/"), b.split("/"), strict=True))


def _directories(repository: Repository) -> set[str]:
    """Return the directories that have files which Argo CD can render."""
    return {
        directory
        for directory, names in repository.store.tree.items()
        if directory and not directory.startswith(".") and any(name.endswith(_RENDERABLE) for name in names)
    }


_UNREACHABLE = re.compile(
    r"(?i)timeout|timed out|connection (?:refused|reset)|no such host|TLS handshake|x509|unauthorized|forbidden|authentication|\b(?:401|403|429|50\d)\b"
)


def fix_target_revision(case: RemedyContext) -> Iterator[Fix]:
    """Set the branch, tag or version that was meant, where the revision does not resolve.

    Nothing is proposed where the server did not answer, or where this checkout has the revision.
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
            listed = listed_revisions(case.statements, source.repo_url)
            existing = _revisions(case.repository, source) | listed.names
            if source.revision not in existing:
                known = KnownRevisions(frozenset(existing), listed.kinds)
                yield from _revision_corrected(case, application, source, known, evidence)


def _revision_corrected(
    case: RemedyContext, application: Application, source: Source, known: KnownRevisions, evidence: Evidence
) -> Iterator[Fix]:
    new = _nearest_revision(source.revision, known.names) or _followed_by_all_others(
        case.repository, application, source
    )
    yield from correct_field(
        case,
        FieldCorrection(
            application=application,
            path=(*source.pointer, "targetRevision"),
            new=new,
            check=_follows_existing(source, known),
            label=f"targetRevision of Application `{application.name}`",
            reason=f"`{source.revision}` does not resolve{f'; `{new}` does' if new else ''}.",
            evidence=case.cite(evidence),
            score=0.75,
        ),
    )


def _followed_by_all_others(repository: Repository, application: Application, source: Source) -> str:
    """Return the branch that every other Application of the repository follows, where several do; empty where they differ.

    A branch is deleted after its merge; what it held is in the branch that the others follow.
    """
    followed = [
        other_source.revision
        for other in repository.applications
        if other.name != application.name
        for other_source in other.sources
        if other_source.repo_url == source.repo_url and not other_source.chart
    ]
    is_branch = not source.chart and not re.fullmatch(r"v?\d+(?:\.\d+)*\S*|[0-9a-f]{7,40}", source.revision)
    return followed[0] if is_branch and len(followed) > 1 and len(set(followed)) == 1 else ""


def _revisions(repository: Repository, source: Source) -> set[str]:
    """Return the revisions that surely exist: HEAD, those that other Applications follow, local branches and tags."""
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
        revisions |= _git_references(repository)
    return revisions | {"HEAD"}


def _git_references(repository: Repository) -> set[str]:
    """Return the branches and tags of this checkout, read from git's own files."""
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


def _nearest_revision(wrong: str, existing: frozenset[str]) -> str:
    if wrong.lower() == "head":
        return "HEAD"
    if new := surely_meant(wrong, existing):
        return new
    if sorted(wrong.upper()) == sorted("HEAD"):
        return "HEAD"
    bare = wrong.removeprefix("v")
    versions = {name for name in existing if name.removeprefix("v") == bare}
    return versions.pop() if len(versions) == 1 else ""


def _follows_existing(source: Source, known: KnownRevisions) -> FieldCheck:
    """Return a check that the source follows an existing revision; an older value is taken to have existed, unless a whole list lacks it."""
    bad = source.revision

    def is_existing(_: Repository, application: Application) -> bool:
        revision = str(get(application.body, (*source.pointer, "targetRevision")))
        if revision in (bad, "") or known.lacks(revision):
            return False
        return revision in known.names or not is_slip(bad, revision) or len(known.names) <= 1

    return is_existing
