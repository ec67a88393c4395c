"""Parse a text into libyaml's events, and tell where in the text each node begins and ends.

PyYAML's C *events* are the base because composing fails on unknown tags and loses the places. Marks
count code points, so everything here works on decoded text and goes back to bytes at the very end.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs do not export it

from remediator.yamledit.errors import EditRefused
from remediator.yamledit.text import line_number

BOM = "\ufeff"

# Each class of event has fields of its own, and the fast test for it, `event.__class__ is …`, narrows no type.
Event = Any
AliasEvent: Any = yaml.AliasEvent
DocumentEndEvent: Any = yaml.DocumentEndEvent
DocumentStartEvent: Any = yaml.DocumentStartEvent
MappingEndEvent: Any = yaml.MappingEndEvent
MappingStartEvent: Any = yaml.MappingStartEvent
ScalarEvent: Any = yaml.ScalarEvent
SequenceEndEvent: Any = yaml.SequenceEndEvent
SequenceStartEvent: Any = yaml.SequenceStartEvent


def scan(text: str) -> Iterator[Any]:
    """Yield the events one by one; reading them may raise yaml.YAMLError."""
    return iter(CParser(text).get_event, None)


class WithoutGarbageCollector:
    """A context without the cyclic garbage collector.

    Events hold no cycles, and walking millions of them again and again would make an edit's cost grow
    faster than the text.
    """

    __slots__ = ("_was_on",)

    def __enter__(self) -> None:
        """Disable the collector."""
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *exception: object) -> None:
        """Enable the collector again if it was enabled before."""
        if self._was_on:
            gc.enable()


def refused(summary: str, error: yaml.YAMLError) -> EditRefused:
    """Return a refusal in place of libyaml's error, with the line that does not parse."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "not YAML"
        return EditRefused(f"{summary}: {problem}", line=mark.line + 1 if mark else None)
    return EditRefused(f"{summary}: {str(error).splitlines()[0]}")


class Stream:
    """One YAML text with its events; knows which event closes which collection of one document."""

    __slots__ = ("_closes", "events", "first", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.events: list[Any] = list(scan(text))
        except yaml.YAMLError as error:
            raise refused("does not parse", error) from error
        self.first = 0  # the root of the document that was asked for last
        self._closes: dict[int, int] = {}

    def root(self, document: int) -> int:
        """Return the event that begins the document's root node; documents count from 0 as libyaml does."""
        count = -1
        for at, event in enumerate(self.events):
            if event.__class__ is DocumentStartEvent:
                count += 1
                if count == document:
                    self.first = at + 1
                    self._pair(self.first)
                    return self.first
        raise EditRefused(f"the stream has {count + 1} documents, counted from 0")

    def _pair(self, first: int) -> None:
        """Pair the collection events of one document in one pass, so that skipping a node costs nothing."""
        closes: dict[int, int] = {}
        stack: list[int] = []
        events = self.events
        for at in range(first, len(events)):
            kind = events[at].__class__
            if kind is ScalarEvent:
                continue
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                stack.append(at)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                closes[stack.pop()] = at
            if not stack:
                break
        self._closes = closes

    def after(self, at: int) -> int:
        """Return the event behind the node that begins at `at`."""
        return self._closes.get(at, at) + 1

    def children(self, at: int) -> list[int]:
        """Return the first events of a collection's children: items, or keys and values in turn."""
        closes, end, out = self._closes, self._closes[at], []
        at += 1
        while at < end:
            out.append(at)
            at = closes.get(at, at) + 1
        return out

    def pairs(self, at: int) -> list[tuple[int, int]]:
        """Return the (key, value) events of a mapping."""
        flat = self.children(at)
        return list(zip(flat[::2], flat[1::2], strict=True))

    def start(self, at: int) -> int:
        """Return the place where the node begins, its anchor and tag included."""
        return int(self.events[at].start_mark.index)

    def end(self, at: int) -> int:
        """Return the place where event `at` itself ends."""
        return int(self.events[at].end_mark.index)

    def content_end(self, at: int) -> int:
        """Return the place of the node's last character.

        A block collection's own end mark is of no use for it: it is only the place of the next token.
        """
        events = self.events
        last = self._closes.get(at, at)
        event = events[last]
        while last > at:
            width = event.end_mark.index - event.start_mark.index
            if (event.__class__ in _ENDS and not width) or (
                event.__class__ is ScalarEvent and not width and not self._empty_in_place(event)
            ):
                last -= 1
            else:
                break
            event = events[last]
        if event.__class__ is ScalarEvent and event.style in ("|", ">"):
            return self._block_end(event)
        return int(event.end_mark.index)

    def _empty_in_place(self, event: Event) -> bool:
        return self.text[event.start_mark.index - 1 : event.start_mark.index] in (":", "-", "?")

    def _block_end(self, event: Event) -> int:
        """Return the end of a block scalar without blank lines behind it, which its end mark takes in; only `+` owns them."""
        start, end = event.start_mark.index, event.end_mark.index
        body = event.value.rstrip("\n")
        header = self.text[start : start + 200].split("\n", 1)[0].split("#", 1)[0]
        spaces_last = body and not body[body.rfind("\n") + 1 :].strip(" \t")
        if "+" in header.rpartition(event.style)[2] or spaces_last:
            return int(end)
        return int(start) + len(self.text[start:end].rstrip(" \t\r\n\x85\u2028\u2029"))

    def line(self, at: int) -> int:
        """Return the line of event `at`, counted from 1."""
        return line_number(self.text, self.start(at))

    def refuse(self, reason: str, at: int) -> EditRefused:
        """Return a refusal that names the line of event `at`."""
        return EditRefused(reason, line=self.line(at))


_ENDS = (MappingEndEvent, SequenceEndEvent)
