"""Moments and spans of time, in the spelling that the state, the texts and the policies share."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from remediator.errors import ConfigError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime | None:
    """The reverse of `stamp`; None for an empty text."""
    return datetime.fromisoformat(text) if text else None


def duration(text: str) -> timedelta:
    """`72h`, `1h30m`, `5m` … ; ConfigError for anything else."""
    parts = re.findall(r"(\d+)([smhd])", text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise ConfigError(f"{text!r} is no duration: write 90s, 5m, 1h30m or 3d")
    total = timedelta()
    for number, unit in parts:
        total += timedelta(**{_UNITS[unit]: int(number)})
    return total
