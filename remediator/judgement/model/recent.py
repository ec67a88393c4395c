"""Recent commits as differences of values: who changed what from what to what, in files that matter to the incident."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, value_differences
from remediator.gitops import Repository, history, yamlread
from remediator.gitops.history import Commit
from remediator.judgement.model.facts import shown
from remediator.judgement.model.texts import value_text

MOST_COMMITS = 20
_MOST_FILES = 12
"""Files of one commit whose values are compared; a commit that touches more is mostly a move."""
_MOST_VALUES = 12


@dataclass(frozen=True)
class CommittedValue:
    """One value that a commit changed."""

    file: str
    document: int
    path: YamlPath
    old: Any
    new: Any

    @property
    def line(self) -> str:
        """Return it on one line."""
        document = f" document {self.document}" if self.document else ""
        return f"{self.file}{document} {format_path(self.path) or 'the whole file'}: {value_text(self.old)} → {value_text(self.new)}"


def commits_of(repository: Repository, files: Sequence[str], limit: int) -> tuple[tuple[Commit, ...], str]:
    """Return the newest commits that touched any of the files, and why older ones may be hidden."""
    answer = history.commits_touching(repository.root, sorted(files), limit=min(limit, MOST_COMMITS))
    return answer.commits, answer.why


def values_of(repository: Repository, commit: Commit, files: Sequence[str] = ()) -> Iterator[CommittedValue]:
    """Yield what a commit changed, in these files or in all; a file without YAML counts as a whole."""
    names = [name for name in commit.files if not files or name in files][:_MOST_FILES]
    pairs = [pair for name in names for pair in ((f"{commit.commit}^", name), (commit.commit, name))]
    texts = history.files_at(repository.root, pairs)
    for index, name in enumerate(names):
        yield from _differences(name, texts[2 * index], texts[2 * index + 1])


def _differences(name: str, before: bytes | None, after: bytes | None) -> Iterator[CommittedValue]:
    old, new = _documents(before), _documents(after)
    if before is None or after is None or old is None or new is None:
        whole = [MISSING if text is None else f"a file of {len(text.splitlines())} lines" for text in (before, after)]
        yield CommittedValue(name, 0, (), whole[0], whole[1])
        return
    for number in range(max(len(old), len(new))):
        first = old[number] if number < len(old) else MISSING
        second = new[number] if number < len(new) else MISSING
        for path, was, now in value_differences(first, second):
            yield CommittedValue(name, number, path, was, now)


def _documents(text: bytes | None) -> list[Any] | None:
    try:
        return None if text is None else yamlread.documents(text)
    except yamlread.UnreadableYaml:
        return None


def lines_of(repository: Repository, commits: Sequence[Commit], files: Sequence[str] = ()) -> Iterator[str]:
    """Yield each commit with its values, a line each."""
    for commit in commits:
        yield f"{commit.commit[:10]} {commit.when[:16]} {shown(commit.author, 60)}: {shown(commit.subject, 160)}"
        changes = list(values_of(repository, commit, files))
        yield from (f"  {change.line}" for change in changes[:_MOST_VALUES])
        if len(changes) > _MOST_VALUES:
            yield f"  … and {len(changes) - _MOST_VALUES} more values"
