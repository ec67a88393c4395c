"""Cache expensive results: trees by the state of the checkout, renderings by content.

A cache is an optimisation and nothing else: unreadable, foreign or half-written entries count as missing.
It lies outside of the checkout, so that a repository cannot fill it.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from remediator.gitops.model import Manifest

MAX_ENTRIES = 2000
MAX_TREES = 40


def default_directory(environment: Any = None) -> Path:
    """Return the directory of the user's caches, by the XDG convention."""
    values = os.environ if environment is None else environment
    home = Path(values.get("HOME") or tempfile.gettempdir())
    return Path(values.get("XDG_CACHE_HOME") or home / ".cache") / "remediator"


class Cache:
    """A cache in memory, and on disk where a directory is given."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory
        self._memory: dict[str, Any] = {}
        self._pruned = False

    def text(self, key: str, make: Callable[[], str]) -> str:
        """Return the text under a key; without one it is made now and cached."""
        text = self._get(key)
        if not isinstance(text, str):
            text = make()
            self._put(key, text)
        return text

    def objects(self, key: str) -> list[dict[str, Any]] | None:
        """Return the objects under a key as plain data; None without any."""
        objects = self._get(key)
        return objects if isinstance(objects, list) else None

    def keep_objects(self, key: str, objects: Iterable[Manifest]) -> None:
        """Store rendered objects under a key."""
        self._put(key, [{"body": item.body, "file": item.file, "document": item.document} for item in objects])

    def _get(self, key: str) -> Any:
        if key in self._memory:
            return self._memory[key]
        if self.directory is not None:
            value = _load(self.directory / "renderings" / f"{key}.json")
            if value is not None:
                self._memory[key] = value
            return value
        return None

    def _put(self, key: str, value: Any) -> None:
        if len(self._memory) > MAX_ENTRIES:
            self._memory.clear()
        self._memory[key] = value
        if self.directory is not None:
            _store(self.directory / "renderings" / f"{key}.json", value)
            if not self._pruned:
                self._pruned = True
                _prune(self.directory / "renderings", MAX_ENTRIES)

    def tree(self, key: str) -> Any:
        """Return the tree under a key as it was dumped; None without one."""
        return _load(self.directory / "trees" / f"{key}.json") if self.directory is not None and key else None

    def keep_tree(self, key: str, data: Any) -> None:
        """Store a tree under a key, and remove the oldest ones beyond MAX_TREES."""
        if self.directory is not None and key:
            _store(self.directory / "trees" / f"{key}.json", data)
            _prune(self.directory / "trees", MAX_TREES)


def _prune(directory: Path, keep: int) -> None:
    """Remove the oldest entries."""
    with contextlib.suppress(OSError):
        entries = sorted(directory.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in entries[keep:]:
            path.unlink()


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _store(path: Path, value: Any) -> None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(json.dumps(value, separators=(",", ":")).encode("utf-8", "surrogateescape"))
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink()
            raise
