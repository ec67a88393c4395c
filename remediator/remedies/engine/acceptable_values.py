"""Conditions on older values: an older value that meets one would end the incident too.

A remedy passes one of them as `Fix.accepts`; the history is then searched for such a value, which is preferred to a
new one because it worked before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from remediator.domain import quantities
from remediator.domain.yaml_paths import MISSING

Accepts = Callable[[Any], bool]


def different_value(current: Any, *, among: Iterable[str] = (), absent: bool = False) -> Accepts:
    """Accept a value other than the current one: one of `among` if given; an absent field only where `absent` is set."""
    allowed = frozenset(among)

    def accepts(old: Any) -> bool:
        if old is MISSING or old in (None, ""):
            return absent and old is MISSING
        return str(old) != str(current) and (not allowed or str(old) in allowed)

    return accepts


def different_scalar(current: Any) -> Accepts:
    """Accept any other value that is neither a list nor a mapping."""
    return lambda old: old is not MISSING and not isinstance(old, dict | list) and old != current


def exactly(value: Any) -> Accepts:
    """Accept this value only."""
    return lambda old: old is not MISSING and str(old) == str(value)


def without_match(pattern: re.Pattern[str]) -> Accepts:
    """Accept a text in which the pattern does not occur."""
    return lambda old: isinstance(old, str) and bool(old) and not pattern.search(old)


def below_folder(folder: str) -> Accepts:
    """Accept a path below this folder."""
    return lambda old: isinstance(old, str) and old.startswith(f"{folder}/")


def more_than(now: Decimal) -> Accepts:
    """Accept a larger quantity."""
    return lambda old: old is not MISSING and (amount := quantities.parse(old)) is not None and amount > now


def within(low: Decimal | None = None, high: Decimal | None = None) -> Accepts:
    """Accept a quantity between two bounds; None leaves a side open."""

    def accepts(old: Any) -> bool:
        amount = quantities.parse(old) if old is not MISSING else None
        return amount is not None and (low is None or amount >= low) and (high is None or amount <= high)

    return accepts
