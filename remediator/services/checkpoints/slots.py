"""How many pull requests there may be: a slot is taken by the same compare-and-swap that everything else is."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from remediator.domain.base import Value
from remediator.errors import ConflictError
from remediator.services.checkpoints.documents import INDEX, dump_index, load_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.domain.life import Incident
    from remediator.domain.ports import Clock, RefStore

LAPSE = timedelta(hours=1)
"""A slot whose run died before its pull request was recorded counts so long; the same incident may take it again."""

_DAY = timedelta(hours=24)
_TRIES = 60


class Caps(Value):
    """Bounds on pull requests; 0 means none may be opened."""

    open: int = 10
    per_run: int = 5
    per_day: int = 20


@dataclass
class IndexSlots:
    """The `Slots` port over the index of incidents, so that two runs can never both take the last slot."""

    store: RefStore
    caps: Caps
    now: Clock
    _mine: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, incident_id: str, incident: Incident) -> str:
        """See the port."""
        with self._lock:
            for attempt in range(_TRIES):
                head = self.store.head()
                heads = load_index(self.store.read(head, [INDEX]).get(INDEX)) if head else {}
                if why := self._full(incident_id, heads):
                    return why
                known = heads.get(incident_id) or {
                    "incident_id": incident_id,
                    "fingerprint": incident.fingerprint,
                    "generation": incident.generation,
                }
                at = self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
                heads[incident_id] = {**known, "extra": {**known.get("extra", {}), "opening": at}}
                try:
                    self.store.write(head, {INDEX: dump_index(heads)}, f"Open {incident_id} [skip ci]")
                except ConflictError:
                    time.sleep(random.uniform(0, 0.01 * (attempt + 1)))  # noqa: S311 - jitter, not a secret
                    continue
                self._mine.add(incident_id)
                return ""
            raise ConflictError("the state branch was never still while a slot was asked for")

    def _full(self, incident_id: str, heads: Mapping[str, Mapping[str, Any]]) -> str:
        """The cap that is reached, in words; the incident's own slot does not count against it."""
        others = [head for thread, head in heads.items() if thread != incident_id]
        opening = [head for head in others if self._within(head.get("extra", {}).get("opening", ""), LAPSE)]
        waiting = [head for head in others if head.get("status") == "awaiting_review"]
        today = [head for head in others if self._within(head.get("opened", ""), _DAY)]
        caps = self.caps
        if len(self._mine - {incident_id}) >= caps.per_run:
            return f"{caps.per_run} pull requests were opened in this run (max_pull_requests_per_run)"
        if len(waiting) + len(opening) >= caps.open:
            return f"{caps.open} pull requests are open (max_open_pull_requests)"
        if len(today) + len(opening) >= caps.per_day:
            return f"{caps.per_day} pull requests were opened within a day (max_pull_requests_per_day)"
        return ""

    def _within(self, stamp: str, span: timedelta) -> bool:
        return bool(stamp) and self.now() - datetime.fromisoformat(stamp) < span
