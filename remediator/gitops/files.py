"""Read a checkout and nothing outside it: bounded, symlinks followed only within, changes laid over in memory."""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
import stat
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from remediator.gitops.model import Problem
from remediator.gitops.yamlread import Unreadable

MAX_BYTES = 8 * 1024 * 1024
MAX_FILES = 400_000
SKIPPED = frozenset({".git", "node_modules", ".terraform", ".venv"})
YAML_SUFFIXES = (".yaml", ".yml", ".json")

Stamp = tuple[int, int, int]
"""Size, modification and change time: equal stamps mean an unchanged file."""


class Files:
    """The files of one checkout by their path relative to its root, `/` between, as if the overlay were written."""

    def __init__(self, root: Path, overlay: Mapping[str, bytes | None] | None = None, base: Files | None = None) -> None:
        self.root = root
        self.real = os.path.realpath(root)
        self.overlay = dict(overlay or {})
        self.problems: list[Problem] = []
        self._base = base
        self._links: dict[str, str] = {}

    def with_changes(self, changes: Mapping[str, bytes | None]) -> Files:
        changed = Files(self.root, {**self.overlay, **{clean(name): data for name, data in changes.items()}}, self._base or self)
        changed._links = self._links  # noqa: SLF001 - the same class
        return changed

    @cached_property
    def stamps(self) -> dict[str, Stamp]:
        """Every regular file with its stamp; what the overlay adds has the stamp of its bytes."""
        if self._base is not None:
            found = dict(self._base.stamps)
        else:
            found = {}
            self._walk(found)
        for name, data in self.overlay.items():
            if data is None:
                found.pop(name, None)
            else:
                found[name] = (len(data), hash(data), 0)
        return found

    def _walk(self, found: dict[str, Stamp]) -> None:
        pending = [("", self.real)]
        while pending:
            prefix, directory = pending.pop()
            try:
                entries = os.scandir(directory)
            except OSError as error:
                self.problems.append(Problem("missing-file", f"cannot be listed: {error.strerror}", file=prefix.rstrip("/")))
                continue
            with entries:
                for entry in entries:
                    name = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in SKIPPED:
                            pending.append((name + "/", entry.path))
                        continue
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISLNK(status.st_mode):
                        self._link(name, entry.path, found)
                    elif stat.S_ISREG(status.st_mode):
                        found[name] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            if len(found) > MAX_FILES:
                self.problems.append(Problem("too-large", f"more than {MAX_FILES} files: the rest is not read"))
                return

    def _link(self, name: str, path: str, found: dict[str, Stamp]) -> None:
        target = os.path.realpath(path)
        inside = os.path.relpath(target, self.real).replace(os.sep, "/")
        if inside == ".." or inside.startswith("../") or inside.split("/")[0] == ".git":
            self.problems.append(Problem("symlink", "symbolic link points out of the checkout: not followed", file=name))
            return
        try:
            status = os.stat(target)
        except OSError:
            self.problems.append(Problem("symlink", "symbolic link leads nowhere", file=name))
            return
        if stat.S_ISREG(status.st_mode):
            found[name] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        elif stat.S_ISDIR(status.st_mode) and not (name + "/").startswith("" if inside == "." else inside + "/"):
            self._links[name] = inside

    @cached_property
    def tree(self) -> dict[str, list[str]]:
        """Directory → names of its files and, with a trailing slash, sub-directories."""
        result: dict[str, list[str]] = {"": []}
        for name in sorted(self.stamps):
            directory, _, base = name.rpartition("/")
            if directory not in result:
                self._grow(result, directory)
            result[directory].append(base)
        return result

    @staticmethod
    def _grow(result: dict[str, list[str]], directory: str) -> None:
        result[directory] = []
        while directory:
            parent, _, base = directory.rpartition("/")
            new = parent not in result
            result.setdefault(parent, []).append(base + "/")
            if not new:
                break
            directory = parent

    def real_name(self, path: str) -> str:
        """The path with in-tree directory links resolved; raises Unreadable where it leaves the checkout."""
        name = clean(path)
        if name == ".." or name.startswith("../"):
            raise Unreadable("path leads out of the checkout", file=path)
        for _ in range(10):
            link = next((link for link in self._links if name == link or name.startswith(link + "/")), None)
            if link is None:
                break
            name = posixpath.normpath(posixpath.join(self._links[link], name[len(link) + 1 :])).removeprefix("./")
            name = "" if name == "." else name
        return name

    def is_file(self, path: str) -> bool:
        try:
            return self.real_name(path) in self.stamps
        except Unreadable:
            return False

    def is_dir(self, path: str) -> bool:
        try:
            return self.real_name(path) in self.tree
        except Unreadable:
            return False

    def read(self, path: str) -> bytes:
        """The bytes of a file; raises Unreadable for what is missing, outside or too large."""
        name = self.real_name(path)
        if name in self.overlay:
            data = self.overlay[name]
            if data is None:
                raise Unreadable("no such file", file=name)
            return data
        stamp = self.stamps.get(name)
        if stamp is None:
            raise Unreadable("no such file", file=name)
        if stamp[0] > MAX_BYTES:
            raise Unreadable(f"larger than {MAX_BYTES // 1024 // 1024} MB: not read", file=name)
        return self._read(name)

    def _read(self, name: str) -> bytes:
        try:
            handle = os.open(f"{self.real}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                parts = [os.read(handle, MAX_BYTES + 1)]
                while parts[-1] and len(parts[0]) <= MAX_BYTES:
                    parts.append(os.read(handle, MAX_BYTES))
            finally:
                os.close(handle)
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}", file=name) from None
        return b"".join(parts)

    def entries(self, directory: str) -> tuple[list[str], list[str]]:
        """Names of the files and of the sub-directories in a directory."""
        names = self.tree.get(self.real_name(directory), [])
        return [name for name in names if not name.endswith("/")], [name[:-1] for name in names if name.endswith("/")]

    def below(self, directory: str) -> Iterator[str]:
        """Every file under a directory, with its path from the root."""
        pending = [self.real_name(directory)]
        while pending:
            current = pending.pop()
            files, directories = self.entries(current)
            yield from (join(current, name) for name in files)
            pending.extend(join(current, name) for name in reversed(directories))

    def glob(self, pattern: str) -> list[str]:
        """Files that match a shell pattern; `**` spans directories."""
        match = matcher(pattern)
        return sorted(name for name in self.stamps if match(name))


def clean(path: str) -> str:
    """A path relative to the root without `.`, doubled or leading slashes; `..` at its start means outside."""
    name = posixpath.normpath(path.replace("\\", "/").lstrip("/") or ".")
    return "" if name == "." else name


def join(directory: str, path: str) -> str:
    """A path as written in a file of that directory, relative to the root."""
    return clean(posixpath.join(directory, path)) if directory else clean(path)


@lru_cache(maxsize=512)
def pattern_of(glob: str) -> re.Pattern[str]:
    """Doublestar semantics: `*` stays within a name, `**` spans directories, `{a,b}` alternatives."""
    out = ""
    index = 0
    braces = 0
    while index < len(glob):
        char = glob[index]
        if glob.startswith("**/", index):
            out += "(?:[^/]+/)*"
            index += 3
            continue
        if glob.startswith("**", index):
            out += ".*"
            index += 2
            continue
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and "]" in glob[index + 1 :]:
            end = glob.index("]", index + 1)
            inner = glob[index + 1 : end]
            out += "[" + ("^" + inner[1:] if inner[:1] in ("!", "^") else inner).replace("\\", "\\\\") + "]"
            index = end
        elif char == "{" and "}" in glob[index:]:
            out += "(?:"
            braces += 1
        elif char == "}" and braces:
            out += ")"
            braces -= 1
        elif char == "," and braces:
            out += "|"
        else:
            out += re.escape(char)
        index += 1
    try:
        return re.compile(out + r"\Z", re.DOTALL)
    except re.error:
        return re.compile(fnmatch.translate(glob))


def matcher(glob: str):  # type: ignore[no-untyped-def]
    pattern = pattern_of(clean(glob))
    return lambda name: pattern.match(name) is not None
