"""Spans of time as the policies write them."""

from __future__ import annotations

import re
from datetime import timedelta

from remediator.errors import ConfigError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """`72h`, `1h30m`, `5m` … ; ConfigError for anything else."""
    parts = re.findall(r"(\d+)([smhd])", text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise ConfigError(f"{text!r} is no duration: write 90s, 5m, 1h30m or 3d")
    total = timedelta()
    for number, unit in parts:
        total += timedelta(**{_UNITS[unit]: int(number)})
    return total
