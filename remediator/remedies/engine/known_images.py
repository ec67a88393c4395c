"""Images that a fix may set: a name that the repository has had, and a name and tag that ran together once.

An image is one value. A repository of one commit with the tag of another is an image that nobody has ever run, and most
likely one that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from remediator.domain.yaml_paths import MISSING
from remediator.gitops import Repository, history
from remediator.gitops.images import split_image
from remediator.policy.effect import FieldChange
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.image_reference import ImageReference
from remediator.remedies.engine.unprovable import Unprovable

_IMAGE = re.compile(r"\.(containers|initContainers)\[[^\]]*\]\.image$")
_COMMITTED_FILES = 40
"""A commit of more files than these is an import, whose images are not looked up."""

_LOOK_BACK = 8
"""Commits of the changed files whose images are rendered when a name stands nowhere as a whole."""


def check_image(
    case: RemedyContext, fix: Fix, changes: Sequence[FieldChange], label: str, files: Sequence[str] = ()
) -> None:
    """Raise where an image gets a name that the repository never had, or half of an older image.

    `files` are those that the fix changes: charts put names together from several values, so that no text holds one whole.
    """
    for change in changes:
        if not _IMAGE.search(change.path) or not isinstance(change.after, str) or change.before is MISSING:
            continue
        old, new = split_image(str(change.before)), split_image(change.after)
        known = old[0] == new[0] or _is_known(case, old[0], new[0]) or is_moved(case, old, new)
        if not known and not _was_rendered(case, fix, files, new[0]):
            raise Unprovable(f"{fix.title}: this repository has never had an image of the name {new[0]} ({label})")
        commit = fix.parameters.get("commit", "")
        if (
            fix.rollback
            and commit
            and any(_is_half(new, pair) for pair in _changed_whole(case.repository, fix, commit))
        ):
            raise Unprovable(f"{fix.title}: {change.after} never ran; an image's name and tag go back together")


def is_moved(case: RemedyContext, old: tuple[str, str, str], new: tuple[str, str, str]) -> bool:
    """Return True where the policy knows that the publisher moved the image to this name; the tag must be the same."""
    first, second = ImageReference.parse(old[0]).full, ImageReference.parse(new[0]).full
    moves = case.policies.guardrails.allowances.image_moves
    return old[1:] == new[1:] and any(
        first.startswith(start) and second == end + first.removeprefix(start) for start, end in moves.items()
    )


def moved_image(case: RemedyContext, image: str) -> str:
    """Return the image under the name that its publisher has moved it to; empty where the policy knows of no move."""
    reference = ImageReference.parse(image)
    for start, end in case.policies.guardrails.allowances.image_moves.items():
        if reference.full.startswith(start):
            registry, _, path = (end + reference.full.removeprefix(start)).partition("/")
            host = registry if reference.registry or registry != "docker.io" else ""
            return str(ImageReference(host, path, reference.tag, reference.digest))
    return ""


def _is_known(case: RemedyContext, old: str, name: str) -> bool:
    """Return True where the repository has had the name, or where it is the same name in a public or right spelling."""
    options = case.policies.actions["correct_image"].options if "correct_image" in case.policies.actions else {}
    registries, official = (_words(options.get(key)) for key in ("registries", "official"))
    host, _, path = name.partition("/")
    if old.lower().endswith(f"/{name}") or old.lower() == name or name in official:
        return True
    if host in registries and old.partition("/")[2] == path:
        return True
    repository = case.repository
    if history.ever_had(repository.root, name):
        return True
    registry, slash, path = name.partition("/")
    is_registry = bool(slash) and ("." in registry or ":" in registry)
    return is_registry and all(history.ever_had(repository.root, part) for part in (registry, path))


def _words(option: Any) -> list[str]:
    return [str(word) for word in option] if isinstance(option, list) else []


def _is_half(image: tuple[str, str, str], replaced: tuple[str, str, str]) -> bool:
    """Return True where an image has the name or the version of a replaced image, but not both."""
    return (image[0] == replaced[0]) != (image[1:] == replaced[1:])


def _changed_whole(repository: Repository, fix: Fix, commit: str) -> list[tuple[str, str, str]]:
    """Return the images that a commit replaced in name and version; none where that cannot be told."""
    files = next((item.files for item in history.recent(repository.root) if item.commit.startswith(commit)), ())
    if not files or len(files) > _COMMITTED_FILES:
        return []
    before, at = (_images_at(repository, fix, files, revision) for revision in (f"{commit}^", commit))
    replaced, added = ([split_image(image) for image in images] for images in (before - at, at - before))
    return [old for old in replaced if any(old[0] != new[0] and old[1:] != new[1:] for new in added)]


def _was_rendered(case: RemedyContext, fix: Fix, files: Sequence[str], name: str) -> bool:
    """Return True where the changed Applications had an image of the name before one of the files' last commits."""
    root = case.repository.root
    commits = history.commits_touching(root, files, limit=_LOOK_BACK).commits if files else ()
    return any(
        split_image(image)[0] == name
        for item in commits
        for image in _images_at(case.repository, fix, files, f"{item.commit}^")
    )


def _images_at(repository: Repository, fix: Fix, files: Sequence[str], revision: str) -> set[str]:
    """Return the images that the changed Applications have with the files' texts of a revision."""
    texts = history.files_at(repository.root, [(revision, file) for file in files])
    older = repository.with_changes(dict(zip(files, texts, strict=True)))
    names = {want.application.name for want in fix.wants} | {app.name for app in fix.applications}
    images = set()
    for name in names:
        application = older.application(name)
        for manifest in older.objects(application) if application is not None else ():
            images |= {str(body.get("image")) for body, _, _ in manifest.containers()}
    return images
