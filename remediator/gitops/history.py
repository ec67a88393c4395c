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
from remediator.gitops import yamlread
from remediator.gitops.paths import MISSING, get
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
    found: list[ValueChange] = []
    present = _value(texts[0], place) if texts else MISSING
    for index, (commit, name) in enumerate(entries):
        older = _value(texts[index + 1], place) if index + 1 < len(texts) else MISSING
        first = index + 1 == len(entries)
        if first and (hidden or len(entries) >= MAX_COMMITS):
            break
        if _differs(present, older):
            found.append(ValueChange(commit.commit, commit.author, commit.when, commit.subject, name, older, present))
        present = older
        if len(found) >= limit:
            return ValueHistory(
                not hidden and index + 1 == len(entries),
                tuple(found),
                "" if index + 1 == len(entries) else "older changes were not looked at",
            )
    if len(entries) >= MAX_COMMITS:
        return ValueHistory(False, tuple(found), f"only the newest {MAX_COMMITS} commits of the file were looked at")
    return ValueHistory(not hidden, tuple(found), "shallow clone: older commits are not here" if hidden else "")


def file_at(root: Path, commit: str, file: str) -> bytes | None:
    """A file's bytes as of a commit; None where it was not there."""
    return _texts(root, [(commit, file)])[0]


def files_at(root: Path, wanted: Sequence[tuple[str, str]]) -> list[bytes | None]:
    """Several (revision, file) pairs at once, by one git process; None where a file was not there."""
    return _texts(root, wanted)


def recent(root: Path, *, limit: int = 20, before: str = "") -> tuple[Commit, ...]:
    """The newest commits, with the files each touched; `before` is a time, and what is later is left out."""
    return touched(root, (), before=before, limit=limit).commits


def touched(root: Path, files: Iterable[str], *, before: str = "", limit: int = 50) -> Commits:
    """What changed any of these files (all, where none is given) up to a time, newest first."""
    hidden = truncated(root)
    if hidden is None:
        return Commits(False, why="not a git repository, or no commit yet")
    options = ["--name-status", "--no-renames", f"--max-count={limit}", *([f"--until={before}"] if before else [])]
    try:
        log = _log(root, options, list(files)[:2000])
    except GitFailed as error:
        return Commits(False, why=str(error))
    found = []
    for block in log:
        commit, _ = _entry(block)
        found.append(commit)
    return Commits(not hidden, tuple(found), "shallow clone: older commits are not here" if hidden else "")


def truncated(root: Path) -> bool | None:
    """Whether the clone is shallow (or partial beyond reach); None where there is no history at all."""
    try:
        shallow = git(root, ["rev-parse", "--is-shallow-repository"]).strip()
        git(root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
    except GitFailed:
        return None
    return shallow == b"true"


def git(root: Path, arguments: Sequence[str], *, given: bytes | None = None) -> bytes:
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
        done = subprocess.run(
            command,
            input=given if given is not None else b"",
            capture_output=True,
            timeout=TIMEOUT,
            env=_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitFailed(f"git takes longer than {TIMEOUT} seconds") from None
    except OSError as error:
        raise GitFailed(f"git cannot be run: {error.strerror}") from None
    if done.returncode:
        raise GitFailed(
            done.stderr.decode("utf-8", "replace").strip().splitlines()[-1][:300]
            if done.stderr.strip()
            else "git fails"
        )
    return done.stdout


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
    head, *rest = block.split(b"\0")
    commit, author, when, subject = head.decode("utf-8", "replace").split("\x1f", 3)
    names: list[str] = []
    index = 0
    while index < len(rest):
        state = rest[index].strip()
        width = 2 if state[:1] in (b"R", b"C") else 1
        names.append(os.fsdecode(rest[index + width])) if index + width < len(rest) else None
        index += width + 1
    return Commit(commit, author, when, subject.split("\n")[0], tuple(names)), names[-1] if names else ""


def _texts(root: Path, wanted: Sequence[tuple[str, str]]) -> list[bytes | None]:
    """The files' bytes at the revisions, by one `git cat-file`."""
    if not wanted:
        return []
    prefix = _prefix(root)
    usable = [not any("\n" in part for part in pair) for pair in wanted]
    lines = "".join(f"{commit}:{prefix}{name}\n" for (commit, name), fine in zip(wanted, usable, strict=True) if fine)
    try:
        output = git(root, ["cat-file", "--batch"], given=os.fsencode(lines))
    except GitFailed:
        return [None] * len(wanted)
    found: list[bytes | None] = []
    position = 0
    for fine in usable:
        if not fine:
            found.append(None)
            continue
        end = output.index(b"\n", position)
        words = output[position:end].split(b" ")
        position = end + 1
        if words[-1] in (b"missing", b"ambiguous") or not words[-1].isdigit():
            found.append(None)
            continue
        size = int(words[-1])
        found.append(output[position : position + size] if words[-2] == b"blob" and size <= MAX_BYTES else None)
        position += size + 1
    return found


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
        found = get(documents[place.document], place.path)
        if place.inside:
            inner = yamlread.documents(found) if isinstance(found, str) else []
            found = get(inner[0], place.inside) if inner else MISSING
    except UnreadableYaml:
        return MISSING
    return found


def _differs(one: Any, other: Any) -> bool:
    if one is MISSING or other is MISSING:
        return one is not other
    return type(one) is not type(other) or json.dumps(one, sort_keys=True, default=str) != json.dumps(
        other, sort_keys=True, default=str
    )
