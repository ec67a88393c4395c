"""Read the habits of a file's author: indentation, quotes, the order of keys. An insertion follows them.

Each habit is one lean pass over the events, made only when an edit asks for it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from remediator.yamledit.events import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Stream,
)
from remediator.yamledit.scalars import plain_is_safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.yamledit.events import Event

_QUOTES = ("'", '"')
_SORTED_FROM = 4  # fewer keys are in alphabetical order by accident
_MAPPINGS = 64  # as many others of its kind are asked where a key goes
_REACH = 400  # events that one of them is read for


def map_step(stream: Stream) -> int:
    """Return how much deeper most mappings' keys stand than the key above them."""
    events = stream.events
    steps = Counter(
        events[at + 1].start_mark.column - events[at - 1].start_mark.column
        for at, event in enumerate(events)
        if event.__class__ is MappingStartEvent and not event.flow_style and events[at - 1].__class__ is ScalarEvent
    )
    return _most(Counter({step: count for step, count in steps.items() if step > 0}), 2)


def list_step(stream: Stream) -> int:
    """Return how much deeper most lists' dashes stand than the key above them; as mappings do where there is no list."""
    events = stream.events
    steps = Counter(
        event.start_mark.column - events[at - 1].start_mark.column
        for at, event in enumerate(events)
        if event.__class__ is SequenceStartEvent
        and not event.flow_style
        and event.anchor is None
        and events[at - 1].__class__ is ScalarEvent
    )
    steps = Counter({step: count for step, count in steps.items() if step >= 0})
    return _most(steps, 0) if steps else map_step(stream)


def usual_quote(stream: Stream) -> str:
    """Return the quotes that the stream's scalars have most."""
    styles = Counter(event.style for event in stream.events if event.__class__ is ScalarEvent)
    return "'" if styles["'"] > styles['"'] else '"'


def chosen_style(events: Sequence[Event]) -> str | None:
    """Return the style that all strings among these scalars have by choice; None if they differ or had no choice.

    A string that must be quoted tells nothing of its author's taste.
    """
    styles = set()
    for event in events:
        if event.__class__ is not ScalarEvent:
            continue
        if event.style in _QUOTES and plain_is_safe(event.value, flow=False):
            styles.add(event.style)
        elif not event.style and event.implicit[0] and plain_is_safe(event.value, flow=False):
            styles.add("")
    return styles.pop() if len(styles) == 1 else None


def style_under(stream: Stream, key: str) -> str:
    """Return the quotes that all strings under this key have by choice, anywhere in the stream."""
    if key not in stream.text:
        return ""
    return chosen_style([stream.events[at + 1] for at in _keys_named(stream, key)]) or ""


def place_among(stream: Stream, name: str | None, keys: Sequence[str], new: str) -> int:
    """Return the index among `keys` before which a new one goes.

    It goes as in other mappings of the stream that stand under the same key `name` (None: in a list), else by
    the alphabet if the keys keep to it, else last.
    """
    if new in stream.text:
        votes = Counter(_vote(order, keys, new) for order in _orders(stream, name, new))
        votes.pop(-1, None)
        if votes:
            return votes.most_common(1)[0][0]
    if len(keys) >= _SORTED_FROM and name != "" and list(keys) == sorted(keys):
        return sum(key < new for key in keys)
    return len(keys)


def _vote(order: Sequence[str], keys: Sequence[str], new: str) -> int:
    """Return the index that an `order` with the new key gives it among `keys`; -1 if they share nothing."""
    at = order.index(new)
    for previous in reversed(order[:at]):
        if previous in keys:
            return keys.index(previous) + 1
    return next((keys.index(following) for following in order[at + 1 :] if following in keys), -1)


def _keys_named(stream: Stream, key: str) -> list[int]:
    """Return the events of this key, wherever it is one: a colon follows."""
    text = stream.text
    return [
        at
        for at, event in enumerate(stream.events)
        if event.__class__ is ScalarEvent and event.value == key and text.startswith(":", event.end_mark.index)
    ]


def _orders(stream: Stream, name: str | None, key: str) -> Iterator[list[str]]:
    """Yield the keys, in order, of other mappings that hold `key` and stand under `name`."""
    events = stream.events
    for at in _keys_named(stream, key)[:_MAPPINGS]:
        start = _opening(stream, at)
        if start is None:
            continue
        above = events[start - 1]
        under = above.value if above.__class__ is ScalarEvent and _is_key(stream, start - 1) else None
        if name in ("", under):
            yield _keys_from(stream, start)


def _is_key(stream: Stream, at: int) -> bool:
    return stream.text.startswith(":", stream.end(at))


def _opening(stream: Stream, at: int) -> int | None:
    """Return the event that opens the collection round `at`; None if it is too far away."""
    depth = 0
    for back in range(at - 1, max(at - _REACH, 0), -1):
        kind = stream.events[back].__class__
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            depth += 1
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if not depth:
                return back
            depth -= 1
    return None


def _keys_from(stream: Stream, start: int) -> list[str]:
    """Return the keys of the mapping that opens at `start`, as far as the reach goes."""
    keys, depth, is_key = [], 0, True
    for event in stream.events[start + 1 : start + _REACH]:
        kind = event.__class__
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            depth += 1
            continue
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            depth -= 1
            if depth < 0:
                break
        if not depth:
            if is_key and kind is ScalarEvent:
                keys.append(event.value)
            is_key = not is_key
    return keys


def _most(counts: Counter[int], default: int) -> int:
    return counts.most_common(1)[0][0] if counts else default
