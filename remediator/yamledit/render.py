"""Write new nodes as lines of block style or as one line of flow style, in the file's own style."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from remediator.yamledit.scalars import UNPRINTABLE, plain_is_safe, write_key, write_scalar, write_string

if TYPE_CHECKING:
    from remediator.yamledit.readers import Value


class CollectionStyle:
    """The style of written nodes: indentation, the blanks behind a dash, the quotes. These are the defaults."""

    @cached_property
    def step(self) -> int:
        """Return the indentation of a mapping under a key."""
        return 2

    @cached_property
    def list_step(self) -> int:
        """Return the indentation of a list's dashes under a key."""
        return 2

    @property
    def dash_gap(self) -> int:
        """Return the number of blanks behind a dash."""
        return 1

    @cached_property
    def quote(self) -> str:
        """Return the quotes for a string that needs some."""
        return '"'

    @property
    def key_style(self) -> str:
        """Return the quotes of keys."""
        return ""

    def style_of(self, key: str) -> str:  # noqa: ARG002  # FileStyle decides by the key
        """Return the quotes of a string under `key`, or of a list's item where the key is empty."""
        return ""

    def scalar(self, value: Value, key: str = "", *, flow: bool = False) -> str:
        """Write a scalar under `key` (empty for a list's item)."""
        if not isinstance(value, str):
            return write_scalar(value)
        style = self.style_of(key)
        if not style and plain_is_safe(value, flow=flow):
            return value
        return write_string(value, style=style, flow=flow, quote=style or self.quote)

    def key(self, key: str, *, flow: bool = False) -> str:
        """Write a mapping key."""
        if not self.key_style and plain_is_safe(key, flow=flow):
            return write_key(key, flow=flow)
        return write_key(key, style=self.key_style, flow=flow, quote=self.quote)

    def entry(self, key: str, value: Value) -> list[str]:
        """Return the lines of `key: value`, the first at column 0."""
        head = self.key(key) + ":"
        inline, lines = self._node(value, key)
        if not lines:
            return [f"{head} {inline}"]
        indent = self.list_step if isinstance(value, list) else self.step
        return [f"{head} {inline}" if inline else head, *_indented(lines, indent)]

    def item(self, value: Value) -> list[str]:
        """Return the lines of `- value`, the dash at column 0."""
        inline, lines = self._node(value, "")
        lead = "-" + " " * self.dash_gap
        if inline:
            return [lead + inline, *_indented(lines, len(lead))]
        return [lead + lines[0], *_indented(lines[1:], len(lead))]

    def lines(self, value: Value) -> list[str]:
        """Return the lines of a collection that is not empty."""
        if isinstance(value, dict):
            return [line for key, item in value.items() for line in self.entry(key, item)]
        if isinstance(value, list):
            return [line for item in value for line in self.item(item)]
        return [self.scalar(value)]

    def _node(self, value: Value, key: str) -> tuple[str, list[str]]:
        """Return the text for the line of the key or dash, and the lines under it."""
        if isinstance(value, dict | list):
            return ("", self.lines(value)) if value else (self.flow(value), [])
        if isinstance(value, str) and _fits_literal(value):
            body = value.removesuffix("\n")
            return ("|" if value.endswith("\n") else "|-"), body.split("\n")
        return self.scalar(value, key), []

    def flow(self, value: Value, key: str = "") -> str:
        """Write the value on one line."""
        if isinstance(value, dict):
            return "{" + ", ".join(self.flow_entry(name, item) for name, item in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(self.flow(item, key) for item in value) + "]"
        return self.scalar(value, key, flow=True)

    def flow_entry(self, key: str, value: Value) -> str:
        """Write `key: value` inside braces."""
        return f"{self.key(key, flow=True)}: {self.flow(value, key)}"


def _fits_literal(value: str) -> bool:
    """Return whether `|` can hold these lines without an indentation digit and without blanks that nobody sees."""
    body = value.removesuffix("\n")
    lines = body.split("\n")
    return (
        len(lines) > 1
        and bool(lines[0].strip())
        and not lines[0].startswith((" ", "\t"))
        and bool(lines[-1])
        and not UNPRINTABLE.search(value)
        and all(line == line.rstrip() for line in lines)
    )


def _indented(lines: list[str], by: int) -> list[str]:
    return [" " * by + line if line else "" for line in lines]
