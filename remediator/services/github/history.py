"""Whether one commit is in another's history, asked of GitHub: a runner's clone may be shallow or of yesterday."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.errors import RemediatorError

if TYPE_CHECKING:
    from remediator.services.github.client import Client


@dataclass
class History:
    """One request for each pair of commits, however many Applications ask."""

    client: Client
    _known: dict[tuple[str, str], bool | None] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def contains(self, revision: str, commit: str) -> bool | None:
        """Whether the commit is the revision or before it; None where GitHub knows one of them not, or not now."""
        with self._lock:
            if (revision, commit) not in self._known:
                self._known[revision, commit] = self._asked(revision, commit)
            return self._known[revision, commit]

    def _asked(self, revision: str, commit: str) -> bool | None:
        try:
            reply = self.client.rest("GET", f"/compare/{commit}...{revision}", expect={404, 422})
        except RemediatorError:
            return None
        return reply.body["status"] in {"ahead", "identical"} if reply.status == 200 else None
