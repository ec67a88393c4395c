"""Whether a change ends a contradiction of the rendered objects: then the repository itself says that something was wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from remediator.gitops import ObjectChange, Repository
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.registry import broken


def ended_contradiction(
    inquiry: Inquiry,
    after: Repository,
    differences: Sequence[ObjectChange],
    meant: Collection[tuple[str, str]] = (),
) -> Broken | None:
    """Return a contradiction that the change touches and that is gone after it; None where there is none.

    `meant` are kinds and names of which one must have to do with the contradiction; empty where any may.
    """
    touched = {(change.kind, change.name) for change in differences}
    before = [
        item
        for item in broken(inquiry.world)
        if _concerned(item) & touched and (not meant or not _concerned(item).isdisjoint(meant))
    ]
    if not before:
        return None
    applications = [after.application(app.name) or app for app in inquiry.applications]
    remaining = {_identity(item) for item in broken(inquiry.world.over(after, applications))}
    return next((item for item in before if _identity(item) not in remaining), None)


def _identity(item: Broken) -> tuple[object, ...]:
    return item.relation, item.at.kind, item.at.name, item.path


def _concerned(item: Broken) -> set[tuple[str, str]]:
    placed = (item.at, *item.sufferers, *(other for other, _, _ in item.also))
    return {(holder.kind, holder.name) for holder in placed}
