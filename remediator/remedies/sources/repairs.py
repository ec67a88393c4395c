"""Repairs of one line of YAML: the typing mistakes that prevent a file from parsing, with their corrections."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BEFORE, _AFTER = 8, 1
"""A parser reports the faulty line or a later one, seldom an earlier one."""

_COLON = re.compile(r"^(\s*(?:- +)*)([A-Za-z_][\w./-]*):([^\s/:].*)$")
_NO_COLON = re.compile(r"^(\s*(?:- +)*)([A-Za-z_][\w./-]*) +(\S.*)$")
_BARE_KEY = re.compile(r"^(\s*(?:- +)*)([A-Za-z_][\w./-]*)\s*$")
_VALUE = re.compile(r"^(\s*(?:- +)*(?:[A-Za-z_][\w./-]*: +)?)(\S.*?)(\s*(?: #.*)?)$")
_DASH = re.compile(r"^(\s*)-([A-Za-z_\"'].*)$")


def repairs(text: str, line: int, *, template: bool = False) -> Iterator[list[str]]:
    """Yield texts with one line repaired, in groups: one group for each kind of mistake, the likeliest first.

    In a template the parser counts the lines of the rendered text, so any line can be the faulty one. Only the simplest
    repairs are tried there, and never on a line that begins with an action.
    """
    lines = text.splitlines(keepends=True)
    near = line and not template
    window = range(max(0, line - 1 - _BEFORE), min(len(lines), line + _AFTER)) if near else range(len(lines))

    def with_line(index: int, new: str) -> str:
        end = "\r\n" if lines[index].endswith("\r\n") else "\n" if lines[index].endswith("\n") else ""
        return "".join((*lines[:index], new + end, *lines[index + 1 :]))

    for repair_line in (_spaces, _quotes, _colons) if not template else (_spaces, _colons):
        yield [
            with_line(index, new)
            for index in window
            if not (template and lines[index].lstrip(" -").startswith("{{"))
            for new in repair_line(lines[index].rstrip("\r\n"))
        ]
    if template:
        return
    yield [with_line(index, new) for index in window for new in _indents(lines, index)]


def _spaces(line: str) -> Iterator[str]:
    """Add a space that is missing after a colon or dash; replace tabs in the indentation."""
    if match := _COLON.match(line):
        yield f"{match[1]}{match[2]}: {match[3]}"
    if match := _DASH.match(line):
        yield f"{match[1]}- {match[2]}"
    if "\t" in line:
        for width in (2, 4, 8):
            yield line.replace("\t", " " * width)


def _quotes(line: str) -> Iterator[str]:
    """Close a quote or a bracket; quote a value that needs it."""
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


def _colons(line: str) -> Iterator[str]:
    """Add a missing colon."""
    if ":" not in line:
        if match := _BARE_KEY.match(line):
            yield f"{match[1]}{match[2]}:"
        if match := _NO_COLON.match(line):
            yield f"{match[1]}{match[2]}: {match[3]}"


def _indents(lines: list[str], index: int) -> Iterator[str]:
    """Indent a line like one of its neighbours."""
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
