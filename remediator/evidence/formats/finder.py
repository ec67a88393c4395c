"""Line numbers inside a parsed document, which JSON and YAML parsers forget."""

from __future__ import annotations

import json
from bisect import bisect_right


class Finder:
    """Finds values in the text of their document, moving forward as objects are read in order."""

    def __init__(self, text: str, first: int) -> None:
        self._text, self._first, self._at = text, first, 0
        self._breaks: list[int] | None = None

    def line(self, value: str) -> int:
        """Return the line of the next quoted or bare scalar `value`; if there is none, the last line found."""
        quoted = json.dumps(value)
        at = self._text.find(quoted, self._at)
        if at < 0:
            at = self._text.find(value, self._at) if value else -1
        if at >= 0:
            self._at = at
        return self._first + bisect_right(self._line_breaks(), self._at)

    def _line_breaks(self) -> list[int]:
        if self._breaks is None:
            self._breaks, at = [], self._text.find("\n")
            while at >= 0:
                self._breaks.append(at)
                at = self._text.find("\n", at + 1)
        return self._breaks


class ItemCounter(Finder):
    """Numbers the values of a document that has no text, in the order in which they are read."""

    def __init__(self) -> None:
        super().__init__("", 0)
        self.count = 0

    def line(self, value: str) -> int:
        """Return the number of this value."""
        del value
        self.count += 1
        return self.count
