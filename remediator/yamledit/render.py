"""New nodes as lines of block style or as one line of flow style, in the file's own hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.yamledit.scalars import UNPRINTABLE, write_key, write_scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.yamledit.readers import Value


@dataclass(slots=True)
class Hand:
    """How to write: steps of indentation, the quotes to fall back on, the quotes of strings under a key."""

    step: int = 2
    list_step: int = 2
    dash_gap: int = 1
    quote: str = '"'
    style_of: Callable[[str], str] = field(default=lambda _key: "")
    key_style: str = ""

    def scalar(self, value: Value, key: str = "", *, flow: bool = False) -> str:
        """A scalar under `key` (empty for a list's item)."""
        style = self.style_of(key)
        return write_scalar(value, style=style if style in ("'", '"') else "", flow=flow, quote=self.quote)

    def key(self, key: str, *, flow: bool = False) -> str:
        """A mapping key."""
        return write_key(key, style=self.key_style, flow=flow, quote=self.quote)

    def entry(self, key: str, value: Value) -> list[str]:
        """The lines of `key: value`, the first at column 0."""
        head = self.key(key) + ":"
        inline, lines = self._node(value, key)
        indent = self.list_step if isinstance(value, list) else self.step
        return [f"{head} {inline}" if inline else head, *_indented(lines, indent)]

    def item(self, value: Value) -> list[str]:
        """The lines of `- value`, the dash at column 0."""
        inline, lines = self._node(value, "")
        lead = "-" + " " * self.dash_gap
        if inline:
            return [lead + inline, *_indented(lines, self.step)]
        return [lead + lines[0], *_indented(lines[1:], len(lead))]

    def lines(self, value: Value) -> list[str]:
        """The lines of a collection that is not empty."""
        if isinstance(value, dict):
            return [line for key, item in value.items() for line in self.entry(key, item)]
        if isinstance(value, list):
            return [line for item in value for line in self.item(item)]
        return [self.scalar(value)]

    def _node(self, value: Value, key: str) -> tuple[str, list[str]]:
        """What goes on the line of the key or dash, and the lines under it."""
        if isinstance(value, dict | list):
            return ("", self.lines(value)) if value else (self.flow(value), [])
        if isinstance(value, str) and _fits_literal(value):
            body = value.removesuffix("\n")
            return ("|" if value.endswith("\n") else "|-"), body.split("\n")
        return self.scalar(value, key), []

    def flow(self, value: Value, key: str = "") -> str:
        """The value on one line."""
        if isinstance(value, dict):
            return "{" + ", ".join(self.flow_entry(name, item) for name, item in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(self.flow(item, key) for item in value) + "]"
        return self.scalar(value, key, flow=True)

    def flow_entry(self, key: str, value: Value) -> str:
        """`key: value` inside braces."""
        return f"{self.key(key, flow=True)}: {self.flow(value, key)}"


def _fits_literal(value: str) -> bool:
    """Several lines that `|` says without an indentation digit and without blanks that nobody sees."""
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
