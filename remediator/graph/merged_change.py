"""Whether what was merged is still in the base: a person may have fixed or taken it back while we waited."""

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
    """What became of a merged change."""

    summary: str = ""
    """Empty while it stands, or where nobody can say."""
    reverted: bool = False
    """It was taken back, so that whatever goes on is none of its doing."""


@dataclass
class MergedChange:
    """All incidents of a sweep are held against the same commit of their base."""

    forge: Forge
    bases: Callable[[str], Base]

    def of(self, state: IncidentState) -> ChangeFate:
        """The first of its files decides that does not read as merged."""
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
                    return ChangeFate(f"{place} was taken back after the merge", reverted=True)
                return ChangeFate(f"{place} no longer reads as proposed")
        except RemediatorError as error:
            log.info("whether the change still stands is not known: %s", error)
        return ChangeFate()


def read(forge: Forge, base: Base, path: str) -> bytes | None:
    """The file at that base; None where there is none."""
    try:
        return forge.read(base, path)
    except FileNotFoundError:
        return None


def _contains_step(old: bytes | None, new: bytes | None, current: bytes | None) -> bool:
    """Whether the step from `before` to `after` is in the file, whatever else has changed in it."""
    try:
        revert_text(old, new, current)
    except ValueError:
        return False
    return True
