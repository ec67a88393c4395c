"""The proof of an edit: both texts are parsed, and they differ at the edited place and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.yamledit.errors import EditRefused
from remediator.yamledit.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Stream,
)
from remediator.yamledit.readers import Value, agreed, construct, same, tag_11

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace the characters from `start` to `end` by `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The splices of one edit, and what must come of them.

    The events from `first` up to `stop` give way to nodes that read as `expect`, every other event
    stays. A scalar that keeps its anchor or tag names them in `anchor` and `tag`.
    """

    splices: tuple[Splice, ...]
    first: int
    stop: int
    expect: tuple[Value, ...]
    anchor: str | None = None
    tag: str | None = None


def carry_out(stream: Stream, plan: Plan) -> Stream:
    """The edited stream, proved; every byte outside the splices is the same because it is copied."""
    text, out, at = stream.text, [], 0
    for splice in plan.splices:
        if splice.start < at:
            raise EditRefused("the edit's parts overlap")
        out += [text[at : splice.start], splice.text]
        at = splice.end
    out.append(text[at:])
    edited = Stream("".join(out))
    prove(stream, edited, plan)
    return edited


def prove(before: Stream, after: Stream, plan: Plan) -> None:
    """Compare the two event streams; a refusal if they differ anywhere but where the plan says."""
    old, new = before.events, after.events
    stop = plan.stop + len(new) - len(old)
    if stop < plan.first:
        raise EditRefused("the edit would take away more than it was asked to")
    _same_events(old, new, 0, plan.first, 0)
    _same_events(old, new, plan.stop, len(old), stop - plan.stop)
    _nodes(new, plan, stop)
    _anchors_kept(old, new, plan, stop)


def _same_events(old: Sequence[Event], new: Sequence[Event], first: int, stop: int, shift: int) -> None:
    """Meaning only: type, text, how it resolves, anchor, tag. Places and flow style may differ."""
    for left, right in zip(old[first:stop], new[first + shift : stop + shift], strict=True):
        kind = left.__class__
        if kind is not right.__class__:
            raise EditRefused("the edit would change the structure elsewhere")
        if kind is ScalarEvent:
            if (
                left.value != right.value
                or left.implicit != right.implicit
                or left.anchor != right.anchor
                or left.tag != right.tag
            ):
                raise EditRefused(
                    f"the edit would change another value: {left.value[:40]!r}", line=left.start_mark.line + 1
                )
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if left.anchor != right.anchor or left.tag != right.tag:
                raise EditRefused("the edit would change another anchor or tag", line=left.start_mark.line + 1)
        elif kind is AliasEvent:
            if left.anchor != right.anchor:
                raise EditRefused("the edit would change another alias", line=left.start_mark.line + 1)
        elif kind is DocumentStartEvent and (left.version != right.version or left.tags != right.tags):
            raise EditRefused("the edit would change a document's directives", line=left.start_mark.line + 1)


def _nodes(new: Sequence[Event], plan: Plan, stop: int) -> None:
    """The new nodes read as asked, to a YAML 1.1 and to a YAML 1.2 reader."""
    at = plan.first
    if plan.tag is not None:
        event = new[at]
        if event.__class__ is not ScalarEvent or event.tag != plan.tag or event.anchor != plan.anchor:
            raise EditRefused("the edit would change the value's tag or anchor")
        if stop != at + 1 or not same(event.value, plan.expect[0]):
            raise EditRefused("the new value does not read as asked")
        return
    for wanted in plan.expect:
        value, at = _read(new, at, stop, plan.anchor)
        if not same(value, wanted):
            raise EditRefused("the new value does not read as asked")
    if at != stop:
        raise EditRefused("the edit would add more than it was asked to")


def _read(events: Sequence[Event], at: int, stop: int, anchor: str | None = None) -> tuple[Value, int]:
    """The untagged node at `at` and the event behind it."""
    if at >= stop:
        raise EditRefused("the new value does not read as asked")
    event = events[at]
    kind = event.__class__
    if kind not in _NODES or event.tag is not None or event.anchor != anchor:
        raise EditRefused("the new value does not read as asked")
    if kind is ScalarEvent:
        if not event.implicit[0]:
            return str(event.value), at + 1
        if not agreed(event.value):
            raise EditRefused("the new value would mean different things to YAML 1.1 and YAML 1.2 readers")
        return construct(tag_11(event.value), event.value), at + 1
    at += 1
    items: list[Value] = []
    while events[at].__class__ not in _ENDS:
        item, at = _read(events, at, stop)
        items.append(item)
    if kind is SequenceStartEvent:
        return items, at + 1
    return {str(key): value for key, value in zip(items[::2], items[1::2], strict=True)}, at + 1


def _anchors_kept(old: Sequence[Event], new: Sequence[Event], plan: Plan, stop: int) -> None:
    """An anchor that goes with a deleted value must not leave an alias behind (libyaml's events would not tell)."""
    gone = {
        event.anchor
        for event in old[plan.first : plan.stop]
        if getattr(event, "anchor", None) and event.__class__ is not AliasEvent
    }
    gone -= {event.anchor for event in new[plan.first : stop] if event.__class__ in _NODES}
    if not gone:
        return
    for event in new[stop:]:
        if event.__class__.__name__ == "DocumentEndEvent":
            return
        anchor = getattr(event, "anchor", None)
        if anchor in gone:
            if event.__class__ is AliasEvent:
                raise EditRefused(f"the edit would take away the anchor &{anchor}, which an alias needs")
            gone.discard(anchor)


_NODES = (ScalarEvent, MappingStartEvent, SequenceStartEvent)
_ENDS = (MappingEndEvent, SequenceEndEvent)
