"""Limits on opening pull requests.

The limits are checked against the same index that the following compare-and-swap changes. Two runs therefore cannot
both take the last free place: the second one fails, reads the new index, and asks again.
"""

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
"""A publication that began longer ago than this and was not recorded no longer counts."""

_DAY = timedelta(hours=24)


class Caps(Value):
    """Limits on pull requests; 0 means that none may be opened."""

    open: int = 10
    per_run: int = 5
    per_day: int = 20


@dataclass
class Admission:
    """Limits and freeze windows; `refusal` is called again with a newer index after a lost race."""

    caps: Caps = field(default_factory=Caps)
    frozen: Callable[[], str] = str
    """Return the reason why nothing may be proposed at this time; empty when it may."""
    now: Clock = lambda: datetime.now(UTC)
    requested: set[str] = field(default_factory=set)
    """Incidents that people want opened in spite of the limits."""
    _admitted: set[str] = field(default_factory=set)
    """Incidents that this run may open."""

    def refusal(self, incident_id: str, heads: Mapping[str, Mapping[str, Any]]) -> str:
        """Return the reason why this incident's pull request must wait; empty when it may be opened.

        A revert is never refused: freezes and limits exist to keep the cluster as it was.
        """
        if heads.get(incident_id, {}).get("action") == TAKE_BACK:
            return ""
        why = self.frozen() or self._same_change(incident_id, heads) or self._reached_cap(incident_id, heads)
        (self._admitted.discard if why else self._admitted.add)(incident_id)
        return why

    def room(self, heads: Mapping[str, Mapping[str, Any]]) -> int:
        """Return how many more pull requests the limits allow now."""
        if self.frozen():
            return 0
        waiting, opening, today = self._count("", heads)
        caps = self.caps
        return max(
            0, min(caps.per_run - len(self._admitted), caps.open - waiting - opening, caps.per_day - today - opening)
        )

    def _same_change(self, incident_id: str, heads: Mapping[str, Mapping[str, Any]]) -> str:
        """Return a reason where another run is opening the same change: both incidents will share its pull request."""
        change = heads.get(incident_id, {}).get("change")
        for thread, head in heads.items():
            begun = self._within(head.get("opening", ""), LAPSE)
            if change and thread != incident_id and head.get("change") == change and begun:
                return f"the same change is being opened for {thread}"
        return ""

    def _reached_cap(self, incident_id: str, heads: Mapping[str, Mapping[str, Any]]) -> str:
        """Return the limit that is reached; the incident's own open pull request does not count."""
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
        """Count the pull requests that await review, are being opened, and were opened within a day (each attempt counts)."""
        other_heads = [head for thread, head in heads.items() if thread != incident_id]
        open_ones = [head for head in other_heads if head.get("status") == "awaiting_review"]
        waiting = len(
            {head.get("branch") or id(head) for head in open_ones}
        )  # several incidents may share one pull request
        opening = sum(self._within(head.get("opening", ""), LAPSE) for head in other_heads)
        today = sum(self._within(at, _DAY) for head in heads.values() for at in head.get("opened", ()))
        return waiting, opening, today

    def _within(self, stamp: str, span: timedelta) -> bool:
        return bool(stamp) and self.now() - datetime.fromisoformat(stamp) < span
