"""A reader of regular expressions, as far as the literal texts in them are concerned.

Python's own parser is private, and RE2 does not show its tree. Only the shape matters here: which characters stand side by
side, what is optional, what has alternatives. Whatever is not understood raises `ValueError`, and the caller then does
without literals, so a construct that is missing here costs speed, never a hit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|(?P<flags>[imsU-]*)(?P<end>[:)])))?")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"(?:[*+?]|\{(?P<least>\d+)(?:,\d*)?\})\??")
_ESCAPE = re.compile(r"\\(?:x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]+\})|[pP](?:\{\^?\w+\}|\w)|.)", re.DOTALL)
_NO_WIDTH = frozenset(["^", "$", r"\b", r"\B", r"\A", r"\z", r"\Z"])
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True)
class Text:
    """One literal character."""

    character: str


@dataclass(frozen=True)
class Unknown:
    """One character that may be several, such as `.` or a class."""


@dataclass(frozen=True)
class Repeated:
    """An expression that stands at least `least` times."""

    inner: Sequenced
    least: int


@dataclass(frozen=True)
class Branches:
    """A group: each alternative is an expression of its own."""

    alternatives: tuple[Sequenced, ...]


Part: TypeAlias = Text | Unknown | Repeated | Branches
Sequenced: TypeAlias = tuple[Part, ...]
"""Expressions that follow each other; positions without width, such as `^`, are left out."""


def parse(pattern: str) -> Sequenced:
    """Return the parts of a pattern in RE2's syntax; ValueError for what this reader does not know."""
    alternatives, end = _alternatives(pattern, 0)
    if end != len(pattern):
        raise ValueError(f"a bracket at {end} closes nothing")
    return _one_of(alternatives)


def _one_of(alternatives: tuple[Sequenced, ...]) -> Sequenced:
    """Return alternatives as parts: the beginning that all share stands before them, as in `abc|abd`."""
    shared: list[Part] = []
    while len(alternatives) > 1 and all(alternatives) and len({parts[0] for parts in alternatives}) == 1:
        shared.append(alternatives[0][0])
        alternatives = tuple(parts[1:] for parts in alternatives)
    return (*shared, *alternatives[0]) if len(alternatives) == 1 else (*shared, Branches(alternatives))


def _alternatives(pattern: str, start: int) -> tuple[tuple[Sequenced, ...], int]:
    """Return the alternatives from `start` to the end of their group, and where that is."""
    complete: list[Sequenced] = []
    parts: list[Part] = []
    at = start
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            complete.append(tuple(parts))
            parts, at = [], at + 1
            continue
        piece, at = _piece(pattern, at)
        repeat = _REPEAT.match(pattern, at)
        if repeat is None:
            parts += piece
            continue
        at = repeat.end()
        least = int(repeat["least"]) if repeat["least"] else int(repeat[0][0] == "+")
        parts.append(Repeated(piece, least))
    return (*complete, tuple(parts)), at


def _piece(pattern: str, at: int) -> tuple[Sequenced, int]:
    """Return one character, class, position or group, and where it ends."""
    character = pattern[at]
    if character == "(":
        return _group(pattern, at)
    if character == "[":
        if (match := _CLASS.match(pattern, at)) is None:
            raise ValueError(f"the class at {at} has no end")
        return (_class(match[0]),), match.end()
    if character == "\\":
        if (escape := _ESCAPE.match(pattern, at)) is None:
            raise ValueError("ends with a backslash")
        return _escaped(escape[0]), escape.end()
    if character in "*+?":
        raise ValueError(f"the quantifier at {at} has nothing to repeat")
    if character in _NO_WIDTH:
        return (), at + 1
    return (Unknown() if character == "." else Text(character),), at + 1


def _group(pattern: str, start: int) -> tuple[Sequenced, int]:
    """Return a group and where it ends: the parts of a mere bracket, else alternatives of its own."""
    opening = _GROUP.match(pattern, start)
    if opening is None or pattern.startswith("?", opening.end()):
        raise ValueError(f"an unknown group at {start}")
    if opening["end"] == ")":  # `(?i)`: flags for what follows, no group
        return (), opening.end()
    alternatives, end = _alternatives(pattern, opening.end())
    if end == len(pattern):
        raise ValueError(f"the group at {start} has no end")
    plain = opening["end"] == ":" and not opening["flags"]
    parts = _one_of(alternatives)
    return (parts if plain else (Branches((parts,)),)), end + 1


def _class(text: str) -> Part:
    """Return the only character of a class such as `[.]`; Unknown for any other class."""
    inside = text[1:-1]
    if len(inside) == 1:
        return Text(inside)
    if len(inside) == 2 and inside[0] == "\\" and (parts := _escaped(inside)):
        return parts[0]
    return Unknown()


def _escaped(text: str) -> Sequenced:
    r"""Return what an escape stands for: a character, a class such as `\d`, or a position such as `\b`."""
    letter = text[1]
    if text in _NO_WIDTH:
        return ()
    if letter == "x":
        return (Text(chr(int(text[2:].strip("{}"), 16))),)
    if letter in "dDsSwW":
        return (Unknown(),)
    if letter in _CONTROLS:
        return (Text(_CONTROLS[letter]),)
    if letter.isalnum():
        raise ValueError(f"an unknown escape: {text}")
    return (Text(letter),)
