"""Contain what one odd document breaks: it is named in a note, and all else counts.

A document is bytes from outside: any field may be of a type that its schema rules out. Readers look at hundreds of fields,
so that the bound is drawn round the smallest part that stands for itself: an item of a list, an alert, a section.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from remediator.evidence.draft import Draft
    from remediator.evidence.section import Context

_ODD = (AttributeError, TypeError, LookupError, ValueError, ArithmeticError, RecursionError)
"""Errors that a value of an unexpected type or size raises."""
_MOST = 20
"""Notes on broken parts of one scan."""


def contained(drafts: Iterable[Draft], context: Context, line: int, what: str) -> Iterator[Draft]:
    """Yield the statements; where reading one fails, note it with its place and yield what came before it."""
    try:
        yield from drafts
    except _ODD as odd:
        note_broken(context, line, f"{what} is malformed and was left out ({type(odd).__name__})")


def note_broken(context: Context, line: int, words: str) -> None:
    """Add a note about a part of an input, up to a bound: a list may have a million broken items."""
    place = f"{context.source}:{line}" if line else context.source
    if len(context.notes) < _MOST:
        context.notes.append(f"{place}: {words}")
