"""The daily token budget of all runs: counted by the same compare-and-swap as everything else."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.errors import ConflictError

if TYPE_CHECKING:
    from remediator.domain.ports import Clock, RefStore

FILE = "model.json"
"""A file beside the index, not in it: an earlier release rewrites the index, and would lose the count."""

_TRIES = 60


@dataclass
class DailyTokenBudget:
    """The `TokenBudget` port over one document of the state branch; a new UTC day starts at zero."""

    store: RefStore
    per_day: int
    now: Clock
    read_only: bool = False
    """True in a dry run: reservations are counted in memory and never written."""
    sleep: Callable[[float], None] = time.sleep
    _mine: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, least: int, most: int) -> int:
        """Reserve tokens of the day."""
        granted = 0

        def reserve(spent: int) -> int:
            nonlocal granted
            remaining = self.per_day - spent
            granted = min(most, remaining) if remaining >= least else 0
            return spent + granted

        self._change(reserve, "Set tokens aside")
        return granted

    def give_back(self, tokens: int) -> int:
        """Return unused tokens; those that were reserved yesterday do not come back today."""
        return self._change(lambda spent: max(0, spent - tokens), "Count tokens")

    def _change(self, change: Callable[[int], int], why: str) -> int:
        with self._lock:
            for attempt in range(_TRIES):
                head = self.store.head()
                today = self.now().strftime("%Y-%m-%d")
                spent = _spent(self.store.read(head, [FILE]).get(FILE) if head else None, today)
                if self.read_only:
                    after = change(spent + self._mine)
                    self._mine = after - spent
                    return after
                if (after := change(spent)) == spent:
                    return spent
                text = json.dumps({"schema": 1, "day": today, "tokens": after}) + "\n"
                try:
                    self.store.write(head, {FILE: text.encode()}, f"{why} [skip ci]")
                except ConflictError:
                    self.sleep(random.uniform(0, 0.01 * (attempt + 1)))  # noqa: S311 - jitter, not a secret
                    continue
                return after
            raise ConflictError("the state branch was never still while tokens were counted")


def _spent(text: bytes | None, today: str) -> int:
    """Return the tokens spent on this day; an unreadable document counts as zero."""
    try:
        document = json.loads(text or b"{}")
        return max(0, int(document["tokens"])) if document["day"] == today else 0
    except (ValueError, KeyError, TypeError):
        return 0
