"""The memory of a run that has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class NullRefStore:
    """A ref store for a dry run in a plain folder: it holds nothing and nothing is written to it."""

    def head(self) -> str:
        """No ref."""
        return ""

    def public(self) -> bool:
        """Nobody reads it."""
        return False

    def read(self, head: str, paths: Sequence[str] | None = None) -> dict[str, bytes]:
        """No document."""
        del head, paths
        return {}

    def write(self, expected: str, changes: Mapping[str, bytes | None], message: str) -> str:
        """Never asked for."""
        raise AssertionError(f"a dry run writes nothing, not {message!r} of {len(changes)} on {expected!r}")
