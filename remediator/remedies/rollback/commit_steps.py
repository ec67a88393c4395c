"""What a commit changed in manifests and values and is still there, as steps that can be taken back one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from remediator.errors import ConfigError
from remediator.gitops import Repository, history
from remediator.gitops.history import Commit
from remediator.policy.leaves import documents
from remediator.remedies.rollback.differences import differences
from remediator.remedies.rollback.steps import RollbackStep, is_made_by_commit, owner_name

FILES = 40
"""A commit of more manifests than these is an import or a move, not a mistake in one field."""


def texts_of(repository: Repository, commit: Commit) -> Mapping[str, tuple[bytes | None, bytes | None]]:
    """Return each YAML file that the commit changed, before and after it; empty for a commit of too many files."""
    files = [file for file in commit.files if file.endswith((".yaml", ".yml"))]
    if len(files) > FILES:
        return {}
    revisions = (f"{commit.commit}^", commit.commit)
    texts = history.files_at(repository.root, [(revision, file) for file in files for revision in revisions])
    return dict(zip(files, zip(texts[::2], texts[1::2], strict=True), strict=True))


def current_steps(
    repository: Repository, file: str, old_text: bytes | None, new_text: bytes | None
) -> Iterator[RollbackStep]:
    """Yield what a commit changed in a file and is still so; nothing where documents were added or cannot be read."""
    if old_text is None or new_text is None:
        return
    old, new, current = documents(old_text), documents(new_text), documents(read_or_none(repository, file))
    if old is None or new is None or current is None or not (len(old) == len(new) == len(current)):
        return
    for index, (old_document, new_document, current_document) in enumerate(zip(old, new, current, strict=True)):
        if old_document == new_document:
            continue
        for difference in differences(old_document, current_document):
            if is_made_by_commit(difference, old_document, new_document):
                owner = owner_name(current_document, difference)
                yield RollbackStep(file, index, difference, difference.revert(file, index), owner)


def read_or_none(repository: Repository, file: str) -> bytes | None:
    """Return a file's bytes; None where the checkout has no such file."""
    try:
        return repository.read(file)
    except ConfigError:
        return None
