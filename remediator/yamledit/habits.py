"""What a file's author does: indentation, quotes, the order of keys. An insertion does likewise."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.yamledit.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Stream,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_SORTED_FROM = 4


@dataclass(slots=True)
class Habits:
    """Counts over a whole stream. A mapping's name is the key it stands under, with `[]` behind for a list's items."""

    map_steps: Counter[int] = field(default_factory=Counter)
    list_steps: Counter[int] = field(default_factory=Counter)
    quotes: Counter[str] = field(default_factory=Counter)
    styles: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    orders: dict[str, list[list[str]]] = field(default_factory=lambda: defaultdict(list))

    def map_step(self) -> int:
        """How much deeper a mapping's keys stand than the key above them."""
        return _most(self.map_steps, 2)

    def list_step(self) -> int:
        """How much deeper a list's dashes stand than the key above them."""
        return _most(self.list_steps, self.map_step())

    def quote(self) -> str:
        """The quotes used most."""
        return "'" if self.quotes["'"] > self.quotes['"'] else '"'

    def style(self, key: str) -> str:
        """The quotes that every scalar under this key has, or none."""
        seen = self.styles.get(key, set())
        return next(iter(seen)) if len(seen) == 1 else ""

    def place(self, name: str, keys: Sequence[str], new: str) -> int:
        """Before which of `keys` a new one goes: as in mappings of the same name, else by the alphabet if `keys` do, else last."""
        votes = Counter(_vote(order, keys, new) for order in self.orders.get(name, ()) if new in order)
        votes.pop(-1, None)
        if votes:
            return votes.most_common(1)[0][0]
        if len(keys) >= _SORTED_FROM and name and list(keys) == sorted(keys):
            return sum(key < new for key in keys)
        return len(keys)


def _vote(order: Sequence[str], keys: Sequence[str], new: str) -> int:
    """Where an `order` that has the new key would put it among `keys`; -1 if they share nothing."""
    at = order.index(new)
    for before in reversed(order[:at]):
        if before in keys:
            return keys.index(before) + 1
    return next((keys.index(after) for after in order[at + 1 :] if after in keys), -1)


def _most(counts: Counter[int], default: int) -> int:
    return counts.most_common(1)[0][0] if counts else default


def usual_quote(stream: Stream) -> str:
    """The quotes that the stream's scalars have most."""
    styles = Counter(event.style for event in stream.events if event.__class__ is ScalarEvent)
    return "'" if styles["'"] > styles['"'] else '"'


def survey(stream: Stream) -> Habits:
    """Read the habits in one pass over the events."""
    surveyor = _Surveyor()
    for event in stream.events:
        kind = event.__class__
        if kind is ScalarEvent:
            surveyor.scalar(event)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            surveyor.opened(event, mapping=kind is MappingStartEvent)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            surveyor.closed()
        elif kind is AliasEvent:
            surveyor.taken()
    return surveyor.habits


@dataclass(slots=True)
class _Frame:
    """A collection not yet closed."""

    mapping: bool
    name: str
    above: int = -1
    column: int = -1
    key: str = ""
    awaits_key: bool = True
    keys: list[str] = field(default_factory=list)


class _Surveyor:
    def __init__(self) -> None:
        self.habits = Habits()
        self.stack: list[_Frame] = []

    def scalar(self, event: Event) -> None:
        if self.stack:
            frame = self.stack[-1]
            if frame.mapping and frame.awaits_key:
                if frame.column < 0:
                    frame.column = event.start_mark.column
                    if frame.above >= 0:
                        self.habits.map_steps[frame.column - frame.above] += 1
                frame.key = event.value
                frame.keys.append(event.value)
            else:
                self._style(frame, event)
        self.taken()

    def _style(self, frame: _Frame, event: Event) -> None:
        style = event.style or ""
        if style and style in "'\"":
            self.habits.quotes[style] += 1
        if frame.mapping and event.value:
            self.habits.styles[frame.key].add(style)

    def opened(self, event: Event, *, mapping: bool) -> None:
        frame = _Frame(mapping, "")
        if self.stack:
            outer = self.stack[-1]
            frame.name = outer.key if outer.mapping else f"{outer.name}[]"
            if outer.mapping and not outer.awaits_key and not event.flow_style:
                frame.above = outer.column
        if not mapping and event.anchor is None and event.tag is None and frame.above >= 0:
            self.habits.list_steps[event.start_mark.column - frame.above] += 1
        self.stack.append(frame)

    def closed(self) -> None:
        frame = self.stack.pop()
        if frame.mapping:
            self.habits.orders[frame.name].append(frame.keys)
        self.taken()

    def taken(self) -> None:
        """One child of the innermost collection is complete."""
        if self.stack and self.stack[-1].mapping:
            self.stack[-1].awaits_key = not self.stack[-1].awaits_key
