"""Check whether a merged change is still in the base: a person may have changed or reverted it while we waited."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from remediator.domain.lifecycle import Base
from remediator.errors import RemediatorError
from remediator.gitops.takeback import revert_text
from remediator.graph.state import all_changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.domain.ports import Forge
    from remediator.graph.state import IncidentState

log = logging.getLogger(__name__)


class ChangeFate(NamedTuple):
    """The present state of a merged change."""

    summary: str = ""
    """Empty while the change is in the base, or where this cannot be read."""
    reverted: bool = False
    """The change was reverted, so that it cannot be the cause of what the verifiers see."""


@dataclass
class MergedChange:
    """Compares merged changes with their base; all incidents of a sweep are compared with the same commit."""

    forge: Forge
    bases: Callable[[str], Base]

    def of(self, state: IncidentState) -> ChangeFate:
        """Return the state of the change; the first file that differs from the merge decides."""
        pull = state["pull_request"]
        if pull is None:
            return ChangeFate()
        try:
            head = self.bases(pull.base)
            base = Base(branch=pull.base, commit=state["incident"].base_commit)
            for path, text in all_changes(state).items():
                merged = None if text is None else text.encode()
                current = read(self.forge, head, path)
                if current == merged or _contains_step(original := read(self.forge, base, path), merged, current):
                    continue
                place = f"`{path}` in {head.branch or head.commit[:7]}"
                if _contains_step(merged, original, current):
                    return ChangeFate(f"{place} was reverted after the merge", reverted=True)
                return ChangeFate(f"{place} no longer reads as proposed")
        except RemediatorError as error:
            log.info("cannot check whether the change is still in the base: %s", error)
        return ChangeFate()


def read(forge: Forge, base: Base, path: str) -> bytes | None:
    """Return the file at that base; None where it does not exist."""
    try:
        return forge.read(base, path)
    except FileNotFoundError:
        return None


def _contains_step(old: bytes | None, new: bytes | None, current: bytes | None) -> bool:
    """Return whether the step from `old` to `new` is in the current file, whatever else has changed in it."""
    try:
        revert_text(old, new, current)
    except ValueError:
        return False
    return True
