"""The ref store of a run without a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class NullRefStore:
    """A ref store for a dry run in a plain folder: it is empty and never written to."""

    def head(self) -> str:
        """Return the empty id: there is no ref."""
        return ""

    def public(self) -> bool:
        """Return False: nobody else reads it."""
        return False

    def read(self, head: str, paths: Sequence[str] | None = None) -> dict[str, bytes]:
        """Return no documents."""
        del head, paths
        return {}

    def write(self, expected: str, changes: Mapping[str, bytes | None], message: str) -> str:
        """Raise AssertionError: a dry run never writes."""
        raise AssertionError(f"a dry run writes nothing, not {message!r} of {len(changes)} on {expected!r}")
