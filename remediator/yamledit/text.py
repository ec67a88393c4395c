"""Lines of a text whose line ends are LF, CRLF, CR, or a mixture of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def line_start(text: str, at: int) -> int:
    """Return the place where the line of character `at` begins."""
    start = text.rfind("\n", 0, at) + 1
    return text.rfind("\r", start, at) + 1 or start


def line_end(text: str, at: int) -> int:
    """Return the place where the line of character `at` ends, its line break left out."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    bare = text.find("\r", at, end)
    return end if bare < 0 else bare


def next_line(text: str, at: int) -> int:
    """Return the place where the line behind the one of character `at` begins."""
    end = line_end(text, at)
    return end + len(break_at(text, end))


def break_at(text: str, end: int) -> str:
    """Return the line break at `end`; empty at the end of the text."""
    pair = text[end : end + 2]
    return pair if pair == "\r\n" else pair[:1]


def eol_near(text: str, at: int) -> str:
    """Return the line break that lines here use: of this line, else of the one above, else a line feed."""
    end = line_end(text, at)
    if end < len(text):
        return break_at(text, end)
    start = line_start(text, at)
    if not start:
        return "\n"
    return "\r\n" if text[start - 2 : start] == "\r\n" else text[start - 1]


def column(text: str, at: int) -> int:
    """Count the characters before `at` in its line."""
    return at - line_start(text, at)


def line_number(text: str, at: int) -> int:
    """Return the line of character `at`, counted from 1."""
    head = text[:at]
    return head.count("\n") + head.count("\r") - head.count("\r\n") + 1


def common_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Count the elements that agree at the front, and those of the remainder that agree at the back."""
    limit = min(len(old), len(new))
    front = 0
    while front < limit and old[front] == new[front]:
        front += 1
    back = 0
    while back < limit - front and old[-1 - back] == new[-1 - back]:
        back += 1
    return front, back
