"""Bounds that the flow keeps, from the policies."""

from __future__ import annotations

from datetime import timedelta

from remediator.domain.base import Value


class RunLimits(Value):
    """How often and how long; the shipped policies say the same."""

    attempts: int = 3
    rounds: int = 5
    merge_on_approval: bool = False
    """An approval of the present head merges, instead of waiting for the merge."""
    deadline: timedelta = timedelta(hours=4)
    """From the merge to the last look at recovery."""
    cleared_for: timedelta = timedelta(hours=72)
    """An incident that everything configured finds gone for so long needs no pull request; 0: a person decides."""
    cool_down: timedelta = timedelta(hours=72)
    """Quiet after a rejection."""
