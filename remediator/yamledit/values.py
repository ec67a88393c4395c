"""Read one node's value out of the events."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict

from remediator.yamledit.events import AliasEvent, ScalarEvent, SequenceStartEvent, Stream
from remediator.yamledit.readers import Value, construct, tag_11

_CORE = "tag:yaml.org,2002:"
_LIMIT = 1_000_000


def read_value(stream: Stream, at: int) -> Value:
    """Return the value at an event, merge keys applied; refuse a value that aliases blow up beyond a million nodes."""
    return _ValueReader(stream).read(at)


class _ValueReader:
    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.budget = _LIMIT
        self.open: set[int] = set()
        self.anchors: dict[str, list[int]] | None = None

    def read(self, at: int) -> Value:
        self.budget -= 1
        if self.budget < 0:
            raise self.stream.refuse("the value's aliases make it too large", at)
        event = self.stream.events[at]
        if event.__class__ is AliasEvent:
            at = self._anchor(at, str(event.anchor))
            event = self.stream.events[at]
        if event.__class__ is ScalarEvent:
            if event.tag is None:
                return construct(tag_11(event.value), event.value) if event.implicit[0] else str(event.value)
            return construct(str(event.tag).removeprefix(_CORE), str(event.value))
        if at in self.open:
            raise self.stream.refuse("the value holds itself", at)
        self.open.add(at)
        value = self._list(at) if event.__class__ is SequenceStartEvent else self._mapping(at)
        self.open.discard(at)
        return value

    def _anchor(self, alias: int, name: str) -> int:
        """Return the node that the name stands for at the alias: the last one before it."""
        if self.anchors is None:
            self.anchors = defaultdict(list)
            for at, event in enumerate(self.stream.events[self.stream.first :], self.stream.first):
                if event.__class__ is not AliasEvent and getattr(event, "anchor", None) is not None:
                    self.anchors[str(event.anchor)].append(at)
        places = self.anchors.get(name, [])
        earlier = bisect_left(places, alias)
        if not earlier:
            raise self.stream.refuse(f"the alias *{name} has no anchor", alias)
        return places[earlier - 1]

    def _list(self, at: int) -> Value:
        return [self.read(item) for item in self.stream.children(at)]

    def _mapping(self, at: int) -> Value:
        merged: dict[str, Value] = {}
        entries: dict[str, Value] = {}
        for key, value in self.stream.pairs(at):
            event = self.stream.events[key]
            if event.__class__ is not ScalarEvent:
                raise self.stream.refuse("a key is not a scalar", key)
            if event.value == "<<" and event.implicit[0]:
                read = self.read(value)
                for source in read if isinstance(read, list) else [read]:
                    if not isinstance(source, dict):
                        raise self.stream.refuse("what is merged is not a mapping", value)
                    merged = {**source, **merged}
            else:
                entries[str(event.value)] = self.read(value)
        return {**merged, **entries}
