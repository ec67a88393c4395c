"""Quantities in messages and in configuration, in base units, so that `4194304`, `4MB` and `ingestion_rate_mb: 4` meet.

A message that names the limit it ran into tells the value that stands somewhere in the repository. The value alone is
no proof; together with the words of its key it mostly is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

Dimension = Literal["bytes", "seconds", "count"]

_BYTES = {
    "b": 1, "byte": 1, "bytes": 1,
    "k": 1 << 10, "kb": 1 << 10, "kib": 1 << 10, "ki": 1 << 10,
    "m": 1 << 20, "mb": 1 << 20, "mib": 1 << 20, "mi": 1 << 20, "megabytes": 1 << 20,
    "g": 1 << 30, "gb": 1 << 30, "gib": 1 << 30, "gi": 1 << 30,
}  # fmt: skip
"""Programs disagree whether `MB` is 10⁶ or 2²⁰; a limit and its message come from one program, so one reading does."""
_DECIMAL = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "k": 10**3, "m": 10**6, "g": 10**9}
_SECONDS = {
    "ms": Decimal("0.001"), "millis": Decimal("0.001"), "milliseconds": Decimal("0.001"),
    "s": Decimal(1), "sec": Decimal(1), "secs": Decimal(1), "second": Decimal(1), "seconds": Decimal(1),
    "min": Decimal(60), "mins": Decimal(60), "minute": Decimal(60), "minutes": Decimal(60),
    "h": Decimal(3600), "hour": Decimal(3600), "hours": Decimal(3600),
}  # fmt: skip
_DURATION = re.compile(r"(?<![\w.])(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?![\w.])")
_NUMBER = re.compile(r"(?<![\w.:/-])(\d+(?:\.\d+)?)\s?([A-Za-z]{1,12})?(?![\w:])")
_LIMIT_WORDS = re.compile(
    r"(?i)\b(limit|limited|max|maximum|exceed(?:ed|s)?|larger than|too (?:large|big|long|many)|greater than|at most|"
    r"timeout|timed out|deadline|quota|capacity|rate|allowed|longer than|above|over)\b"
)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+")
_LIMIT_KEYS = re.compile(
    r"(?i)(max|limit|size|timeout|deadline|rate|burst|quota|capacity|threshold|retention|length|interval|period|bytes|connections|buffer)"
)
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True)
class Amount:
    """A quantity in base units: bytes, seconds or a plain count."""

    value: Decimal
    dimension: Dimension


def limits_in(text: str) -> Iterator[Amount]:
    """Yield every quantity of a sentence that speaks of a limit; plain numbers below ten are no limits."""
    text = _URL.sub(" ", text)  # what a caller writes into an address is no limit that was hit
    if not _LIMIT_WORDS.search(text):
        return
    for match in _DURATION.finditer(text):
        hours, minutes, seconds = match.groups()
        if hours or minutes or seconds:
            total = Decimal(hours or 0) * 3600 + Decimal(minutes or 0) * 60 + Decimal(seconds or 0)
            yield Amount(total, "seconds")
    for match in _NUMBER.finditer(text):
        unit = (match[2] or "").lower()
        number = Decimal(match[1])
        if unit in _BYTES:
            yield Amount(number * _BYTES[unit], "bytes")
            if unit in _DECIMAL:
                yield Amount(number * _DECIMAL[unit], "bytes")
        elif unit in _SECONDS:
            yield Amount(number * _SECONDS[unit], "seconds")
        elif number >= 10:
            yield Amount(number, "count")
            yield Amount(number, "bytes")


def readings(key: str, value: Any) -> Iterator[Amount]:
    """Yield what a configuration value can mean: its own unit, the unit in its key's name, a plain number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not _LIMIT_KEYS.search(key):
        return
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s?([A-Za-z]*)", str(value).strip())
    if match is None:
        if isinstance(value, str) and (duration := _DURATION.fullmatch(value.strip())) and any(duration.groups()):
            hours, minutes, seconds = duration.groups()
            yield Amount(Decimal(hours or 0) * 3600 + Decimal(minutes or 0) * 60 + Decimal(seconds or 0), "seconds")
        return
    number, unit = Decimal(match[1]), match[2].lower()
    units = [unit] if unit else [token for token in words_of(key) if token in _BYTES or token in _SECONDS]
    for name in units:
        if name in _BYTES:
            yield Amount(number * _BYTES[name], "bytes")
            yield Amount(number * _DECIMAL.get(name, _BYTES[name]), "bytes")
        if name in _SECONDS or (unit == "m" and "time" in key.lower()):
            yield Amount(number * (_SECONDS.get(name) or Decimal(60)), "seconds")
    if not unit:
        yield Amount(number, "count")
        yield Amount(number, "bytes")
        yield Amount(number, "seconds")


def words_of(name: str) -> list[str]:
    """Return the words of a key or sentence in lower case: `maxMessageSize`, `max_message_size`, `max-message-size`."""
    return [token.lower() for token in _TOKEN.findall(name)]


def scaled(value: Any, factor: Decimal) -> Any:
    """Return the value times a factor in its own spelling: unit, type and style stay."""
    if isinstance(value, int):
        return int(value * factor)
    if isinstance(value, float):
        return float(Decimal(str(value)) * factor)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(\s?[A-Za-z]*)", str(value).strip())
    if match is None:
        total = next((amount.value for amount in readings("timeout", value)), Decimal(0))
        return f"{int(total * factor)}s"
    number = Decimal(match[1]) * factor
    return f"{int(number) if number == number.to_integral_value() else number}{match[2]}"
