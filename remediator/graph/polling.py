"""Look again within one run, for the time that the policy allows; a sweep of many incidents does not wait."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from remediator.graph.nodes.verify_recovery import NOTHING_CONFIGURED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remediator.domain.ports import Clock, Verifier
    from remediator.graph.state import IncidentState

T = TypeVar("T")
log = logging.getLogger(__name__)

STEP = 30.0
"""Seconds between two looks, at most."""


@dataclass(frozen=True)
class Polling:
    """The waiting time of one run for a rollout; a later run checks what is not settled by then."""

    total: timedelta
    now: Clock
    sleep: Callable[[float], None]
    verifiers: Sequence[Verifier] = ()
    step: float = STEP

    def watch(self, value: T, is_pending: Callable[[T], bool], look: Callable[[], T]) -> T:
        """Return the last result of `look`: it is called until nothing is pending, or the time is over."""
        until = self.now() + self.total
        while is_pending(value) and (remaining := (until - self.now()).total_seconds()) > 0:
            log.info("not settled yet; looking again in %.0f s", min(self.step, remaining))
            self.sleep(min(self.step, remaining))
            for verifier in self.verifiers:
                verifier.forget()
            value = look()
        return value


def unsettled(state: IncidentState) -> bool:
    """Return whether another look could give another result."""
    waits = state["workflow_status"] == "verifying" and state["verification_status"] == "pending"
    return waits and state["recovery_result"] != NOTHING_CONFIGURED
