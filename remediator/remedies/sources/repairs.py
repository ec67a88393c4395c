"""One line of YAML mended: the slips that keep a file from parsing, and what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BEFORE, _AFTER = 8, 1
"""A parser complains at the fault or some lines later, seldom earlier."""

_COLON = re.compile(r"^(\s*(?:- +)*)([A-Za-z_][\w./-]*):([^\s/:].*)$")
_NO_COLON = re.compile(r"^(\s*(?:- +)*)([A-Za-z_][\w./-]*) +(\S.*)$")
_BARE_KEY = re.compile(r"^(\s*(?:- +)*)([A-Za-z_][\w./-]*)\s*$")
_VALUE = re.compile(r"^(\s*(?:- +)*(?:[A-Za-z_][\w./-]*: +)?)(\S.*?)(\s*(?: #.*)?)$")
_DASH = re.compile(r"^(\s*)-([A-Za-z_\"'].*)$")


def repairs(text: str, line: int, *, template: bool = False) -> Iterator[list[str]]:
    """Texts with one line mended, group by group: each is a way of slipping, the likeliest first.

    In a template the parser counts the lines of what was rendered, so that any line can be meant; only the plainest
    slips are tried there, and never on a line that begins with an action.
    """
    lines = text.splitlines(keepends=True)
    near = line and not template
    window = range(max(0, line - 1 - _BEFORE), min(len(lines), line + _AFTER)) if near else range(len(lines))

    def with_line(index: int, new: str) -> str:
        end = "\r\n" if lines[index].endswith("\r\n") else "\n" if lines[index].endswith("\n") else ""
        return "".join((*lines[:index], new + end, *lines[index + 1 :]))

    for ways in (_spaces, _marks, _words) if not template else (_spaces, _words):
        yield [
            with_line(index, new)
            for index in window
            if not (template and lines[index].lstrip(" -").startswith("{{"))
            for new in ways(lines[index].rstrip("\r\n"))
        ]
    if template:
        return
    yield [with_line(index, new) for index in window for new in _indents(lines, index)]


def _spaces(line: str) -> Iterator[str]:
    """A space that is missing after a colon or dash; tabs in the indentation."""
    if match := _COLON.match(line):
        yield f"{match[1]}{match[2]}: {match[3]}"
    if match := _DASH.match(line):
        yield f"{match[1]}- {match[2]}"
    if "\t" in line:
        for width in (2, 4, 8):
            yield line.replace("\t", " " * width)


def _marks(line: str) -> Iterator[str]:
    """A quote or bracket that is not closed, a value that must be quoted."""
    for quote in "\"'":
        if line.count(quote) % 2 == 1:
            yield f"{line}{quote}"
            if match := _VALUE.match(line):
                yield f"{match[1]}{quote}{match[2]}{match[3]}"
    for opening, closing in ("[]", "{}"):
        if line.count(opening) == line.count(closing) + 1 and "{{" not in line:
            yield line + closing
    match = _VALUE.match(line)
    if (match and match[1].strip() and match[2][0] in "*@`%&!") or (
        match and ": " in match[2] and match[2][0] not in "\"'[{"
    ):
        yield f'{match[1]}"{match[2]}"{match[3]}'


def _words(line: str) -> Iterator[str]:
    """A colon that is missing altogether."""
    if ":" not in line:
        if match := _BARE_KEY.match(line):
            yield f"{match[1]}{match[2]}:"
        if match := _NO_COLON.match(line):
            yield f"{match[1]}{match[2]}: {match[3]}"


def _indents(lines: list[str], index: int) -> Iterator[str]:
    """A line that stands too far left or right, moved to where its neighbours stand."""
    line = lines[index].rstrip("\r\n")
    body = line.lstrip(" ")
    current = len(line) - len(body)
    around = [
        neighbour
        for neighbour in (*lines[max(0, index - 3) : index], *lines[index + 1 : index + 3])
        if neighbour.strip()
    ]
    depths = {len(neighbour) - len(neighbour.lstrip(" ")) for neighbour in around}
    candidates = {depth for depth in depths if abs(depth - current) <= 3} | {
        depth + 2 for depth in depths if abs(depth + 2 - current) == 1
    }
    for depth in sorted(candidates - {current}, key=lambda depth: abs(depth - current)):
        if body:
            yield " " * depth + body
