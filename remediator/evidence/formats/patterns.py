"""Join the patterns of several forms into one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMED_GROUP = re.compile(r"[(][?]P<[a-z_]+>")


def alternatives(patterns: Iterable[str]) -> str:
    """Return a pattern that fits what any of these fits; its groups have no names, which could occur twice."""
    return "|".join(f"(?:{_NAMED_GROUP.sub('(?:', pattern)})" for pattern in patterns)
