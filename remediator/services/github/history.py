"""The ancestry of two commits, from GitHub: a runner's clone may be shallow or a day old."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.errors import RemediatorError

if TYPE_CHECKING:
    from remediator.services.github.client import Client


@dataclass
class AncestryCache:
    """Answers by pair of commits, requested once since they never change; an unknown answer is requested again."""

    client: Client
    _results: dict[tuple[str, str], bool] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def contains(self, revision: str, commit: str) -> bool | None:
        """Return whether the commit is the revision or before it; None where GitHub does not know one of them."""
        with self._lock:
            result = self._results.get((revision, commit))
        if result is None and (result := self._compare(revision, commit)) is not None:
            with self._lock:
                self._results[revision, commit] = result
        return result

    def _compare(self, revision: str, commit: str) -> bool | None:
        try:
            reply = self.client.rest("GET", f"/compare/{commit}...{revision}", expect={404, 422})
        except RemediatorError:
            return None
        return reply.body["status"] in {"ahead", "identical"} if reply.status == 200 else None
