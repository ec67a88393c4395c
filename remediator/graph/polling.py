"""Look again within one run, as long as the policy has patience; a sweep of many has none."""

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
    """How long one run waits for a rollout; what is not settled by then is a later run's."""

    total: timedelta
    now: Clock
    sleep: Callable[[float], None]
    verifiers: Sequence[Verifier] = ()
    step: float = STEP

    def watch(self, value: T, is_pending: Callable[[T], bool], look: Callable[[], T]) -> T:
        """What `look` finds in the end: it is asked again until nothing is waited for, or patience is over."""
        until = self.now() + self.total
        while is_pending(value) and (remaining := (until - self.now()).total_seconds()) > 0:
            log.info("not settled yet; looking again in %.0f s", min(self.step, remaining))
            self.sleep(min(self.step, remaining))
            for verifier in self.verifiers:
                verifier.forget()
            value = look()
        return value


def unsettled(state: IncidentState) -> bool:
    """Whether another look could tell more."""
    waits = state["workflow_status"] == "verifying" and state["verification_status"] == "pending"
    return waits and state["recovery_result"] != NOTHING_CONFIGURED
