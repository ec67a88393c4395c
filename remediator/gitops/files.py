"""Read a checkout and nothing outside it: with limits, symlinks only within, changes applied in memory.

A checkout is untrusted input, so a link out of it, a huge file or a huge directory becomes a problem, not a crash.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from remediator.gitops.file_paths import clean, join, matcher
from remediator.gitops.model import Problem
from remediator.gitops.yamlread import UnreadableYaml

MAX_BYTES = 8 * 1024 * 1024
MAX_FILES = 400_000
SKIPPED = frozenset({".git", "node_modules", ".terraform", ".venv"})
YAML_SUFFIXES = (".yaml", ".yml", ".json")
KUSTOMIZATION_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

_READ_ONLY = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK

Stamp = tuple[int, int, int]
"""The size, modification and change time of a file; equal stamps mean an unchanged file."""

_CHUNK = 64 * 1024


class Files:
    """The files of one checkout by their path relative to its root, as if the overlay were written to disk."""

    def __init__(
        self, root: Path, overlay: Mapping[str, bytes | None] | None = None, base: Files | None = None
    ) -> None:
        self.root = root
        self.real = os.path.realpath(root)
        self.overlay = dict(overlay or {})
        self.problems: list[Problem] = []
        self._base = base
        self._links: dict[str, str] = {}
        self._listed: dict[str, list[str]] = {}

    def with_changes(self, changes: Mapping[str, bytes | None]) -> Files:
        """Return the same files with these replaced or (None) removed."""
        changed = Files(
            self.root, {**self.overlay, **{clean(name): data for name, data in changes.items()}}, self._base or self
        )
        changed._links = self._links
        return changed

    @cached_property
    def names(self) -> dict[str, None]:
        """Return every regular file, as if the overlay were written to disk; in the order of the walk."""
        if self._base is None and not self.overlay:
            return self._walk()
        names = dict(self._base.names if self._base is not None else self._walk())
        for name, data in self.overlay.items():
            if data is None:
                names.pop(name, None)
            else:
                names[name] = None
        return names

    def _walk(self) -> dict[str, None]:
        files: dict[str, None] = {}
        pending = [("", self.real)]
        while pending:
            prefix, directory = pending.pop()
            try:
                entries = os.scandir(directory)
            except OSError as error:
                self.problems.append(
                    Problem("missing-file", f"cannot be listed: {error.strerror}", file=prefix.rstrip("/"))
                )
                continue
            names: list[str] = []
            below: list[tuple[str, str]] = []
            foreign = False
            with entries:
                for entry in entries:
                    base = entry.name
                    if base == ".git" and prefix and entry.is_dir(follow_symlinks=False):
                        foreign = True  # a clone of another repository that lies here; a submodule's .git is a file
                        break
                    if entry.is_file(follow_symlinks=False):
                        names.append(base)
                    elif entry.is_dir(follow_symlinks=False):
                        if base not in SKIPPED:
                            below.append((f"{prefix}{base}/", entry.path))
                    elif entry.is_symlink() and self._link(prefix + base, entry.path):
                        names.append(base)
            if foreign:
                continue
            pending += below
            if names:
                names.sort()
                self._listed[prefix[:-1]] = names
                files.update(dict.fromkeys([prefix + base for base in names]))
            if len(files) > MAX_FILES:
                self.problems.append(Problem("too-large", f"more than {MAX_FILES} files: the rest is not read"))
                break
        return files

    def stamps(self) -> dict[str, Stamp]:
        """Return every file's stamp, read from the file system now."""
        stamps: dict[str, Stamp] = {}
        for name in self.names:
            try:
                status = os.stat(f"{self.real}/{name}")  # noqa: PTH116 - a Path per file costs more than the call
            except OSError:
                continue
            stamps[name] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return stamps

    def _link(self, name: str, path: str) -> bool:
        """Follow a symbolic link within the checkout; True where it is a file."""
        target = os.path.realpath(path)
        inside = os.path.relpath(target, self.real).replace(os.sep, "/")
        if inside == ".." or inside.startswith("../") or inside.split("/")[0] == ".git":
            self.problems.append(
                Problem("symlink", "symbolic link points out of the checkout: not followed", file=name)
            )
            return False
        try:
            status = Path(target).stat()
        except OSError:
            self.problems.append(Problem("symlink", "symbolic link has no target", file=name))
            return False
        if stat.S_ISREG(status.st_mode):
            return True
        if stat.S_ISDIR(status.st_mode) and not (name + "/").startswith("" if inside == "." else inside + "/"):
            self._links[name] = inside
        return False

    @cached_property
    def tree(self) -> dict[str, list[str]]:
        """Return, for each directory, the names of its files and, with a trailing slash, of its sub-directories."""
        names = self.names
        if self._base is None and not self.overlay:
            listed = self._listed
        else:
            listed = {}
            for name in sorted(names):
                directory, _, base = name.rpartition("/")
                listed.setdefault(directory, []).append(base)
        result: dict[str, list[str]] = {"": []}
        for directory in sorted(listed):
            if directory not in result:
                self._add_directory(result, directory)
            result[directory] += listed[directory]
        return result

    @staticmethod
    def _add_directory(result: dict[str, list[str]], directory: str) -> None:
        result[directory] = []
        while directory:
            parent, _, base = directory.rpartition("/")
            new = parent not in result
            result.setdefault(parent, []).append(base + "/")
            if not new:
                break
            directory = parent

    @cached_property
    def overridden(self) -> frozenset[str]:
        """Return the directories with `.argocd-source*.yaml` files, which override the sources of Applications."""
        return frozenset(
            directory
            for directory, names in self.tree.items()
            if any(name.startswith(".argocd-source") for name in names)
        )

    def real_name(self, path: str) -> str:
        """Return the path with in-tree directory links resolved; raises UnreadableYaml where it leaves the checkout."""
        name = clean(path)
        if name == ".." or name.startswith("../"):
            raise UnreadableYaml("path leads out of the checkout", file=path)
        for _ in range(10):
            link = next((link for link in self._links if name == link or name.startswith(link + "/")), None)
            if link is None:
                break
            name = posixpath.normpath(posixpath.join(self._links[link], name[len(link) + 1 :])).removeprefix("./")
            name = "" if name == "." else name
        return name

    def is_file(self, path: str) -> bool:
        """Return whether the checkout has such a file."""
        try:
            return self.real_name(path) in self.names
        except UnreadableYaml:
            return False

    def is_dir(self, path: str) -> bool:
        """Return whether the checkout has such a directory, with files."""
        try:
            return self.real_name(path) in self.tree
        except UnreadableYaml:
            return False

    def read(self, path: str) -> bytes:
        """Return the bytes of a file; raises UnreadableYaml where it is missing, outside or too large."""
        name = self.real_name(path)
        if name in self.overlay:
            data = self.overlay[name]
            if data is None:
                raise UnreadableYaml("no such file", file=name)
            return data
        if name not in self.names:
            raise UnreadableYaml("no such file", file=name)
        return self.read_listed(name)

    def read_listed(self, name: str) -> bytes:
        """Return the bytes of a file that was found in the walk."""
        data = self.overlay.get(name) if self.overlay else None
        if data is not None:
            return data
        try:
            handle = os.open(f"{self.real}/{name}", _READ_ONLY)
            try:
                data = os.read(handle, _CHUNK)
                if len(data) == _CHUNK:
                    data = self._read_remainder(handle, data)
            finally:
                os.close(handle)
        except OSError as error:
            raise UnreadableYaml(f"cannot be read: {error.strerror}", file=name) from None
        if len(data) > MAX_BYTES:
            raise UnreadableYaml(f"larger than {MAX_BYTES // 1024 // 1024} MB: not read", file=name)
        return data

    @staticmethod
    def _read_remainder(handle: int, data: bytes) -> bytes:
        """Return all bytes including the first chunk; more than MAX_BYTES where the file is too large."""
        if os.fstat(handle).st_size > MAX_BYTES:
            return b" " * (MAX_BYTES + 1)
        parts = [data]
        size = len(data)
        while size <= MAX_BYTES and (chunk := os.read(handle, MAX_BYTES)):
            parts.append(chunk)
            size += len(chunk)
        return b"".join(parts)

    def entries(self, directory: str) -> tuple[list[str], list[str]]:
        """Return the names of the files and of the sub-directories in a directory."""
        names = self.tree.get(self.real_name(directory), [])
        return [name for name in names if not name.endswith("/")], [name[:-1] for name in names if name.endswith("/")]

    def below(self, directory: str) -> Iterator[str]:
        """Yield every file under a directory, with its path from the root."""
        pending = [self.real_name(directory)]
        while pending:
            current = pending.pop()
            files, directories = self.entries(current)
            yield from (join(current, name) for name in files)
            pending.extend(join(current, name) for name in reversed(directories))

    def glob(self, pattern: str) -> list[str]:
        """Return files that match a shell pattern; `**` spans directories."""
        match = matcher(pattern)
        return sorted(name for name in self.names if match(name))


def kustomization_file(files: Files, directory: str) -> str | None:
    """Return the kustomization of a directory, by whichever of its names."""
    return next((name for base in KUSTOMIZATION_NAMES if files.is_file(name := join(directory, base))), None)
