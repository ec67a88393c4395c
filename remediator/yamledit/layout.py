"""Tell how nodes lie on their lines: columns, dashes, colons, the comments that belong to a block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.yamledit.errors import EditRefused
from remediator.yamledit.events import Event, MappingStartEvent, Stream
from remediator.yamledit.text import column, line_end, line_start, next_line

if TYPE_CHECKING:
    from remediator.yamledit.locate import NodeSpan

_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+(?:#[^\r\n]*\s+)*)?)*")


def token_start(text: str, event: Event) -> int:
    """Return the place where the node itself begins: its start mark stands at the anchor or tag in front of it."""
    start, end = int(event.start_mark.index), int(event.end_mark.index)
    if event.anchor is None and event.tag is None:
        return start
    if getattr(event, "value", None) == "" and not event.style:
        return end
    match = _PROPERTIES.match(text, start)
    return match.end() if match else start


def in_flow(stream: Stream, place: NodeSpan) -> bool:
    """Return whether the node stands inside `[…]` or `{…}`."""
    return place.parent >= 0 and bool(stream.events[place.parent].flow_style)


def block_column(stream: Stream, at: int) -> int:
    """Return the column of a block collection's keys or dashes."""
    event = stream.events[at]
    if event.__class__ is MappingStartEvent:
        return column(stream.text, key_start(stream, at + 1))
    return column(stream.text, token_start(stream.text, event))


def parent_column(stream: Stream, place: NodeSpan) -> int:
    """Return the column of the block collection round the node; -1 for the root."""
    return block_column(stream, place.parent) if place.parent >= 0 else -1


def dash(stream: Stream, sequence: int, item: int) -> int:
    """Return the place of a block list item's dash: on the item's line or, seldom, above it."""
    text, at = stream.text, stream.start(item)
    indent = block_column(stream, sequence)
    while True:
        start = line_start(text, at)
        if text[start + indent : start + indent + 1] == "-":
            return start + indent
        if not start:
            raise EditRefused("the list's dash was not found")
        at = start - 1


def key_start(stream: Stream, key: int) -> int:
    """Return the place where an entry begins: at its key, or at the question mark in front of it."""
    text, start = stream.text, stream.start(key)
    mark = start - 1
    while mark >= 0 and text[mark] in " \t":
        mark -= 1
    return mark if mark >= 0 and text[mark] == "?" and mark < start - 1 else start


def child_start(stream: Stream, at: int, child: int) -> int:
    """Return the place where a child of a block collection begins: its key, or its dash."""
    if stream.events[at].__class__ is MappingStartEvent:
        return key_start(stream, child)
    return dash(stream, at, child)


def colon(stream: Stream, key: int) -> int:
    """Return the place of the colon behind a key."""
    at = stream.text.find(":", stream.content_end(key))
    if at < 0:
        raise EditRefused("the key has no colon")
    return at


def alone_before(text: str, at: int) -> bool:
    """Return whether nothing but blanks stands before `at` in its line."""
    return not text[line_start(text, at) : at].strip(" ")


def below(text: str, end: int, indent: int) -> int:
    """Return the place for text that follows a node.

    It is the end of the node's line, or of the comments under it that are deeper than `indent`.
    """
    if end and text[end - 1] in "\r\n":
        return end
    at = line_end(text, end)
    while True:
        start = next_line(text, at)
        if start <= at:
            return at
        line = text[start : line_end(text, start)]
        bare = line.lstrip(" ")
        if not bare.startswith("#") or len(line) - len(bare) <= indent:
            return at
        at = start + len(line)


def gap(text: str, end: int, start: int) -> bool:
    """Return whether a blank line stands between a node that ends at `end` and one that begins at `start`."""
    at = next_line(text, end)
    while at < start:
        stop = line_end(text, at)
        if stop < start and not text[at:stop].strip():
            return True
        at = next_line(text, at) if stop < start else start
    return False
