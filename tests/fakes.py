"""Fakes of the ports; each obeys the same contract tests as the real adapter."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass
class MemoryRefStore:
    """A `RefStore` that forgets; heads are numbers."""

    commits: list[dict[str, bytes]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def head(self) -> str:
        return str(len(self.commits)) if self.commits else ""

    def read(self, head: str, paths: Sequence[str] | None = None) -> dict[str, bytes]:
        files = self.commits[int(head) - 1] if head else {}
        return {path: text for path, text in files.items() if paths is None or path in paths}

    def write(self, expected: str, changes: Mapping[str, bytes | None], message: str) -> str:
        with self.lock:
            if expected != self.head():
                raise ConflictError(f"head is {self.head()}, not {expected}")
            files = self.read(expected) | {path: text for path, text in changes.items() if text is not None}
            for path, text in changes.items():
                if text is None:
                    files.pop(path, None)
            self.commits.append(files)
            self.messages.append(message)
            return self.head()
