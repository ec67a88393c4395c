"""Literal texts in the matches of a pattern, so that Loki can drop most lines before it tries the patterns.

Loki tries all patterns on a line within a millisecond, and its texts within microseconds: a busy namespace costs it
seconds, not its whole query timeout.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from remediator.services.loki.expressions import Branches, Part, Repeated, Sequenced, Text, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LEAST = 3
"""The least length of a text: shorter ones are in nearly every line."""
_ENOUGH = 9
"""The length beyond which a text is selective enough, and fewer of them are better."""

Texts = frozenset[str]
"""Lower-case ASCII texts; every match holds at least one, in whatever case; empty where that is unknown."""


def first_filter(patterns: Iterable[str]) -> str:
    """Return an expression of literal texts, one of which is in each line that a pattern matches; empty if unknown."""
    text_sets = [needed(pattern) for pattern in patterns]
    if not text_sets or not all(text_sets):
        return ""
    texts = frozenset().union(*text_sets)
    least = [text for text in texts if not any(shorter in text for shorter in texts if shorter != text)]
    return "(?i)" + "|".join(map(re.escape, _mixed(sorted(least))))


@cache
def needed(pattern: str) -> Texts:
    """Return the texts of which every hit of the pattern holds one."""
    if "[:" in pattern:
        return frozenset()
    try:
        return _of_all(parse(pattern))
    except (ValueError, RecursionError, OverflowError):  # RE2 knows a few things, as `\pL`, that the reader does not
        return frozenset()


def _of_all(parts: Sequenced) -> Texts:
    """Return the most selective texts among those of expressions that follow each other."""
    choices: list[Texts] = []
    run = ""
    for part in parts:
        if isinstance(part, Text) and part.character.isascii():
            run += part.character.lower()
        else:
            choices += [_of_text(run), _of_part(part)]
            run = ""
    return max([*choices, _of_text(run)], key=_worth)


def _of_part(part: Part) -> Texts:
    """Return the texts of one expression; none where it may be missing or be any character."""
    if isinstance(part, Branches):
        choices = [_of_all(alternative) for alternative in part.alternatives]
        return frozenset().union(*choices) if all(choices) else frozenset()
    if isinstance(part, Repeated) and part.least:
        return _of_all(part.inner)
    return frozenset()


def _of_text(run: str) -> Texts:
    r"""The longest end of it before which stands a character that it lacks.

    Loki's search without regard to case does not go back: it overlooks `no route` after an `n`, as in `\nno route`.
    """
    ends = [run[at:] for at in range(1, len(run)) if run[at - 1] not in run[at:]]
    text = ends[0] if ends and len(ends[0]) > _LEAST + 1 else run
    return frozenset({text}) if len(text) >= _LEAST and text.strip() else frozenset()


def _worth(texts: Texts) -> tuple[int, int, int]:
    shortest = min(map(len, texts), default=0)
    return min(shortest, _ENOUGH), -len(texts), shortest


def _mixed(texts: Sequence[str]) -> list[str]:
    """Sort the texts so that no two neighbours begin alike where that is possible.

    What begins alike is made one expression (`a[bc]`), and Loki searches fast for mere texts alone.
    """
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(text[0], []).append(text)
    result: list[str] = []
    while groups:
        last = result[-1][0] if result else ""
        first = max(groups, key=lambda letter: (letter != last, len(groups[letter])))
        result.append(groups[first].pop())
        if not groups[first]:
            del groups[first]
    return result
