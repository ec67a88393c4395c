"""Keep what is costly to find out again: the scan's facts by file stamp, renderings by content.

A cache is an optimisation and nothing else: unreadable, foreign or half-written entries are simply not there.
It lies outside of the checkout, so that a repository cannot fill it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from remediator.gitops.files import Files
from remediator.gitops.model import Manifest
from remediator.gitops.scan import Facts

VERSION = 1
MAX_ENTRIES = 2000


def default_directory(environment: Any = None) -> Path:
    """Where a user's caches go, by the XDG convention."""
    values = os.environ if environment is None else environment
    base = values.get("XDG_CACHE_HOME") or os.path.join(values.get("HOME") or tempfile.gettempdir(), ".cache")
    return Path(base) / "remediator"


class Cache:
    """In memory always, on disk where a directory is given."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory
        self._memory: dict[str, Any] = {}

    def text(self, key: str, make: Callable[[], str]) -> str:
        found = self._get(key)
        if not isinstance(found, str):
            found = make()
            self._put(key, found)
        return found

    def objects(self, key: str) -> list[dict[str, Any]] | None:
        found = self._get(key)
        return found if isinstance(found, list) else None

    def keep_objects(self, key: str, objects: Iterable[Manifest]) -> None:
        self._put(key, [{"body": item.body, "file": item.file, "document": item.document} for item in objects])

    def _get(self, key: str) -> Any:
        if key in self._memory:
            return self._memory[key]
        if self.directory is not None:
            found = _load(self.directory / "renderings" / f"{key}.json")
            if found is not None:
                self._memory[key] = found
            return found
        return None

    def _put(self, key: str, value: Any) -> None:
        if len(self._memory) > MAX_ENTRIES:
            self._memory.clear()
        self._memory[key] = value
        if self.directory is not None:
            _store(self.directory / "renderings" / f"{key}.json", value)

    def facts(self, files: Files) -> dict[str, Facts | None] | None:
        """Facts of the files whose stamp is the one they were read with; None without a usable cache."""
        if self.directory is None:
            return None
        stored = _load(self._facts_file(files))
        if not isinstance(stored, dict) or stored.get("version") != VERSION:
            return None
        stamps, facts = files.stamps, stored["facts"]
        try:
            return {
                name: (Facts.load(facts[name]) if name in facts else None)
                for name, stamp in stored["stamps"].items()
                if name not in files.overlay and (now := stamps.get(name)) is not None and list(now) == stamp
            }
        except (TypeError, ValueError, KeyError):
            return None

    def keep_facts(self, files: Files, facts: dict[str, Facts]) -> None:
        if self.directory is not None and not files.overlay:
            data = {"version": VERSION, "stamps": files.stamps, "facts": {name: item.dump() for name, item in facts.items()}}
            _store(self._facts_file(files), data)

    def _facts_file(self, files: Files) -> Path:
        assert self.directory is not None
        return self.directory / "scans" / (hashlib.sha256(files.real.encode("utf-8", "surrogateescape")).hexdigest()[:32] + ".json")


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
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
