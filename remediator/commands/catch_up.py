"""What happened to a pull request while nobody told us: read it, and let the graph take note."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.domain.lifecycle import Record
    from remediator.graph.driver import DriverResult
    from remediator.wiring import Services


def catch_up(found: Services, record: Record) -> DriverResult | None:
    """The result of an end that came from outside (merged or deleted with git alone); None where there is none."""
    from remediator.domain.lifecycle import Review
    from remediator.domain.times import stamp
    from remediator.wiring import now

    if record.status != "awaiting_review":
        return None
    pull = found.driver.state(record.incident_id)["pull_request"]
    if pull is None:
        return None
    current = found.forge.look(pull)
    if current.state == "merged":
        current = found.forge.merge(current)  # what a crashed approval left undone
        review = Review(kind="merged", commit=current.merge_commit, words="merged with git", at=stamp(now()))
    elif current.state == "closed":
        review = Review(kind="closed", words=f"branch {current.branch} was deleted", at=stamp(now()))
    else:
        return None
    return found.driver.resume(record.incident_id, review)
