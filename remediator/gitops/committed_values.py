"""What a commit changed, value by value: two texts of a file are compared as YAML, document by document."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.domain.yaml_paths import MISSING, YamlPath, value_differences
from remediator.gitops import history, yamlread

if TYPE_CHECKING:
    from pathlib import Path

    from remediator.gitops.history import Commit

_MOST_FILES = 12
"""Files of one commit whose values are compared; a commit that touches more is mostly a move."""
_RENAMING_COMMITS = 12


@dataclass(frozen=True)
class CommittedValue:
    """One value that a commit changed; a file without YAML, a new or a deleted one counts as a whole."""

    file: str
    document: int
    path: YamlPath
    old: Any
    new: Any


def values_of(root: Path, commit: Commit, files: Sequence[str] = ()) -> Iterator[CommittedValue]:
    """Yield what a commit changed, in these files or in all."""
    names = [name for name in commit.files if not files or name in files][:_MOST_FILES]
    pairs = [pair for name in names for pair in ((f"{commit.commit}^", name), (commit.commit, name))]
    texts = history.files_at(root, pairs)
    for index, name in enumerate(names):
        yield from _differences(name, texts[2 * index], texts[2 * index + 1])


def successor(root: Path, name: str, existing: Container[str]) -> tuple[str, Commit | None]:
    """Return what the newest commit that replaced a name put in its place everywhere, and the commit; else nothing.

    Somebody renamed an object and those who use it, and forgot one: the commit says what is meant there too.
    """
    for commit in history.recent(root, limit=_RENAMING_COMMITS):
        new = {value.new for value in values_of(root, commit) if value.old == name and isinstance(value.new, str)}
        if new:
            only = new.pop() if len(new) == 1 else ""
            return (only, commit) if only in existing else ("", None)
    return "", None


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
