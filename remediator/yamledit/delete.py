"""Plan how to take away a key with its value, or an item of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.yamledit.events import MappingStartEvent, Stream
from remediator.yamledit.layout import alone_before, child_start
from remediator.yamledit.locate import NodeSpan
from remediator.yamledit.proof import EditPlan, Splice
from remediator.yamledit.render import CollectionStyle
from remediator.yamledit.reshape import put_plans
from remediator.yamledit.text import line_end, line_start, next_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.yamledit.readers import Value


def delete_plans(stream: Stream, place: NodeSpan) -> Iterator[EditPlan]:
    """Yield ways to delete the entry or item; its comment goes with it, comments on lines of their own stay."""
    if place.parent < 0:
        raise stream.refuse("the document's root cannot be deleted", place.at)
    mapping = stream.events[place.parent].__class__ is MappingStartEvent
    flat = stream.children(place.parent)
    starts = flat[::2] if mapping else flat
    ends = flat[1::2] if mapping else flat
    first = place.key if mapping else place.at
    index = starts.index(first)
    after = stream.after(place.at)
    flow = stream.events[place.parent].flow_style
    if len(starts) == 1 and not flow:
        yield from _emptied(stream, place)
        return
    for splice in (
        _flow_splices(stream, starts, ends, index)
        if flow
        else _block_splices(stream, place.parent, starts, ends, index)
    ):
        yield EditPlan((splice,), first, after, ())


def _emptied(stream: Stream, place: NodeSpan) -> Iterator[EditPlan]:
    """Yield ways to delete the last child: the collection becomes `{}` or `[]`."""
    outer = NodeSpan(place.parent, place.parents[:-1])
    if outer.parent >= 0 and stream.events[outer.parent].__class__ is MappingStartEvent:
        outer.key = next(key for key, value in stream.pairs(outer.parent) if value == outer.at)
    empty: Value = {} if stream.events[place.parent].__class__ is MappingStartEvent else []
    yield from put_plans(stream, outer, empty, CollectionStyle())


def _block_splices(stream: Stream, at: int, starts: list[int], ends: list[int], index: int) -> Iterator[Splice]:
    text = stream.text
    start = child_start(stream, at, starts[index])
    end = stream.content_end(ends[index])
    stop = end if end and text[end - 1] in "\r\n" else next_line(text, end)
    if alone_before(text, start):
        first = line_start(text, start)
        if stop == len(text) and text[stop - 1 : stop] not in ("\n", "\r"):
            yield Splice(_line_above(text, first), stop, "")
        yield Splice(first, stop, "")
        tail = stream.events[stream.after(ends[index]) - 1].end_mark.index
        if tail > stop:
            yield Splice(first, tail, "")
        return
    following = child_start(stream, at, starts[index + 1])
    if line_start(text, following) > stop:  # blank lines or comments in between stay where they are
        front = start
        while text[front - 1] in " \t":
            front -= 1
        yield Splice(front, line_end(text, end), "")
    yield Splice(start, following, "")


def _line_above(text: str, at: int) -> int:
    """Return the end of the nearest line above `at` that is not blank: the new end of a file without a final line break."""
    while at:
        end = line_start(text, at - 1)
        if text[end:at].strip():
            return line_end(text, end)
        at = end
    return 0


def _flow_splices(stream: Stream, starts: list[int], ends: list[int], index: int) -> Iterator[Splice]:
    start, end = stream.start(starts[index]), stream.content_end(ends[index])
    if index + 1 < len(starts):
        yield Splice(start, stream.start(starts[index + 1]), "")
    elif index:
        yield Splice(stream.content_end(ends[index - 1]), end, "")
    else:
        stop = end
        while stream.text[stop : stop + 1].isspace():
            stop += 1
        if stream.text[stop : stop + 1] == ",":
            end = stop + 1
        yield Splice(start, end, "")
