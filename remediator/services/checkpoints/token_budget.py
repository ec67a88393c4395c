"""How many tokens all runs of a day may spend on a model: taken by the same compare-and-swap as everything else."""

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
"""Beside the index and not in it: a run of an earlier release writes the index anew, and would forget the count."""

_TRIES = 60


@dataclass
class DailyTokenBudget:
    """The `Purse` port over one document of the state branch; a new UTC day starts at nothing."""

    store: RefStore
    per_day: int
    now: Clock
    looks: bool = False
    """Nothing is written (a dry run): what is taken is only remembered."""
    sleep: Callable[[float], None] = time.sleep
    _mine: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, least: int, most: int) -> int:
        """See the port."""
        granted = 0

        def taken(spent: int) -> int:
            nonlocal granted
            left = self.per_day - spent
            granted = min(most, left) if left >= least else 0
            return spent + granted

        self._change(taken, "Set tokens aside")
        return granted

    def give_back(self, tokens: int) -> int:
        """See the port; of what was taken yesterday nothing comes back today."""
        return self._change(lambda spent: max(0, spent - tokens), "Count tokens")

    def _change(self, change: Callable[[int], int], why: str) -> int:
        with self._lock:
            for attempt in range(_TRIES):
                head = self.store.head()
                today = self.now().strftime("%Y-%m-%d")
                spent = _spent(self.store.read(head, [FILE]).get(FILE) if head else None, today)
                if self.looks:
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
    """Of this day; a document that is none of ours counts as nothing spent."""
    try:
        found = json.loads(text or b"{}")
        return max(0, int(found["tokens"])) if found["day"] == today else 0
    except (ValueError, KeyError, TypeError):
        return 0
