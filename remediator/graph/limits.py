"""The limits of the flow, from the policies."""

from __future__ import annotations

from datetime import timedelta

from remediator.domain.base import Value


class RunLimits(Value):
    """Limits of attempts, rounds and time; the shipped policies have the same values."""

    attempts: int = 3
    rounds: int = 5
    merge_on_approval: bool = False
    """An approval of the current head merges the pull request."""
    deadline: timedelta = timedelta(hours=4)
    """The time between the merge and the last check of recovery."""
    cleared_for: timedelta = timedelta(hours=72)
    """The time after which an incident that no verifier sees any more needs no pull request; 0: a person decides."""
    cool_down: timedelta = timedelta(hours=72)
    """The quiet time after a rejection."""
