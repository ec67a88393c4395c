"""The history of a value: the commits that changed it, with the value before and after each of them.

A shallow clone or a missing repository is reported as such, since a truncated history that shows no change proves
nothing. The number of commits that are read is limited.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import yamlread
from remediator.gitops.git_command import GitFailed, git
from remediator.gitops.yamlread import UnreadableYaml

MAX_COMMITS = 400
"""The number of commits of one file that are read; with more of them the history counts as incomplete."""
MAX_BYTES = 8 * 1024 * 1024
_FIELDS = "%x00%H%x1f%an%x1f%cI%x1f%s"


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One commit that changed a value; a missing side is `paths.MISSING`."""

    commit: str
    author: str
    when: str
    """The committer's time in RFC 3339."""
    subject: str
    file: str
    """The file's name at that commit."""
    old: Any = MISSING
    new: Any = MISSING


@dataclass(frozen=True, slots=True)
class ValueHistory:
    """The changes of a value, newest first; `complete` is False where older ones may be hidden, and `why` says so."""

    complete: bool
    changes: tuple[ValueChange, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit and the files it touched, relative to the checkout's root."""

    commit: str
    author: str
    when: str
    subject: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commits:
    """Commits, newest first, and whether older ones may be hidden."""

    complete: bool
    commits: tuple[Commit, ...] = ()
    why: str = ""


def changes(root: Path, place: Place, *, limit: int = 20) -> ValueHistory:
    """Return the commits that changed the value at a place."""
    hidden = is_shallow(root)
    if hidden is None:
        return ValueHistory(False, why="not a git repository, or no commit yet")
    try:
        log = _log(root, ["--follow", "--name-status", f"--max-count={MAX_COMMITS}"], [place.file])
    except GitFailed as error:
        return ValueHistory(False, why=str(error))
    entries = [_entry(block) for block in log]
    texts = _contents(root, [(commit.commit, name) for commit, name in entries])
    value_changes: list[ValueChange] = []
    current = _value(texts[0], place) if texts else MISSING
    for index, (commit, name) in enumerate(entries):
        older = _value(texts[index + 1], place) if index + 1 < len(texts) else MISSING
        first = index + 1 == len(entries)
        if first and (hidden or len(entries) >= MAX_COMMITS):
            break
        if _differs(current, older):
            value_changes.append(
                ValueChange(commit.commit, commit.author, commit.when, commit.subject, name, older, current)
            )
        current = older
        if len(value_changes) >= limit:
            return ValueHistory(
                not hidden and index + 1 == len(entries),
                tuple(value_changes),
                "" if index + 1 == len(entries) else "older changes were not looked at",
            )
    if len(entries) >= MAX_COMMITS:
        return ValueHistory(
            False, tuple(value_changes), f"only the newest {MAX_COMMITS} commits of the file were looked at"
        )
    return ValueHistory(not hidden, tuple(value_changes), "shallow clone: older commits are not here" if hidden else "")


def file_at(root: Path, commit: str, file: str) -> bytes | None:
    """Return a file's bytes as of a commit; None where the file did not exist."""
    return _contents(root, [(commit, file)])[0]


def files_at(root: Path, pairs: Sequence[tuple[str, str]]) -> list[bytes | None]:
    """Return the bytes of several (revision, file) pairs by one git process; None where a file did not exist."""
    return _contents(root, pairs)


def recent(root: Path, *, limit: int = 20, until: str = "") -> tuple[Commit, ...]:
    """Return the newest commits up to the time `until`, with the files that each touched."""
    return commits_touching(root, (), until=until, limit=limit).commits


def commits_touching(root: Path, files: Iterable[str], *, until: str = "", limit: int = 50) -> Commits:
    """Return the commits up to the time `until` that changed any of these files, or any file at all, newest first."""
    hidden = is_shallow(root)
    if hidden is None:
        return Commits(False, why="not a git repository, or no commit yet")
    options = ["--name-status", "--no-renames", f"--max-count={limit}", *([f"--until={until}"] if until else [])]
    try:
        log = _log(root, options, list(files)[:2000])
    except GitFailed as error:
        return Commits(False, why=str(error))
    commits = []
    for block in log:
        commit, _ = _entry(block)
        commits.append(commit)
    return Commits(not hidden, tuple(commits), "shallow clone: older commits are not here" if hidden else "")


def ever_had(root: Path, text: str) -> bool:
    """Return True where a file has the text, or had it in a commit before; False where git cannot tell."""
    if not text:
        return False
    try:
        return bool(git(root, ["log", f"-S{text}", "--max-count=1", "--format=%h"]).strip())
    except GitFailed:
        return False


def is_shallow(root: Path) -> bool | None:
    """Return whether the clone is shallow; None where there is no history at all."""
    try:
        shallow = git(root, ["rev-parse", "--is-shallow-repository"]).strip()
        git(root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
    except GitFailed:
        return None
    return shallow == b"true"


def _log(root: Path, options: Sequence[str], files: Sequence[str]) -> list[bytes]:
    """Return one block of bytes per commit: the header's fields, then names and states, separated by NUL."""
    head = [
        "log",
        "-z",
        "--no-ext-diff",
        "--no-textconv",
        "--first-parent",
        "-m",
        "--relative",
        f"--format={_FIELDS}",
        *options,
        "HEAD",
        "--",
        *files,
    ]
    output = git(root, head)
    return [block for block in _blocks(output) if block]


def _blocks(output: bytes) -> list[bytes]:
    """Cut the output into commits; a header is the only field that contains unit separators."""
    fields = output.split(b"\0")
    blocks: list[list[bytes]] = []
    for field in fields:
        if field.count(b"\x1f") >= 3:
            blocks.append([field])
        elif blocks and field:
            blocks[-1].append(field)
    return [b"\0".join(block) for block in blocks]


def _entry(block: bytes) -> tuple[Commit, str]:
    """Return the commit and, for a log of one file, the file's name at that commit."""
    head, *entries = block.split(b"\0")
    commit, author, when, subject = head.decode("utf-8", "replace").split("\x1f", 3)
    names: list[str] = []
    index = 0
    while index < len(entries):
        state = entries[index].strip()
        width = 2 if state[:1] in (b"R", b"C") else 1
        names.append(os.fsdecode(entries[index + width])) if index + width < len(entries) else None
        index += width + 1
    return Commit(commit, author, when, subject.split("\n")[0], tuple(names)), names[-1] if names else ""


def _contents(root: Path, pairs: Sequence[tuple[str, str]]) -> list[bytes | None]:
    """Return the files' bytes at the revisions, by one `git cat-file`."""
    if not pairs:
        return []
    prefix = _prefix(root)
    usable = [not any("\n" in part for part in pair) for pair in pairs]
    lines = "".join(f"{commit}:{prefix}{name}\n" for (commit, name), fine in zip(pairs, usable, strict=True) if fine)
    try:
        output = git(root, ["cat-file", "--batch"], stdin=os.fsencode(lines))
    except GitFailed:
        return [None] * len(pairs)
    contents: list[bytes | None] = []
    position = 0
    for fine in usable:
        if not fine:
            contents.append(None)
            continue
        end = output.index(b"\n", position)
        words = output[position:end].split(b" ")
        position = end + 1
        if words[-1] in (b"missing", b"ambiguous") or not words[-1].isdigit():
            contents.append(None)
            continue
        size = int(words[-1])
        contents.append(output[position : position + size] if words[-2] == b"blob" and size <= MAX_BYTES else None)
        position += size + 1
    return contents


def _prefix(root: Path) -> str:
    """Return the path of the checkout's root within the repository; empty where both are the same."""
    try:
        return os.fsdecode(git(root, ["rev-parse", "--show-prefix"])).rstrip("\n")
    except GitFailed:
        return ""


def _value(data: bytes | None, place: Place) -> Any:
    """Return the value at the place in an older text; MISSING where the text or the path does not exist."""
    if data is None:
        return MISSING
    if not place.path and not place.inside:
        return data.decode("utf-8", "replace")
    try:
        documents = yamlread.documents(data)
        if place.document >= len(documents):
            return MISSING
        value = get(documents[place.document], place.path)
        if place.inside:
            inner = yamlread.documents(value) if isinstance(value, str) else []
            value = get(inner[0], place.inside) if inner else MISSING
    except UnreadableYaml:
        return MISSING
    return value


def _differs(first: Any, second: Any) -> bool:
    if first is MISSING or second is MISSING:
        return first is not second
    return type(first) is not type(second) or json.dumps(first, sort_keys=True, default=str) != json.dumps(
        second, sort_keys=True, default=str
    )
