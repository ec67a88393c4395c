"""A short cache of branch heads: a sweep of many incidents asks the forge once for each branch."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.domain.lifecycle import Base
    from remediator.domain.ports import Clock, Forge

FRESH = timedelta(seconds=15)
"""The life of an entry; it is shorter than the time between two looks at one incident."""


@dataclass
class RecentBases:
    """`Forge.base` with a cache."""

    forge: Forge
    now: Clock
    _bases: dict[str, tuple[datetime, Base]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, branch: str) -> Base:
        """Return the head of the branch, at most `FRESH` old."""
        with self._lock:
            entry, now = self._bases.get(branch), self.now()
            if entry is None or now - entry[0] >= FRESH:
                entry = self._bases[branch] = (now, self.forge.base(branch))
            return entry[1]
