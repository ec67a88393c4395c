"""Lines of text as the parsers see them: numbered, colourless, bounded; and times as RFC 3339."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"""ECMA-48 control sequences, operating-system commands (window titles, links) and two-character escapes."""

_CONTROL = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, 0xFEFF])
"""Control characters (but tab and line ends) and the byte order mark mean nothing in a sentence."""


@dataclass(slots=True)
class Line:
    """One line with its 1-based number; `time` and `level` where a wrapper round it (CRI, Docker, a runner) told them."""

    no: int
    text: str
    time: str = ""
    level: str = ""
    wrapped: bool = False
    """True if a container runtime wrote it, by its wrapper."""

    @property
    def blank(self) -> bool:
        """Return True if the line is empty or white space."""
        return not self.text or self.text.isspace()


def clean(text: str) -> str:
    """Return the text without ANSI sequences, control characters and what carriage returns overwrote."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "\r" in text:
        text = text.rstrip("\r").rsplit("\r", 1)[-1]
    return text if text.isprintable() else text.translate(_CONTROL)


def split_lines(text: str, *, first: int = 1, limit: int) -> tuple[list[Line], int]:
    """Return the numbered lines of a text, and how many were cut at `limit` characters.

    Only a line feed ends a line: form feeds and Unicode separators occur inside log messages.
    """
    lines, cut = [], 0
    for no, raw in enumerate(text.split("\n"), first):
        if len(raw) > limit:
            raw, cut = raw[:limit], cut + 1  # noqa: PLW2901 — the cut line takes the place of the long one
        lines.append(Line(no, clean(raw)))
    if lines and not lines[-1].text:
        lines.pop()
    return lines, cut


def indent_of(text: str) -> int:
    """Return the indentation of a line; a tab counts to the next multiple of eight."""
    expanded = text.expandtabs(8)
    return len(expanded) - len(expanded.lstrip(" "))


def next_filled(lines: Sequence[Line], start: int) -> int:
    """Return the index of the first line from `start` on that is not blank; the number of lines if there is none."""
    while start < len(lines) and lines[start].blank:
        start += 1
    return start


# -- times ---------------------------------------------------------------------------------------------------------

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|[+-]\d\d:?\d\d)?(?: (?:UTC|[A-Z]{2,5}))?"
)
_ASCTIME = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}")
_SLASHED = re.compile(r"(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?")


def _utc(moment: datetime) -> str:
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{text}{fraction}Z"


def rfc3339(text: str) -> str:
    """Return a time as RFC 3339 in UTC; empty if `text` is none, or the zero time that Go writes for "never".

    Reads ISO 8601 with or without zone (none means UTC), Go's `2025-03-11 08:29:41 +0000 UTC`, RFC 1123 dates of
    describe (`Tue, 11 Mar 2025 08:14:02 +0000`) and `2025/03/11 08:21:04`.
    """
    text = text.strip()
    try:
        if match := _ISO.match(text):
            day, clock, fraction, zone = match.groups()
            zone = "" if zone in {None, "Z", "UTC"} else zone
            moment = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{zone or '+00:00'}")
        elif match := _SLASHED.match(text):
            year, month, day, clock, fraction = match.groups()
            moment = datetime.fromisoformat(f"{year}-{month}-{day}T{clock}.{(fraction or '0')[:6]:0<6}+00:00")
        elif match := _ASCTIME.match(text):
            moment = datetime.strptime(match.group(), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        elif "," in text[:5]:
            from email.utils import parsedate_to_datetime

            moment = parsedate_to_datetime(text)
        else:
            return ""
        return "" if moment.year < 1971 else _utc(moment)
    except (ValueError, TypeError, OverflowError, IndexError):
        return ""


def from_epoch(value: float | str, *, unit: float = 1.0) -> str:
    """Return seconds since 1970 (times `unit`: 1e9 for nanoseconds) as RFC 3339; empty if it is no time."""
    try:
        return _utc(datetime.fromtimestamp(float(value) / unit, UTC))
    except (ValueError, OverflowError, OSError, TypeError):
        return ""
