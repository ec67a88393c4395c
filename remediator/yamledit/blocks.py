"""Put a new value inside a block scalar (`|` or `>`): only the lines that differ are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.yamledit.folding import refold
from remediator.yamledit.proof import Splice
from remediator.yamledit.scalars import UNPRINTABLE, double_quoted
from remediator.yamledit.text import break_at, common_ends, eol_near, line_end, next_line

if TYPE_CHECKING:
    from remediator.yamledit.events import Event, Stream

_HEADER = re.compile(r"([|>])([-+]?)([1-9]?)([-+]?)")


def rewrite(stream: Stream, at: int, start: int, value: str, parent: int) -> tuple[Splice, ...]:
    """Return the splices that make the block scalar whose `|` or `>` is at `start` read as `value`.

    `parent` is the column of the collection round it. A value that a block cannot hold becomes a
    double-quoted one in the same place.
    """
    event = stream.events[at]
    block = _Block(stream, event, start, parent)
    return block.edited(value) or (Splice(start, _last(stream, at, start), double_quoted(value)),)


def _last(stream: Stream, at: int, start: int) -> int:
    """Return the end of the scalar's last line that is not blank, the break left out."""
    end = stream.events[at].end_mark.index
    return start + len(stream.text[start:end].rstrip())


class _Block:
    """The lines of one block scalar, beside the lines of the value that they make."""

    def __init__(self, stream: Stream, event: Event, start: int, parent: int) -> None:
        text = stream.text
        self.text, self.start, self.parent = text, start, parent
        self.end = int(event.end_mark.index)
        self.value = str(event.value)
        match = _HEADER.match(text, start)
        self.header = match
        self.style = str(event.style)
        self.chomp = (match[2] or match[4]) if match else ""
        self.digit = match[3] if match else ""
        self.body = next_line(text, start)
        self.eol = eol_near(text, start)
        self.spans = self._lines()
        self.indent = self._indent()

    def _lines(self) -> list[tuple[int, int]]:
        """Return start and end of each line, breaks left out, down to the last that is not blank."""
        spans, at = [], self.body
        last = self.start + len(self.text[self.start : self.end].rstrip("\r\n \t"))
        while at < last:
            end = line_end(self.text, at)
            spans.append((at, end))
            at = end + len(break_at(self.text, end))
        return spans

    def _indent(self) -> int:
        """Return the number of spaces before the content; the first line that is not blank shows it."""
        if self.digit:
            return max(self.parent, 0) + int(self.digit)
        for start, end in self.spans:
            line = self.text[start:end]
            if line.strip(" "):
                return len(line) - len(line.lstrip(" "))
        return 0

    def edited(self, value: str) -> tuple[Splice, ...] | None:
        """Return the splices, or None where a block scalar cannot hold the value."""
        body, old = value.rstrip("\n"), self.value.rstrip("\n")
        if not body or not old or not self.indent or not self.header or UNPRINTABLE.search(body):
            return None
        splices = self._content(old, body)
        if splices is None:
            return None
        ending = self._ending(len(self.value) - len(old), len(value) - len(body))
        if ending is None:
            return None
        header, tail = ending
        mark = self._indicator(body)
        if mark is None:
            return None
        new_header = self.style + mark + header
        if new_header != self.header.group() and (mark != self.digit or header != self.chomp):
            splices = [Splice(self.start, self.header.end(), new_header), *splices]
        return tuple(splices + tail)

    def _content(self, old: str, body: str) -> list[Splice] | None:
        if self.style == ">":
            return refold(self.text, self.spans, self.indent, old, body, self.eol)
        old_lines, new_lines = old.split("\n"), body.split("\n")
        if len(old_lines) != len(self.spans):
            return None
        for line, (start, end) in zip(old_lines, self.spans, strict=True):
            if self.text[start + self.indent : end] != line:
                return None
        same_front, same_back = common_ends(old_lines, new_lines)
        lines = [
            " " * self.indent + line if line else "" for line in new_lines[same_front : len(new_lines) - same_back]
        ]
        removed = self.spans[same_front : len(old_lines) - same_back]
        if not removed and not lines:
            return []
        if removed and lines:
            return [Splice(removed[0][0], removed[-1][1], self.eol.join(lines))]
        if removed:
            if same_back:
                return [Splice(removed[0][0], self.spans[len(old_lines) - same_back][0], "")]
            return [Splice(self.spans[same_front - 1][1], removed[-1][1], "")] if same_front else None
        if same_front:
            place = self.spans[same_front - 1][1]
            return [Splice(place, place, "".join(self.eol + line for line in lines))]
        return [Splice(self.body, self.body, "".join(line + self.eol for line in lines))]

    def _ending(self, old_feeds: int, new_feeds: int) -> tuple[str, list[Splice]] | None:
        """Return the chomping indicator for `new_feeds` final line feeds, and the blank lines that it takes."""
        if old_feeds == new_feeds:
            return self.chomp, []
        last = self.spans[-1][1]
        ended = last < len(self.text)
        if new_feeds == 0:
            return "-", []
        if new_feeds == 1 and self.chomp != "+":
            return "", [] if ended else [Splice(last, last, self.eol)]
        if not ended:
            return "+", [Splice(last, last, self.eol * new_feeds)]
        return "+", [Splice(last, self.end, self.eol * new_feeds)]

    def _indicator(self, body: str) -> str | None:
        """Return the indentation digit: the present one, or one where the first line would else be taken for deeper."""
        if self.digit:
            return self.digit
        first = next((line for line in body.split("\n") if line), "")
        blank_first = body.split("\n", 1)[0].strip(" ") == "" and body.split("\n", 1)[0] != ""
        if not first.startswith((" ", "\t")) and not blank_first:
            return ""
        digit = self.indent - max(self.parent, 0)
        return str(digit) if 1 <= digit <= 9 else None
