"""The heads of branches, asked for once where many incidents are looked at side by side."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.domain.lifecycle import Base
    from remediator.domain.ports import Clock, Forge

FRESH = timedelta(seconds=15)
"""Shorter than looks that follow each other are apart."""


@dataclass
class RecentBases:
    """`Forge.base`, whose answer counts for a moment."""

    forge: Forge
    now: Clock
    _bases: dict[str, tuple[datetime, Base]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, branch: str) -> Base:
        """Where the branch is, or was a moment ago."""
        with self._lock:
            entry, now = self._bases.get(branch), self.now()
            if entry is None or now - entry[0] >= FRESH:
                entry = self._bases[branch] = (now, self.forge.base(branch))
            return entry[1]
