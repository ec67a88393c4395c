"""Plan how to set a value and how to rename a key: one token replaces another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.yamledit import blocks
from remediator.yamledit.collection_style import FileStyle
from remediator.yamledit.errors import EditRefused
from remediator.yamledit.events import Event, ScalarEvent, Stream
from remediator.yamledit.file_style import usual_quote
from remediator.yamledit.layout import in_flow, parent_column, token_start
from remediator.yamledit.proof import EditPlan, Splice
from remediator.yamledit.readers import Value, construct, same, tag_11
from remediator.yamledit.reshape import fitted, put_plans
from remediator.yamledit.scalars import double_quoted, write_key, write_scalar
from remediator.yamledit.values import read_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.yamledit.locate import NodeSpan

_STR = ("!", "tag:yaml.org,2002:str")
_CORE = "tag:yaml.org,2002:"


def set_plans(stream: Stream, place: NodeSpan, value: Value) -> Iterator[EditPlan | None]:
    """Yield ways to set the value, the least intrusive first; None where it already reads so."""
    event: Event = stream.events[place.at]
    if event.__class__ is not ScalarEvent or isinstance(value, dict | list):
        if event.__class__ is not ScalarEvent and event.tag is None and _already_reads(stream, place, value):
            yield None
            return
        yield from put_plans(stream, place, value, FileStyle(stream, place.parent))
        return
    tag = event.tag if event.tag is not None and _tag_stays(stream, place.at, event.tag, value) else None
    expect = value if tag is None or isinstance(value, str) else write_scalar(value)
    if tag == event.tag and same(_reads(event) if tag is None else event.value, expect):
        yield None
        return
    start = min(token_start(stream.text, event), stream.end(place.at))

    def plan(*splices: Splice) -> EditPlan:
        return EditPlan(splices, place.at, place.at + 1, (expect,), event.anchor, tag)

    if tag != event.tag:
        anchor = f"&{event.anchor} " if event.anchor else ""
        token = anchor + _token(stream, place, value, flow=in_flow(stream, place))
        yield plan(fitted(stream, place, stream.start(place.at), max(start, stream.content_end(place.at)), token))
        return
    if event.style in ("|", ">") and isinstance(value, str):
        yield plan(*blocks.rewrite(stream, place.at, start, value, parent_column(stream, place)))
    end = max(start, stream.content_end(place.at)) if event.style in ("|", ">") else stream.end(place.at)
    token = _token(stream, place, value, flow=in_flow(stream, place))
    yield plan(fitted(stream, place, start, end, token))
    if isinstance(value, str) and not token.startswith('"'):
        yield plan(fitted(stream, place, start, end, double_quoted(value)))


def rename_plans(stream: Stream, place: NodeSpan, new_key: str) -> Iterator[EditPlan | None]:
    """Yield ways to give the entry at `place` another key, in the quotes of the old one."""
    if place.key < 0:
        raise stream.refuse("only a key of a mapping can be renamed", place.at)
    event = stream.events[place.key]
    if event.value == new_key:
        yield None
        return
    for key, _ in stream.pairs(place.parent):
        sibling = stream.events[key]
        if sibling.__class__ is ScalarEvent and sibling.value == new_key:
            raise stream.refuse(f"the key {new_key!r} is there already", key)
    if event.tag is not None and event.tag not in _STR:
        raise stream.refuse(f"the key has the tag {event.tag}", place.key)
    start = token_start(stream.text, event)
    flow = in_flow(stream, place)
    style = event.style if event.style in ("'", '"') else ""
    plain_or_same = write_key(new_key, style=style, flow=flow, quote=usual_quote(stream))
    for token in dict.fromkeys((plain_or_same, write_key(new_key, style='"'))):
        splice = Splice(start, event.end_mark.index, token)
        yield EditPlan((splice,), place.key, place.key + 1, (new_key,), event.anchor, event.tag)


def _already_reads(stream: Stream, place: NodeSpan, value: Value) -> bool:
    """Return whether a collection reads as the value already."""
    try:
        return isinstance(value, dict | list) and same(read_value(stream, place.at), value)
    except (EditRefused, RecursionError):
        return False


def _reads(event: Event) -> Value:
    return construct(tag_11(event.value), event.value) if event.implicit[0] else str(event.value)


def _tag_stays(stream: Stream, at: int, tag: str, value: Value) -> bool:
    """Return whether the new value is of the tag's kind; one of YAML's own tags that does not fit goes with the old value.

    An application's own tag (`!Ref`) stays and takes text; what a number would mean under it is not known.
    """
    if tag in _STR:
        return isinstance(value, str)
    if tag.startswith(_CORE):
        return not isinstance(value, str) and tag_11(write_scalar(value)) == tag.removeprefix(_CORE)
    if isinstance(value, str):
        return True
    raise stream.refuse(f"the value has the tag {tag}, which may not fit a {type(value).__name__}", at)


def _token(stream: Stream, place: NodeSpan, value: Value, *, flow: bool) -> str:
    """Write the value in the old one's quotes; plain if those were none and it is safe."""
    event = stream.events[place.at]
    style = event.style if event.style in ("'", '"') else '"' if event.style else ""
    if not isinstance(value, str):
        text = write_scalar(value, like=event.value)
        return (
            style + text + style if event.tag is not None and _tag_stays(stream, place.at, event.tag, value) else text
        )
    token = write_scalar(value, style=style, flow=flow)
    if style or token == value:
        return token
    return write_scalar(value, flow=flow, quote=usual_quote(stream))
