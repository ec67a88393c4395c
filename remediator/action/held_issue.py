"""What is held back, listed where people can tick it; and their ticks heeded before all else."""

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
class HeldList:
    """One run's view of the list."""

    driver: Driver
    conversation: Conversation
    _known: BacklogEntry | None = field(default=None, repr=False)
    _heeded: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._issue = Backlog(self.conversation.client)
        self._had = any(record.held for record in self.driver.records())

    def heed(self) -> None:
        """Let those that people have ticked be opened whatever the caps say; asked of GitHub who may."""
        self._known = self._issue.find()
        if self._known and (wanted := ticked(self._known.body)):
            self._heeded = wanted
            if self._known.editor and self.conversation.may_command(self._known.editor):
                self.driver.admission.requested.update(wanted)
            else:
                log.warning("%s may not write here: the ticks are not heeded", self._known.editor or "nobody")

    def tell(self) -> int:
        """Bring the list up to date, where there is or was something to list; the issue's number, 0 for none."""
        held = sorted((record for record in self.driver.records() if record.held), key=gravity)
        if not (held or self._known or self._had):
            return 0
        known = self._known or self._issue.find()
        waiting = {record.incident_id for record in held}
        if known and ticked(known.body) & waiting - self._heeded:
            return known.number  # ticked meanwhile: the run of that event heeds it, and then writes the list
        return self._issue.write(known, backlog(held), empty=not held)
