"""The issue that lists the queued fixes: people tick those that they want opened now.

Ticks are applied before anything else in a run, and only from people who may write to the repository.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.domain.lifecycle import gravity
from remediator.report import backlog, ticked
from remediator.services.github.backlog import Backlog

if TYPE_CHECKING:
    from remediator.graph.driver import Driver
    from remediator.services.github.backlog import BacklogEntry
    from remediator.services.github.conversation import Conversation

log = logging.getLogger(__name__)


@dataclass
class QueueIssue:
    """One run's view of the list."""

    driver: Driver
    conversation: Conversation
    _entry: BacklogEntry | None = field(default=None, repr=False)
    _applied: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._issue = Backlog(self.conversation.client)
        self._had_queued = any(record.held for record in self.driver.records())

    def apply_ticks(self) -> None:
        """Admit the ticked incidents in spite of the limits, if GitHub says that the editor may write here."""
        self._entry = self._issue.find()
        if self._entry and (ticked_ids := ticked(self._entry.body)):
            self._applied = ticked_ids
            if self._entry.editor and self.conversation.may_command(self._entry.editor):
                self.driver.admission.requested.update(ticked_ids)
            else:
                log.warning("%s may not write here: the ticks are ignored", self._entry.editor or "nobody")

    def update(self) -> int:
        """Update the list, where there is or was a queued fix; return the issue's number, 0 for none."""
        queued = sorted((record for record in self.driver.records() if record.held), key=gravity)
        if not (queued or self._entry or self._had_queued):
            return 0
        entry = self._entry or self._issue.find()
        waiting = {record.incident_id for record in queued}
        if entry and ticked(entry.body) & waiting - self._applied:
            return entry.number  # ticked meanwhile: the run of that event applies them, and then writes the list
        return self._issue.write(entry, backlog(queued), empty=not queued)
