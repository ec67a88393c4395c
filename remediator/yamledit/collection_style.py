"""Write into one collection of a file as its own children are written, else as the whole file is."""

from __future__ import annotations

from functools import cached_property

from remediator.yamledit import file_style
from remediator.yamledit.events import Event, MappingStartEvent, ScalarEvent, SequenceStartEvent, Stream
from remediator.yamledit.layout import block_column, child_start
from remediator.yamledit.render import CollectionStyle
from remediator.yamledit.text import line_start

_NEAR = 16  # children whose quotes are looked at


class FileStyle(CollectionStyle):
    """The style of the collection at event `at` (-1: of the file); each trait is read when it is needed."""

    def __init__(self, stream: Stream, at: int) -> None:
        self.stream = stream
        self.at = at
        self.children = stream.children(at) if at >= 0 else []
        self.mapping = at >= 0 and stream.events[at].__class__ is MappingStartEvent
        self.flow_style = at >= 0 and bool(stream.events[at].flow_style)

    @cached_property
    def step(self) -> int:
        """Return the indentation of a mapping under a key."""
        return self._own_step(MappingStartEvent) or file_style.map_step(self.stream)

    @cached_property
    def list_step(self) -> int:
        """Return the indentation of a list's dashes under a key."""
        step = self._own_step(SequenceStartEvent)
        return file_style.list_step(self.stream) if step is None else step

    def _own_step(self, kind: Event) -> int | None:
        if not self.mapping or self.flow_style:
            return None
        for value in reversed(self.children[1::2]):
            event: Event = self.stream.events[value]
            if event.__class__ is kind and not event.flow_style:
                return block_column(self.stream, value) - block_column(self.stream, self.at)
        return None

    @property
    def dash_gap(self) -> int:
        """Return the number of blanks behind a dash, as the last item has them."""
        if self.mapping or self.flow_style or not self.children:
            return 1
        text, item = self.stream.text, self.children[-1]
        start, dash = self.stream.start(item), child_start(self.stream, self.at, item)
        same_line = line_start(text, start) == line_start(text, dash)
        return start - dash - 1 if same_line and start > dash + 1 else 1

    @cached_property
    def quote(self) -> str:
        """Return the quotes for a string that needs some."""
        return file_style.usual_quote(self.stream)

    @property
    def key_style(self) -> str:
        """Return the quotes of keys, if all keys beside have them, as in JSON."""
        if not self.mapping:
            return ""
        styles = {getattr(self.stream.events[key], "style", "") for key in self.children[::2]}
        style = styles.pop() if len(styles) == 1 else ""
        return style if style in ("'", '"') else ""

    @property
    def _near(self) -> str | None:
        """Return the quotes of the strings beside."""
        values = self.children[1::2] if self.mapping else self.children
        return file_style.chosen_style([self.stream.events[value] for value in values[-_NEAR:]])

    def style_of(self, key: str) -> str:
        """Return the quotes of a string under `key`, or of a list's item where the key is empty."""
        if key and not self.mapping:
            return self._item_style(key)
        if self._near is not None:
            return self._near
        return file_style.style_under(self.stream, key) if key else ""

    def _item_style(self, key: str) -> str:
        """Return the quotes of strings under `key` in the items beside."""
        values_under_key = []
        for item in self.children[-_NEAR:]:
            if self.stream.events[item].__class__ is MappingStartEvent:
                for name, value in self.stream.pairs(item):
                    event = self.stream.events[name]
                    if event.__class__ is ScalarEvent and event.value == key:
                        values_under_key.append(self.stream.events[value])
        return file_style.chosen_style(values_under_key) or ""
