"""The status comments of a sweep, posted together: GitHub limits requests, above all those that write."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.errors import RemediatorError
    from remediator.services.github.conversation import Activity, Conversation


@dataclass
class StatusBatch:
    """The newest status of each pull request, by the incident that it is about."""

    _notes: dict[tuple[str, str], tuple[Activity, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def put(self, incident_id: str, activity: Activity, body: str) -> None:
        """Add the status of a pull request; it replaces an earlier one of the same sweep."""
        with self._lock:
            self._notes[incident_id, activity.id] = activity, body

    def send(self, conversation: Conversation) -> dict[str, RemediatorError]:
        """Post all statuses; return the incidents for which this failed, with the error."""
        with self._lock:
            notes, self._notes = self._notes, {}
        outcome = conversation.upsert_comments(list(notes.values()))
        return {incident: error for (incident, _), error in zip(notes, outcome, strict=True) if error}
