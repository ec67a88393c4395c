"""GitHub Actions logs without the runner's time stamps and commands, so that what a step printed reads like any output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.lines import Line, rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

_STAMPED = re.compile(
    r"(?:[^\t]{1,200}\t[^\t]{1,200}\t)?\ufeff?(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z) ?(?P<text>.*)", re.DOTALL
)
"""Seven fractional digits, as .NET writes them; before them job and step where `gh run view --log` printed it."""

_COMMAND = re.compile(r"##\[(?P<word>error|warning|notice|debug|section)\](?P<text>.*)", re.DOTALL)
_SAMPLE = 40


def unwrap(lines: Sequence[Line]) -> Sequence[Line]:
    """Return the lines as the steps printed them if a runner wrote this log; else the lines unchanged."""
    sample = [line for line in lines[:_SAMPLE] if not line.blank]
    if not sample or sum(1 for line in sample if _STAMPED.fullmatch(line.text)) * 5 < len(sample) * 4:
        return lines
    return [_line(line) for line in lines]


def _line(line: Line) -> Line:
    if not (match := _STAMPED.fullmatch(line.text)):
        return line
    text, level = match["text"], ""
    if command := _COMMAND.fullmatch(text):
        text, level = command["text"], command["word"]
    return Line(line.no, text, rfc3339(match["time"]), level if level in {"error", "warning"} else "")
