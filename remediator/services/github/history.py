"""Whether one commit is in another's history, asked of GitHub: a runner's clone may be shallow or of yesterday."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.errors import RemediatorError

if TYPE_CHECKING:
    from remediator.services.github.client import Client


@dataclass
class AncestryCache:
    """What is known of a pair of commits stays so, and is asked once; what is not known now may be later."""

    client: Client
    _known: dict[tuple[str, str], bool] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def contains(self, revision: str, commit: str) -> bool | None:
        """Whether the commit is the revision or before it; None where GitHub knows one of them not, or not now."""
        with self._lock:
            known = self._known.get((revision, commit))
        if known is None and (known := self._asked(revision, commit)) is not None:
            with self._lock:
                self._known[revision, commit] = known
        return known

    def _asked(self, revision: str, commit: str) -> bool | None:
        try:
            reply = self.client.rest("GET", f"/compare/{commit}...{revision}", expect={404, 422})
        except RemediatorError:
            return None
        return reply.body["status"] in {"ahead", "identical"} if reply.status == 200 else None
