"""Steps of a rollback: single differences of a commit with the edits that revert them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import format_path, get
from remediator.remedies.rollback.differences import Difference, differences


@dataclass(frozen=True)
class RollbackStep:
    """A difference of a commit that is still in the repository, and the edit that rolls it back."""

    file: str
    document: int
    difference: Difference
    edit: Edit
    owner: str = ""
    """The name of the item that a changed value belongs to, such as a variable's."""


def revert_edits(steps: Sequence[RollbackStep]) -> Iterator[Edit]:
    """Yield the edits that roll back the steps, last first so that indexes stay right; a renamed key is renamed in place."""
    renamed = {
        id(half): added
        for added in steps if added.difference.op == "added" and not added.difference.item
        for half in steps if half.difference.op == "removed" and are_counterparts(half, added)
    }  # fmt: skip
    for step in reversed(steps):
        if id(step) in renamed:
            continue
        removed = next((half for half in steps if renamed.get(id(half)) is step), None)
        yield (
            step.edit
            if removed is None
            else step.edit.model_copy(update={"op": "rename", "value": removed.difference.path[-1]})
        )


def owner_name(document: Any, difference: Difference) -> str:
    """Return the name of the item that a changed value belongs to; empty where there is none."""
    above = get(document, difference.path[:-1])
    name = above.get("name") if isinstance(above, dict) and difference.path[-1] in ("value", "valueFrom") else None
    return name if isinstance(name, str) else ""


def are_counterparts(step: RollbackStep, counterpart: RollbackStep) -> bool:
    """Return True where one step adds what the other removes in the same place: a renamed key or a moved item."""
    first, second = step.difference, counterpart.difference
    same_place = (step.file, step.document, first.path[:-1]) == (
        counterpart.file,
        counterpart.document,
        second.path[:-1],
    )
    return (
        same_place
        and {first.op, second.op} == {"added", "removed"}
        and (first.old, first.new) == (second.new, second.old)
    )


def is_made_by_commit(difference: Difference, old: Any, new: Any) -> bool:
    """Return True where this commit, not a later one, made the current difference."""
    return any(
        commit_difference.op == difference.op
        and commit_difference.label == difference.label
        and commit_difference.path[:-1] == difference.path[:-1]
        and commit_difference.new == difference.new
        and commit_difference.old == difference.old
        for commit_difference in differences(old, new)
    )


def description(step: RollbackStep) -> str:
    """Return the difference in words: `memory was changed from 512Mi to 64Mi`."""
    verb = {"changed": "changed", "added": "added", "removed": "removed"}[step.difference.op]
    path = step.difference.path
    short = path[-3:] if len(path) > 2 and isinstance(path[-2], int) else path[-2:]
    name = step.difference.label if step.difference.item else format_path(short)
    values = f" from {step.difference.old} to {step.difference.new}" if step.difference.op == "changed" else ""
    return f"{name} was {verb}{values}"


def place_of(step: RollbackStep) -> Place:
    """Return the place that a step changes, with its current value."""
    difference = step.difference
    return Place(
        file=step.file, document=step.document, path=difference.path, value=difference.new, exists=difference.op != "removed",
        why="the commit changed it here, and the rollback changes only this field when rendered",
    )  # fmt: skip
