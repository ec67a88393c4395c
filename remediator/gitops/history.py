"""How a value came to be: the commits that changed it, with what stood there before.

Asked of git by its command line, without a shell, hooks, external programs or network, and bounded in commits and
time. A shallow clone or no repository at all is told as such: what a truncated history does not show is no answer.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import yamlread
from remediator.gitops.yamlread import UnreadableYaml

TIMEOUT = 30
MAX_COMMITS = 400
"""Commits of one file that are looked at; beyond them the history counts as incomplete."""
MAX_BYTES = 8 * 1024 * 1024
_FIELDS = "%x00%H%x1f%an%x1f%cI%x1f%s"


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One commit that changed a value; a missing side is `paths.MISSING`."""

    commit: str
    author: str
    when: str
    """RFC 3339, the committer's time."""
    subject: str
    file: str
    """The file's name at that commit."""
    old: Any = MISSING
    new: Any = MISSING


@dataclass(frozen=True, slots=True)
class ValueHistory:
    """Newest first. `complete` is False where older changes may exist that cannot be seen; `why` says what hides them."""

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


class GitFailed(Exception):
    """git has no answer: no repository, no such revision, too slow."""


def changes(root: Path, place: Place, *, limit: int = 20) -> ValueHistory:
    """The commits that changed the value at a place."""
    hidden = truncated(root)
    if hidden is None:
        return ValueHistory(False, why="not a git repository, or no commit yet")
    try:
        log = _log(root, ["--follow", "--name-status", f"--max-count={MAX_COMMITS}"], [place.file])
    except GitFailed as error:
        return ValueHistory(False, why=str(error))
    entries = [_entry(block) for block in log]
    texts = _texts(root, [(commit.commit, name) for commit, name in entries])
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
    """A file's bytes as of a commit; None where it was not there."""
    return _texts(root, [(commit, file)])[0]


def files_at(root: Path, pairs: Sequence[tuple[str, str]]) -> list[bytes | None]:
    """Several (revision, file) pairs at once, by one git process; None where a file was not there."""
    return _texts(root, pairs)


def recent(root: Path, *, limit: int = 20, until: str = "") -> tuple[Commit, ...]:
    """The newest commits, with the files each touched; those after the time `until` are left out."""
    return touched(root, (), until=until, limit=limit).commits


def touched(root: Path, files: Iterable[str], *, until: str = "", limit: int = 50) -> Commits:
    """What changed any of these files (all, where none is given) up to a time, newest first."""
    hidden = truncated(root)
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


def truncated(root: Path) -> bool | None:
    """Whether the clone is shallow (or partial beyond reach); None where there is no history at all."""
    try:
        shallow = git(root, ["rev-parse", "--is-shallow-repository"]).strip()
        git(root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
    except GitFailed:
        return None
    return shallow == b"true"


def git(root: Path, arguments: Sequence[str], *, stdin: bytes | None = None) -> bytes:
    """Git's output; raises GitFailed with its words."""
    settings = [
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.quotePath=false",
        "-c",
        "diff.external=",
        "-c",
        "log.showSignature=false",
        "-c",
        "protocol.allow=never",
    ]
    command = [
        "git",
        "-C",
        str(root),
        "--no-pager",
        "--no-optional-locks",
        "--literal-pathspecs",
        *settings,
        *arguments,
    ]
    try:
        process = subprocess.run(
            command,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=TIMEOUT,
            env=_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitFailed(f"git takes longer than {TIMEOUT} seconds") from None
    except OSError as error:
        raise GitFailed(f"git cannot be run: {error.strerror}") from None
    if process.returncode:
        raise GitFailed(
            process.stderr.decode("utf-8", "replace").strip().splitlines()[-1][:300]
            if process.stderr.strip()
            else "git fails"
        )
    return process.stdout


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", ""),
        "LC_ALL": "C.UTF-8",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def _log(root: Path, options: Sequence[str], files: Sequence[str]) -> list[bytes]:
    """One block of bytes a commit: the header's fields, then names and states, all NUL-separated."""
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
    """Cut at the header's separators: a header is the one field that holds unit separators."""
    fields = output.split(b"\0")
    blocks: list[list[bytes]] = []
    for field in fields:
        if field.count(b"\x1f") >= 3:
            blocks.append([field])
        elif blocks and field:
            blocks[-1].append(field)
    return [b"\0".join(block) for block in blocks]


def _entry(block: bytes) -> tuple[Commit, str]:
    """The commit and, for a log of one file, the name it had there."""
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


def _texts(root: Path, pairs: Sequence[tuple[str, str]]) -> list[bytes | None]:
    """The files' bytes at the revisions, by one `git cat-file`."""
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
    """The checkout's root may be a part of the repository."""
    try:
        return os.fsdecode(git(root, ["rev-parse", "--show-prefix"])).rstrip("\n")
    except GitFailed:
        return ""


def _value(data: bytes | None, place: Place) -> Any:
    """The value at the place in an older text; MISSING where text or path is not there."""
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
