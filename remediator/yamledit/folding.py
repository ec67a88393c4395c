"""Put a new value inside a folded scalar (`>`): its lines are words wrapped, and the wraps that can stay do stay."""

from __future__ import annotations

from functools import cached_property

from remediator.yamledit.proof import Splice
from remediator.yamledit.text import common_ends


def refold(text: str, spans: list[tuple[int, int]], indent: int, old: str, new: str, eol: str) -> list[Splice] | None:
    """Return the splices that turn the folded lines of `old` into those of `new`; None where they cannot be paired.

    `spans` are the physical lines. A run of lines that folding joins with spaces is one line of the
    value; such runs are paired with the value's lines and only those that differ are written.
    """
    runs = _runs(text, spans, indent)
    old_lines, new_lines = old.split("\n"), new.split("\n")
    if [run.value for run in runs] != [line for line in old_lines if line]:
        return None
    old_texts, new_texts = [line for line in old_lines if line], [line for line in new_lines if line]
    if len(old_texts) == len(new_texts) and _blank_shape(old_lines) == _blank_shape(new_lines):
        differ = [index for index, pair in enumerate(zip(old_texts, new_texts, strict=True)) if pair[0] != pair[1]]
        if all(_deep(old_texts[index]) == _deep(new_texts[index]) for index in differ):
            return [runs[index].splice(new_texts[index]) for index in differ]
    folded = eol.join(" " * indent + line if line else "" for line in _fold(new_lines))
    return [Splice(spans[0][0], spans[-1][1], folded)]


def _blank_shape(lines: list[str]) -> list[bool]:
    return [bool(line) for line in lines]


def _deep(line: str) -> bool:
    return line.startswith((" ", "\t"))


class _LineRun:
    """One line of the value, with the place in the text of each of its characters."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []

    def add(self, line: str, start: int) -> None:
        self.lines.append((start, line))

    @cached_property
    def value(self) -> str:
        return " ".join(line for _, line in self.lines)

    def places(self) -> list[int]:
        """Return the place of each character of the value; a fold's blank is at the end of its line."""
        return [place for start, line in self.lines for place in range(start, start + len(line) + 1)][:-1]

    def splice(self, new: str) -> Splice:
        """Return a splice of only the characters that differ, so that the wraps on both sides stay."""
        old = self.value
        front, back = common_ends(old, new)
        places = self.places()
        stop = self.lines[-1][0] + len(self.lines[-1][1])
        start = places[front] if front < len(old) else stop
        end = places[len(old) - back] if back else stop
        return Splice(start, end, new[front : len(new) - back])


def _runs(text: str, spans: list[tuple[int, int]], indent: int) -> list[_LineRun]:
    runs: list[_LineRun] = []
    joinable = False
    for start, end in spans:
        line = text[start + indent : end] if end - start > indent else ""
        if not line:
            joinable = False
            continue
        deep = _deep(line)
        if not joinable or deep:
            runs.append(_LineRun())
        runs[-1].add(line, start + indent)
        joinable = not deep
    return runs


def _fold(lines: list[str]) -> list[str]:
    """Return physical lines whose folding gives `lines`: one blank line more between two that folding would join."""
    out: list[str] = []
    previous = ""
    blanks = 0
    for line in lines:
        if not line:
            blanks += 1
            continue
        joins = bool(previous) and not _deep(previous) and not _deep(line)
        out += [""] * (blanks + (1 if joins else 0))
        out.append(line)
        previous, blanks = line, 0
    return out
