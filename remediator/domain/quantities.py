"""Kubernetes quantities: exact arithmetic, and the spelling that people use."""

from __future__ import annotations

import re
from decimal import Decimal

_SUFFIX = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50,
}
_PATTERN = re.compile(
    r"\s*([+-]?\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d{1,2}))?(n|u|m|k|Ki|Mi|Gi|Ti|Pi|M|G|T|P)?\s*", re.ASCII
)
"""ASCII alone: Kubernetes reads no other digits, however alike they look."""


def parse(text: object) -> Decimal | None:
    """Return the quantity in base units (cores, bytes), or None where the text is no quantity."""
    if text is None or isinstance(text, bool):
        return None
    match = _PATTERN.fullmatch(str(text))
    if not match:
        return None
    number, exponent, suffix = match.groups()
    return Decimal(number) * Decimal(10) ** int(exponent or 0) * _SUFFIX[suffix or ""]


def bytes_like(amount: Decimal, model: str = "") -> str:
    """Return bytes in the unit of `model` (`256Mi` → Mi; `1G` → decimal), rounded up to a whole number."""
    decimal = bool(re.search(r"\d(k|M|G|T)$", model.strip()))
    units = ("T", "G", "M", "k") if decimal else ("Ti", "Gi", "Mi", "Ki")
    for unit in units:
        if amount >= _SUFFIX[unit] and amount % _SUFFIX[unit] == 0:
            return f"{int(amount / _SUFFIX[unit])}{unit}"
    unit = "M" if decimal else "Mi"
    return f"{-int(-amount // _SUFFIX[unit])}{unit}"


def cores_like(amount: Decimal, model: str = "") -> str:
    """Return cores as a whole number where both the amount and the model are one, else in millicores."""
    if amount == amount.to_integral_value() and not model.strip().endswith("m"):
        return str(int(amount))
    return f"{-int(-amount * 1000 // 1)}m"


def clamp(amount: Decimal, low: str, high: str) -> Decimal:
    """Return the amount limited to the bounds; an empty bound does not limit it."""
    lowest, highest = parse(low) if low else None, parse(high) if high else None
    if lowest is not None:
        amount = max(amount, lowest)
    return min(amount, highest) if highest is not None else amount
