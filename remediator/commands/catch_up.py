"""Catching up with a pull request that ended without an event: read its state, and resume the graph with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.domain.lifecycle import Record
    from remediator.graph.driver import Driver, DriverResult
    from remediator.wiring import Services


def catch_up(services: Services, driver: Driver, record: Record) -> DriverResult | None:
    """Resume with an end that came from outside (merged or deleted with git alone); None where there is none."""
    from remediator.domain.lifecycle import Review
    from remediator.domain.times import stamp
    from remediator.wiring import now

    if record.status != "awaiting_review":
        return None
    pull = driver.state(record.incident_id)["pull_request"]
    if pull is None:
        return None
    current = services.forge.look(pull)
    if current.state == "merged":
        current = services.forge.merge(current)  # finish what a killed approval has left
        review = Review(kind="merged", commit=current.merge_commit, words="merged with git", at=stamp(now()))
    elif current.state == "closed":
        review = Review(kind="closed", words=f"branch {current.branch} was deleted", at=stamp(now()))
    else:
        return None
    return driver.resume(record.incident_id, review)
