"""Plan how to replace a whole node by another kind of node: `{}` or nothing by lines, lines by a scalar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.yamledit.events import MappingStartEvent, Stream
from remediator.yamledit.layout import alone_before, block_column, colon, in_flow, token_start
from remediator.yamledit.proof import EditPlan, Splice
from remediator.yamledit.text import column, eol_near, line_end, line_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.yamledit.locate import NodeSpan
    from remediator.yamledit.readers import Value
    from remediator.yamledit.render import CollectionStyle

_CORE = "tag:yaml.org,2002:"


def put_plans(stream: Stream, place: NodeSpan, value: Value, style: CollectionStyle) -> Iterator[EditPlan]:
    """Yield ways to replace the node by `value`; an anchor on it stays, one of YAML's own tags goes, another refuses."""
    event = stream.events[place.at]
    start, end = token_start(stream.text, event), stream.content_end(place.at)
    if event.tag is not None:
        if not event.tag.startswith(_CORE) or event.anchor is not None:
            raise stream.refuse(f"the value has the tag {event.tag}", place.at)
        start = stream.start(place.at)
    end = max(start, end)
    if getattr(event, "flow_style", True) is False and not in_flow(stream, place):
        end = line_end(stream.text, end)  # a comment behind the last line goes with the line

    def plan(*splices: Splice) -> EditPlan:
        return EditPlan(splices, place.at, stream.after(place.at), (value,), event.anchor)

    inline = in_flow(stream, place) or not isinstance(value, dict | list) or not value
    if inline:
        token = style.flow(value) if in_flow(stream, place) or isinstance(value, dict | list) else style.scalar(value)
        if place.key >= 0 and alone_before(stream.text, start) and not in_flow(stream, place):
            yield plan(*_beside_key(stream, place, start, end, token))
        yield plan(fitted(stream, place, start, end, token))
        return
    if place.parent < 0:
        if not alone_before(stream.text, start):
            yield plan(fitted(stream, place, start, end, style.flow(value)))
            return
        yield plan(_hanging(stream, start, end, style.lines(value)))
    elif place.key < 0:
        yield plan(_hanging(stream, start, end, style.lines(value)))
    elif start < end and alone_before(stream.text, start):
        yield plan(_under_key(stream, place, start, end, style.lines(value)))
    else:
        yield plan(_opened(stream, place, start, end, value, style))
    yield plan(fitted(stream, place, start, end, style.flow(value)))


def _hanging(stream: Stream, start: int, end: int, lines: list[str]) -> Splice:
    """Put lines from `start` on, the others under the first."""
    text = stream.text
    lead = "" if not start or text[start - 1] in " \r\n" else " "
    glue = eol_near(text, start) + " " * (column(text, start) + len(lead))
    return Splice(start, end, lead + glue.join(lines))


def _under_key(stream: Stream, place: NodeSpan, start: int, end: int, lines: list[str]) -> Splice:
    """Put lines in place of a node that begins on a line of its own."""
    text = stream.text
    indent = column(text, start)
    if stream.events[place.at].__class__ is not MappingStartEvent and indent <= block_column(stream, place.parent):
        indent = block_column(stream, place.parent) + 2
    glue = eol_near(text, start) + " " * indent
    return Splice(line_start(text, start), end, " " * indent + glue.join(lines))


def _opened(stream: Stream, place: NodeSpan, start: int, end: int, value: Value, style: CollectionStyle) -> Splice:
    """Put lines under the key's line in place of `{}`, a scalar or nothing behind the colon; a comment there stays."""
    text = stream.text
    front = start
    while front and text[front - 1] in " \t":
        front -= 1
    stop = line_end(text, end)
    step = style.list_step if isinstance(value, list) else style.step
    glue = eol_near(text, start) + " " * (block_column(stream, place.parent) + step)
    return Splice(front, stop, text[end:stop].rstrip() + glue + glue.join(style.lines(value)))


def _beside_key(stream: Stream, place: NodeSpan, start: int, end: int, token: str) -> tuple[Splice, ...]:
    """Put a token behind the colon in place of lines under it."""
    text = stream.text
    after = colon(stream, place.key) + 1
    last = line_start(text, start)
    if last >= 2 and text[last - 2 : last] == "\r\n":
        last -= 2
    elif last:
        last -= 1
    return Splice(after, after, " " + token), Splice(max(last, after), end, "")


def fitted(stream: Stream, place: NodeSpan, start: int, end: int, token: str) -> Splice:
    """Put the token in place of another, with the blanks (and the colon) that an empty value lacks."""
    text = stream.text
    if start < end:
        return Splice(start, end, token)
    if place.key >= 0 and in_flow(stream, place):
        between = text[stream.events[place.key].end_mark.index : start]
        if ":" not in between:
            token = ": " + token
    if start and not token.startswith(":") and not text[start - 1].isspace():
        token = " " + token
    follows = text[start : start + 1]
    if follows and not follows.isspace() and follows not in ",]}":
        token += " "
    return Splice(start, start, token)
