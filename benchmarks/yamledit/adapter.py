"""The plain functions that an outside judge of YAML editors calls, over the library's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.yamledit import append, delete, insert
from remediator.yamledit import set as set_value

if TYPE_CHECKING:
    from remediator.domain.yaml_paths import EditPath

__all__ = ["append", "delete", "insert", "set"]


def set(text: bytes, document: int, path: EditPath, value: object) -> bytes:  # noqa: A001
    """Set, and where the value is under an anchor that aliases share, edit the anchor as one who asked for it."""
    return set_value(text, document, path, value, edit_anchor=True)
