"""Which literal texts a pattern's hits hold, so that Loki can drop most lines before it tries the patterns.

Loki tries all patterns on a line within a millisecond, and its texts within microseconds: a busy namespace costs it
seconds, not its whole query timeout.
"""

from __future__ import annotations

import re
from functools import cache
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LEAST = 3
"""Characters: shorter texts stand in nearly every line."""
_ENOUGH = 9
"""Characters beyond which a text tells enough, and fewer of them are better."""
_REPEATS = frozenset({kinds.MAX_REPEAT, kinds.MIN_REPEAT})

Texts = frozenset[str]
"""Lower-case ASCII, of which every hit holds one at least, in whatever case; empty where nobody can say."""


def first_filter(patterns: Iterable[str]) -> str:
    """An expression of nothing but texts, one of which stands in each line that a pattern hits; empty if unknown."""
    each = [needed(pattern) for pattern in patterns]
    if not each or not all(each):
        return ""
    found = frozenset().union(*each)
    least = [one for one in found if not any(other in one for other in found if other != one)]
    return "(?i)" + "|".join(map(re.escape, _mixed(sorted(least))))


@cache
def needed(pattern: str) -> Texts:
    """The texts of which a hit of the pattern holds one."""
    if "[:" in pattern:
        return frozenset()
    try:
        return _of_all(parser.parse(pattern))
    except (re.error, RecursionError, OverflowError):  # RE2 knows a few things, as `[:alpha:]`, that Python does not
        return frozenset()


def _of_all(items: Iterable[tuple[Any, Any]]) -> Texts:
    """Of expressions that follow each other: the most telling one's."""
    found: list[Texts] = []
    run = ""
    for kind, value in items:
        if kind is kinds.LITERAL and value < 128:
            run += chr(value).lower()
        elif kind is not kinds.AT:
            found += [_of_text(run), _of_one(kind, value)]
            run = ""
    return max([*found, _of_text(run)], key=_worth)


def _of_one(kind: Any, value: Any) -> Texts:
    if kind is kinds.SUBPATTERN:
        return _of_all(value[-1])
    if kind is kinds.BRANCH:
        each = [_of_all(one) for one in value[1]]
        return frozenset().union(*each) if all(each) else frozenset()
    if kind in _REPEATS and value[0]:
        return _of_all(value[2])
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
    """So that no two neighbours begin alike where that can be.

    What begins alike is made one expression (`a[bc]`), and Loki searches fast for mere texts alone.
    """
    groups: dict[str, list[str]] = {}
    for one in texts:
        groups.setdefault(one[0], []).append(one)
    found: list[str] = []
    while groups:
        last = found[-1][0] if found else ""
        first = max(groups, key=lambda one: (one != last, len(groups[one])))
        found.append(groups[first].pop())
        if not groups[first]:
            del groups[first]
    return found
