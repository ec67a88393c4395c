"""Prove an edit: both texts are parsed, and they differ at the edited place and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from remediator.yamledit.errors import EditRefused
from remediator.yamledit.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Stream,
    refused,
    scan,
)
from remediator.yamledit.readers import Value, agreed, construct, same, tag_11

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace the characters from `start` to `end` by `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class EditPlan:
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


def carry_out(stream: Stream, plan: EditPlan) -> str:
    """Return the edited text, proved; every character outside the splices is the same because it is copied."""
    text, out, at = stream.text, [], 0
    for splice in plan.splices:
        if splice.start < at:
            raise EditRefused("the edit's parts overlap")
        out += [text[at : splice.start], splice.text]
        at = splice.end
    out.append(text[at:])
    edited = "".join(out)
    try:
        prove(stream, scan(edited), plan)
    except yaml.YAMLError as error:
        raise refused("the edited text would not parse", error) from error
    return edited


def prove(old: Stream, edited: Iterator[Event], plan: EditPlan) -> None:
    """Compare the edited text's events with the old ones; raise a refusal if they differ anywhere but where the plan says.

    Both streams end in an event that is nowhere else, so neither can be longer without a difference.
    """
    _same_events(old.events[: plan.first], edited)
    if plan.tag is None:
        for expected in plan.expect:
            if not same(_read(edited, next(edited, None), plan.anchor), expected):
                raise EditRefused(_MISREAD)
    else:
        _tagged(next(edited, None), plan)
    _same_events(old.events[plan.stop :], edited)
    _anchors_kept(old.events, plan)


def _same_events(old: Sequence[Event], edited: Iterator[Event]) -> None:
    """Compare meaning only: type, text, how it resolves, anchor, tag. Places and flow style may differ."""
    for old_event, new_event in zip(old, edited, strict=False):
        kind = old_event.__class__
        if kind is not new_event.__class__:
            raise EditRefused("the edit would change the structure elsewhere")
        if kind is ScalarEvent:
            if (
                old_event.value != new_event.value
                or old_event.implicit != new_event.implicit
                or old_event.anchor != new_event.anchor
                or old_event.tag != new_event.tag
            ):
                reason = f"the edit would change another value: {old_event.value[:40]!r}"
                raise EditRefused(reason, line=old_event.start_mark.line + 1)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if old_event.anchor != new_event.anchor or old_event.tag != new_event.tag:
                raise EditRefused("the edit would change another anchor or tag", line=old_event.start_mark.line + 1)
        elif kind is AliasEvent:
            if old_event.anchor != new_event.anchor:
                raise EditRefused("the edit would change another alias", line=old_event.start_mark.line + 1)
        elif kind is DocumentStartEvent and (
            old_event.version != new_event.version or old_event.tags != new_event.tags
        ):
            raise EditRefused("the edit would change a document's directives", line=old_event.start_mark.line + 1)


def _tagged(event: Event, plan: EditPlan) -> None:
    """Refuse unless the scalar keeps its tag and reads as the expected text."""
    if event.__class__ is not ScalarEvent or event.tag != plan.tag or event.anchor != plan.anchor:
        raise EditRefused("the edit would change the value's tag or anchor")
    if not same(event.value, plan.expect[0]):
        raise EditRefused(_MISREAD)


def _read(events: Iterator[Event], event: Event, anchor: str | None = None) -> Value:
    """Return the untagged node that begins with `event`, as both a YAML 1.1 and a YAML 1.2 reader have it."""
    kind = event.__class__
    if kind not in _NODES or event.tag is not None or event.anchor != anchor:
        raise EditRefused(_MISREAD)
    if kind is ScalarEvent:
        if not event.implicit[0]:
            return str(event.value)
        if not agreed(event.value):
            raise EditRefused("the new value would mean different things to YAML 1.1 and YAML 1.2 readers")
        return construct(tag_11(event.value), event.value)
    items: list[Value] = []
    for child in events:
        if child.__class__ in _ENDS:
            break
        items.append(_read(events, child))
    if kind is SequenceStartEvent:
        return items
    keys = [key for key in items[::2] if isinstance(key, str)]
    if 2 * len(keys) != len(items):
        raise EditRefused(_MISREAD)
    return dict(zip(keys, items[1::2], strict=True))


def _anchors_kept(old: Sequence[Event], plan: EditPlan) -> None:
    """Refuse where an anchor that goes with a deleted value leaves an alias behind, which libyaml's events do not tell."""
    removed = {
        getattr(event, "anchor", None) for event in old[plan.first : plan.stop] if event.__class__ is not AliasEvent
    }
    removed -= {None, plan.anchor}
    if not removed:
        return
    for event in old[plan.stop :]:
        if event.__class__ is DocumentEndEvent:
            return
        anchor = getattr(event, "anchor", None)
        if anchor in removed:
            if event.__class__ is AliasEvent:
                raise EditRefused(f"the edit would take away the anchor &{anchor}, which an alias needs")
            removed.discard(anchor)


_MISREAD = "the new value does not read as asked"
_NODES = (ScalarEvent, MappingStartEvent, SequenceStartEvent)
_ENDS = (MappingEndEvent, SequenceEndEvent)
