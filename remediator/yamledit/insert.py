"""Plan how to add a key to a mapping, or an item to a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.yamledit.collection_style import FileStyle
from remediator.yamledit.events import MappingStartEvent, ScalarEvent, SequenceStartEvent, Stream
from remediator.yamledit.file_style import place_among
from remediator.yamledit.layout import alone_before, below, block_column, child_start, gap
from remediator.yamledit.proof import EditPlan, Splice
from remediator.yamledit.readers import Value, tag_11
from remediator.yamledit.reshape import put_plans
from remediator.yamledit.scalars import normalise
from remediator.yamledit.text import eol_near, line_end, line_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.yamledit.locate import NodeSpan
    from remediator.yamledit.render import CollectionStyle

_NEAR = 16  # children that are asked whether blank lines stand between them


def insert_plans(stream: Stream, place: NodeSpan, value: Value) -> Iterator[EditPlan]:
    """Yield ways to add the missing end of the path, `place.missing`, with `value` at its end."""
    if not place.missing:
        raise stream.refuse("the key is there already", place.at)
    inner = value
    for element in reversed(place.missing):
        if not isinstance(element, str):
            raise stream.refuse("a list item on the path is missing, and only keys are made", place.at)
        inner, value = value, {str(normalise(element)): value}
    event = stream.events[place.at]
    if event.__class__ is MappingStartEvent and stream.after(place.at) > place.at + 2:
        if event.tag is not None:
            raise stream.refuse(f"the mapping has the tag {event.tag}", place.at)
        yield from _entry_plans(stream, place, str(place.missing[0]), inner)
        return
    empty_scalar = event.__class__ is ScalarEvent and event.implicit[0] and tag_11(event.value) == "null"
    if event.__class__ is not MappingStartEvent and not empty_scalar:
        raise stream.refuse("the place where the key would go is not a mapping", place.at)
    yield from put_plans(stream, place, value, FileStyle(stream, place.parent))


def append_plans(stream: Stream, place: NodeSpan, value: Value, index: int | None = None) -> Iterator[EditPlan]:
    """Yield ways to add an item at the end of the list, or before the item `index`."""
    event = stream.events[place.at]
    if event.__class__ is not SequenceStartEvent:
        raise stream.refuse("the place is not a list", place.at)
    if event.tag is not None:
        raise stream.refuse(f"the list has the tag {event.tag}", place.at)
    style = FileStyle(stream, place.at)
    items = style.children
    index = len(items) if index is None else index
    if not 0 <= index <= len(items):
        raise stream.refuse(f"the list has {len(items)} items", place.at)
    if not items:
        yield from put_plans(stream, place, [value], FileStyle(stream, place.parent))
        return
    at = items[index] if index < len(items) else stream.after(place.at) - 1
    if event.flow_style:
        splices = _flow_splices(stream, items, items, index, style.flow(value))
        yield EditPlan(splices, at, at, (value,))
        return
    like = items[min(max(index - 1, 0), len(items) - 1)]
    lines = _item_lines(stream, like, value, style)
    for splices in _block_splices(stream, place.at, items, items, index, lines):
        yield EditPlan(splices, at, at, (value,))


def _item_lines(stream: Stream, like: int, value: Value, style: CollectionStyle) -> list[str]:
    """Return a new item's lines; in flow style where the item beside it is a collection in flow style."""
    event = stream.events[like]
    if isinstance(value, dict | list) and getattr(event, "flow_style", False) and stream.after(like) > like + 2:
        return ["-" + " " * style.dash_gap + style.flow(value)]
    return style.item(value)


def _entry_plans(stream: Stream, place: NodeSpan, key: str, value: Value) -> Iterator[EditPlan]:
    style = FileStyle(stream, place.at)
    names, values = style.children[::2], style.children[1::2]
    keys = [str(getattr(stream.events[name], "value", "")) for name in names]
    index = place_among(stream, _name(stream, place), keys, key)
    at = names[index] if index < len(names) else stream.after(place.at) - 1
    if stream.events[place.at].flow_style:
        yield EditPlan(_flow_splices(stream, names, values, index, style.flow_entry(key, value)), at, at, (key, value))
        return
    lines = style.entry(key, value)
    if not index and not alone_before(stream.text, child_start(stream, place.at, names[0])):
        index = 1  # the first key shares its line with a dash, and that line stays as it is
    for position in dict.fromkeys((index, len(names), len(names) - 1)):
        at = names[position] if position < len(names) else stream.after(place.at) - 1
        for splices in _block_splices(stream, place.at, names, values, position, lines):
            yield EditPlan(splices, at, at, (key, value))


def _name(stream: Stream, place: NodeSpan) -> str | None:
    """Return the key that the mapping stands under; None in a list, empty for the root."""
    if place.key >= 0:
        return str(getattr(stream.events[place.key], "value", ""))
    return None if place.parents else ""


def _block_splices(
    stream: Stream, at: int, starts: list[int], ends: list[int], index: int, lines: list[str]
) -> Iterator[tuple[Splice, ...]]:
    """Yield ways to put lines before the child `index` of a block collection."""
    text, indent = stream.text, block_column(stream, at)
    lines = [" " * indent + line if line else "" for line in lines]
    if index:
        end = stream.content_end(ends[index - 1])
        place = below(text, end, indent)
        eol = eol_near(text, max(end - 1, 0))
        if index < len(starts):
            place = min(place, max(line_end(text, end), child_start(stream, at, starts[index])))
        spaced = _spaced(stream, at, starts, ends)
        if place and text[place - 1] in "\r\n":
            yield (Splice(place, place, "".join(line + eol for line in lines)),)
            return
        yield (Splice(place, place, (eol if spaced else "") + "".join(eol + line for line in lines)),)
        scalar_end = stream.events[stream.after(ends[index - 1]) - 1].end_mark.index
        if scalar_end > place and text[scalar_end - 1] in "\r\n":
            yield (Splice(scalar_end, scalar_end, "".join(line + eol for line in lines)),)
        return
    start = child_start(stream, at, starts[0])
    eol = eol_near(text, start)
    body = eol.join(lines).lstrip(" ") + eol + " " * indent
    if alone_before(text, start):
        start = _above_comments(text, start, indent)
    yield (Splice(start, start, body),)


def _above_comments(text: str, start: int, indent: int) -> int:
    """Return the place above the comment lines that stand right above `start` and as deep as it."""
    while True:
        line = line_start(text, start)
        above = line_start(text, line - 1) if line else line
        if line == above or not text[above:line].startswith(" " * indent + "#"):
            return start
        start = above + indent


def _spaced(stream: Stream, at: int, starts: list[int], ends: list[int]) -> bool:
    """Return whether blank lines stand between the last children of a block collection."""
    if len(starts) < 3:
        return False
    pairs = list(zip(ends[:-1], starts[1:], strict=True))[-_NEAR:]
    return all(gap(stream.text, stream.content_end(end), child_start(stream, at, start)) for end, start in pairs)


def _flow_splices(stream: Stream, starts: list[int], ends: list[int], index: int, new: str) -> tuple[Splice, ...]:
    """Put `new` before the child `index` of a flow collection, on a line of its own where the children have theirs."""
    text = stream.text
    if index < len(starts):
        start = stream.start(starts[index])
        lead = text[line_start(text, start) : start]
        glue = "," + eol_near(text, start) + lead if not lead.strip() else ", "
        return (Splice(start, start, new + glue),)
    end, start = stream.content_end(ends[-1]), stream.start(starts[-1])
    stop = end
    while text[stop].isspace():
        stop += 1
    comma = text[stop] == ","
    own_line = len(starts) > 1 or _begins_line(text, start)
    if not (own_line and _begins_line(text, start)):
        if comma:
            return (Splice(stop + 1, stop + 1, " " + new),)
        return (Splice(end, end, ", " + new),)
    after = stop + 1 if comma else end
    line_tail = text[after : line_end(text, after)]
    line = eol_near(text, start) + text[line_start(text, start) : start] + new + ("," if comma else "")
    if not line_tail.strip() or line_tail.lstrip().startswith("#"):
        place = line_end(text, after)
        return (Splice(place, place, line),) if comma else (Splice(end, end, ","), Splice(place, place, line))
    return (Splice(after, after, line),) if comma else (Splice(end, end, "," + line),)


def _begins_line(text: str, at: int) -> bool:
    return not text[line_start(text, at) : at].strip()
