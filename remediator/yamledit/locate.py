"""Follow a path to the node it names, and tell whether an alias shares that node."""

from __future__ import annotations

from dataclasses import dataclass, field

from remediator.domain.yaml_paths import EditPath, EditStep, ItemSelector, format_path
from remediator.yamledit.errors import EditRefused, PathMissing
from remediator.yamledit.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    Stream,
)


@dataclass(slots=True)
class NodeSpan:
    """A node by its first event, with the collections round it, outermost first."""

    at: int
    parents: list[int] = field(default_factory=list)
    key: int = -1
    missing: tuple[EditStep, ...] = ()

    @property
    def parent(self) -> int:
        """Return the collection that holds the node; -1 for the root."""
        return self.parents[-1] if self.parents else -1


def locate(stream: Stream, document: int, path: EditPath, *, shared: bool = False) -> NodeSpan:
    """Return the place of `path`, which must exist; `shared` also accepts a node that aliases show elsewhere."""
    place = deepest(stream, document, path, shared=shared)
    if place.missing:
        raise _missing(stream, place, path)
    return place


def locate_child(stream: Stream, document: int, path: EditPath) -> NodeSpan:
    """Return the place of a child that is to be moved or deleted.

    The child may be an alias itself; the collection that holds it must not be shared.
    """
    if not path:
        raise EditRefused("the document's root is nobody's child")
    place = locate(stream, document, path[:-1])
    child = _child(stream, place.at, path[-1])
    if child is None:
        place.missing = tuple(path[-1:])
        raise _missing(stream, place, path)
    return NodeSpan(child[1], [*place.parents, place.at], child[0])


def deepest(stream: Stream, document: int, path: EditPath, *, shared: bool = False) -> NodeSpan:
    """Return the place that the longest existing beginning of `path` leads to, with the missing end of the path."""
    place = NodeSpan(stream.root(document))
    for depth, step in enumerate(path):
        _follow(stream, place, shared=shared)
        child = _child(stream, place.at, step)
        if child is None:
            place.missing = tuple(path[depth:])
            break
        place.parents.append(place.at)
        place.key, place.at = child
    _follow(stream, place, shared=shared)
    if not shared:
        _refuse_shared(stream, place)
    return place


def _child(stream: Stream, at: int, step: EditStep) -> tuple[int, int] | None:
    """Return the (key, value) events of one child; the key is -1 in a list."""
    event = stream.events[at]
    if event.__class__ is MappingStartEvent:
        if isinstance(step, ItemSelector):
            raise stream.refuse(f"{format_path([step])} chooses from a list, but a mapping is here", at)
        return _entry(stream, at, str(step))
    if event.__class__ is SequenceStartEvent:
        if isinstance(step, str):
            raise stream.refuse(f"{step!r} is a key, but a list is here", at)
        return _item(stream, at, step)
    return None


def _entry(stream: Stream, at: int, name: str) -> tuple[int, int] | None:
    events, closes = stream.events, stream.after
    entry: tuple[int, int] | None = None
    end = closes(at) - 1
    key = at + 1
    while key < end:
        value = closes(key)
        event = events[key]
        if event.__class__ is ScalarEvent and event.value == name:
            if entry:
                raise stream.refuse(f"the key {name!r} stands twice in one mapping", key)
            entry = (key, value)
        key = closes(value)
    return entry


def _item(stream: Stream, at: int, step: int | ItemSelector) -> tuple[int, int] | None:
    items = stream.children(at)
    if isinstance(step, int):
        return (-1, items[step]) if 0 <= step < len(items) else None
    matches = [item for item in items if _reads(stream, item, step)]
    if len(matches) > 1:
        raise stream.refuse(f"{len(matches)} items of the list match {format_path([step])}", matches[1])
    return (-1, matches[0]) if matches else None


def _reads(stream: Stream, item: int, selector: ItemSelector) -> bool:
    if stream.events[item].__class__ is not MappingStartEvent:
        return False
    entry = _entry(stream, item, selector.name)
    if entry is None:
        return False
    event = stream.events[entry[1]]
    return event.__class__ is ScalarEvent and event.value == selector.equals


def _follow(stream: Stream, place: NodeSpan, *, shared: bool) -> None:
    """Step from an alias to the node it stands for."""
    event = stream.events[place.at]
    if event.__class__ is not AliasEvent:
        return
    if not shared:
        raise stream.refuse(
            f"the value is the alias *{event.anchor}: it is shared with its anchor, which only edit_anchor changes",
            place.at,
        )
    for at in range(place.at - 1, stream.first - 1, -1):
        candidate = stream.events[at]
        if candidate.__class__ is not AliasEvent and getattr(candidate, "anchor", None) == event.anchor:
            place.at = at
            return
    raise stream.refuse(f"the alias *{event.anchor} has no anchor", place.at)


def _refuse_shared(stream: Stream, place: NodeSpan) -> None:
    for at in (*place.parents, place.at):
        anchor = getattr(stream.events[at], "anchor", None)
        if anchor is not None and is_aliased(stream, at, anchor):
            raise stream.refuse(f"the value is under the anchor &{anchor}, which aliases share", at)


def is_aliased(stream: Stream, at: int, anchor: str) -> bool:
    """Return whether an alias further down the document means the anchor on event `at`."""
    for event in stream.events[at + 1 :]:
        if event.__class__ is AliasEvent:
            if event.anchor == anchor:
                return True
        elif getattr(event, "anchor", None) == anchor or event.__class__ is DocumentEndEvent:
            return False
    return False


def _missing(stream: Stream, place: NodeSpan, path: EditPath) -> EditRefused:
    missing = format_path(place.missing[:1])
    reason = f"there is no {missing} at {format_path(path[: len(path) - len(place.missing)]) or 'the root'}"
    if stream.events[place.at].__class__ is MappingStartEvent and _entry(stream, place.at, "<<"):
        reason += "; it may come from the merged mapping (<<), which is another place"
    return PathMissing(reason, line=stream.line(place.at))
