"""JSON that ends early, as where a webhook's body or a terminal's answer was cut: the members of it that are whole."""

from __future__ import annotations

import json
import re
from typing import Any

_TOKEN = re.compile(
    r'\s*(?:(?P<mark>[{}\[\],:])|(?P<scalar>"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"{}\[\],:]+(?=[\s,}\]])))', re.DOTALL
)
_DEEPEST = 200


class _OpenDocument:
    """The containers that are open, the innermost last, each with the key that waits for its value."""

    def __init__(self) -> None:
        self.open: list[tuple[dict[str, Any] | list[Any], list[str]]] = []
        self.root: Any = None

    def value(self, value: Any) -> bool:
        """Add a value to the innermost container; False where it cannot stand there."""
        if not self.open:
            self.root = value
            return False  # nothing follows the outermost value
        container, keys = self.open[-1]
        if isinstance(container, list):
            container.append(value)
        elif keys:
            container[keys.pop()] = value
        elif isinstance(value, str):
            keys.append(value)
        else:
            return False
        return True

    def mark(self, mark: str) -> bool:
        """Open or close a container; False where that is no JSON."""
        if mark in "{[":
            self.open.append(({} if mark == "{" else [], []))
            return len(self.open) <= _DEEPEST
        if mark in "}]":
            if not self.open or isinstance(self.open[-1][0], dict) is not (mark == "}"):
                return False
            return self.value(self.open.pop()[0])
        return bool(self.open)


def whole_part(text: str) -> Any:
    """Return the document with its whole members; None where the text is not the beginning of one, or is not cut.

    A map of mere scalars that is cut is left out, as the missing ones may be those by which it is known.
    """
    builder, at = _OpenDocument(), 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        mark, scalar = match["mark"], match["scalar"]
        if not (builder.mark(mark) if mark else builder.value(_scalar(scalar))):
            return None
    remainder = text[at:].strip()
    if not builder.open or (remainder and not (remainder[0] == '"' or re.fullmatch(r"[\w.+-]+", remainder))):
        return None
    innermost = builder.open.pop()[0]
    is_flat = isinstance(innermost, dict) and not any(isinstance(item, dict | list) for item in innermost.values())
    if not builder.open:
        return innermost
    if not is_flat:
        builder.value(innermost)
    while len(builder.open) > 1:
        builder.value(builder.open.pop()[0])
    return builder.open[0][0]


def _scalar(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return text
