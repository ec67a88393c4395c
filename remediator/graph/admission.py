"""Who may open one more pull request: judged against the index that the same compare-and-swap then changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from remediator.domain.base import Value
from remediator.domain.lifecycle import TAKE_BACK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.domain.ports import Clock

LAPSE = timedelta(hours=1)
"""A change whose publishing began so long ago, and is not recorded, counts no longer."""

_DAY = timedelta(hours=24)


class Caps(Value):
    """Bounds on pull requests; 0 means none may be opened."""

    open: int = 10
    per_run: int = 5
    per_day: int = 20


@dataclass
class Admission:
    """Caps and freeze windows; `refuses` is asked again with a newer index whenever a race was lost."""

    caps: Caps = field(default_factory=Caps)
    frozen: Callable[[], str] = str
    """Why nothing may be proposed at this time; empty when it may."""
    now: Clock = lambda: datetime.now(UTC)
    requested: set[str] = field(default_factory=set)
    """Incidents that people want opened whatever the caps say."""
    _admitted: set[str] = field(default_factory=set)
    """Incidents that this run was let open."""

    def refusal(self, incident_id: str, heads: Mapping[str, Mapping[str, Any]]) -> str:
        """Why this incident's pull request must wait, in words; empty when it may be opened.

        What takes a change back is never refused: a freeze and a cap are there to keep things as they were.
        """
        if heads.get(incident_id, {}).get("action") == TAKE_BACK:
            return ""
        why = self.frozen() or self._same_change(incident_id, heads) or self._reached_cap(incident_id, heads)
        (self._admitted.discard if why else self._admitted.add)(incident_id)
        return why

    def room(self, heads: Mapping[str, Mapping[str, Any]]) -> int:
        """How many more the caps leave now: more need not be tried."""
        if self.frozen():
            return 0
        waiting, opening, today = self._count("", heads)
        caps = self.caps
        return max(
            0, min(caps.per_run - len(self._admitted), caps.open - waiting - opening, caps.per_day - today - opening)
        )

    def _same_change(self, incident_id: str, heads: Mapping[str, Mapping[str, Any]]) -> str:
        """Another run is opening the very same change: its pull request will be this incident's too."""
        change = heads.get(incident_id, {}).get("change")
        for thread, head in heads.items():
            begun = self._within(head.get("opening", ""), LAPSE)
            if change and thread != incident_id and head.get("change") == change and begun:
                return f"the same change is being opened for {thread}"
        return ""

    def _reached_cap(self, incident_id: str, heads: Mapping[str, Mapping[str, Any]]) -> str:
        """The cap that is reached; what the incident itself has open does not count against it."""
        waiting, opening, today = self._count(incident_id, heads)
        caps = self.caps
        if incident_id in self.requested:
            return ""
        if len(self._admitted - {incident_id}) >= caps.per_run:
            return f"{caps.per_run} pull requests were opened in this run (max_pull_requests_per_run)"
        if waiting + opening >= caps.open:
            return f"{caps.open} pull requests are open (max_open_pull_requests)"
        if today + opening >= caps.per_day:
            return f"{caps.per_day} pull requests were opened within a day (max_pull_requests_per_day)"
        return ""

    def _count(self, incident_id: str, heads: Mapping[str, Mapping[str, Any]]) -> tuple[int, int, int]:
        """Waiting for review, being opened, opened within a day (every attempt for itself)."""
        other_heads = [head for thread, head in heads.items() if thread != incident_id]
        open_ones = [head for head in other_heads if head.get("status") == "awaiting_review"]
        waiting = len({head.get("branch") or id(head) for head in open_ones})  # several may share a pull request
        opening = sum(self._within(head.get("opening", ""), LAPSE) for head in other_heads)
        today = sum(self._within(at, _DAY) for head in heads.values() for at in head.get("opened", ()))
        return waiting, opening, today

    def _within(self, stamp: str, span: timedelta) -> bool:
        return bool(stamp) and self.now() - datetime.fromisoformat(stamp) < span
