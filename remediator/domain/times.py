"""Moments and spans of time, in the spelling that the state, the texts and the policies share."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from remediator.errors import ConfigError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def stamp(moment: datetime) -> str:
    """Return RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime | None:
    """Return the reverse of `stamp`; None for an empty text."""
    return datetime.fromisoformat(text) if text else None


def duration(text: str) -> timedelta:
    """Parse `72h`, `1h30m`, `5m` … ; ConfigError for anything else."""
    parts = re.findall(r"(\d+)([smhd])", text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise ConfigError(f"{text!r} is no duration: write 90s, 5m, 1h30m or 3d")
    total = timedelta()
    for number, unit in parts:
        total += timedelta(**{_UNITS[unit]: int(number)})
    return total


def format_duration(span: timedelta) -> str:
    """Return the reverse of `duration`, to the second."""
    remaining, text = int(span.total_seconds()), ""
    for unit, seconds in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        number, remaining = divmod(remaining, seconds)
        text += f"{number}{unit}" if number else ""
    return text or "0s"
