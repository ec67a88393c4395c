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
    if found := _COLON.match(line):
        yield f"{found[1]}{found[2]}: {found[3]}"
    if found := _DASH.match(line):
        yield f"{found[1]}- {found[2]}"
    if "\t" in line:
        for width in (2, 4, 8):
            yield line.replace("\t", " " * width)


def _marks(line: str) -> Iterator[str]:
    """A quote or bracket that is not closed, a value that must be quoted."""
    for quote in "\"'":
        if line.count(quote) % 2 == 1:
            yield f"{line}{quote}"
            if found := _VALUE.match(line):
                yield f"{found[1]}{quote}{found[2]}{found[3]}"
    for opening, closing in ("[]", "{}"):
        if line.count(opening) == line.count(closing) + 1 and "{{" not in line:
            yield line + closing
    found = _VALUE.match(line)
    if (found and found[1].strip() and found[2][0] in "*@`%&!") or (
        found and ": " in found[2] and found[2][0] not in "\"'[{"
    ):
        yield f'{found[1]}"{found[2]}"{found[3]}'


def _words(line: str) -> Iterator[str]:
    """A colon that is missing altogether."""
    if ":" not in line:
        if found := _BARE_KEY.match(line):
            yield f"{found[1]}{found[2]}:"
        if found := _NO_COLON.match(line):
            yield f"{found[1]}{found[2]}: {found[3]}"


def _indents(lines: list[str], index: int) -> Iterator[str]:
    """A line that stands too far left or right, moved to where its neighbours stand."""
    line = lines[index].rstrip("\r\n")
    body = line.lstrip(" ")
    present = len(line) - len(body)
    around = [other for other in (*lines[max(0, index - 3) : index], *lines[index + 1 : index + 3]) if other.strip()]
    depths = {len(other) - len(other.lstrip(" ")) for other in around}
    wanted = {depth for depth in depths if abs(depth - present) <= 3} | {
        depth + 2 for depth in depths if abs(depth + 2 - present) == 1
    }
    for depth in sorted(wanted - {present}, key=lambda depth: abs(depth - present)):
        if body:
            yield " " * depth + body
