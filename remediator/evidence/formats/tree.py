"""The indented `Key:  value` layout that kubectl describe and argocd print."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.evidence.lines import indent_of
from remediator.evidence.tables import none

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.evidence.lines import Line

_KEYED = re.compile(r"\s*(?P<key>[^:\s](?:[^:]{0,120}[^:\s])?):(?:\s+(?P<value>.*))?$")
_CONTINUED = 12
"""Values of describe continue under their first column, which is further right than any key is nested."""


@dataclass(slots=True)
class ResourceRow:
    """A key with its value and the lines nested below it, read only when asked for."""

    key: str
    value: str
    line: Line
    nested: list[Line] = field(default_factory=list)

    @property
    def nodes(self) -> list[ResourceRow]:
        """Return the keys directly below this one."""
        return nodes(self.nested)

    @property
    def values(self) -> list[str]:
        """Return the value with its continuation lines (labels, tolerations): one each, without "none"."""
        return [text for text in (self.value, *(line.text.strip() for line in self.nested)) if none(text)]

    @property
    def below(self) -> list[str]:
        """Return the nested lines without indentation (arguments, mounts)."""
        return [line.text.strip() for line in self.nested if not line.blank]


def nodes(lines: Sequence[Line]) -> list[ResourceRow]:
    """Return the keys at the least indentation of the lines, in order; deeper lines belong to them."""
    filled = [line for line in lines if not line.blank]
    if not filled:
        return []
    level = indent_of(filled[0].text)
    out: list[ResourceRow] = []
    for line in filled:
        indent = indent_of(line.text)
        if indent > level or not (match := _KEYED.match(line.text)):
            if out:
                out[-1].nested.append(line)
            continue
        if match["key"].startswith("- ") and out and indent == level:
            out[-1].nested.append(line)
            continue
        out.append(ResourceRow(match["key"], (match["value"] or "").strip(), line))
    return out


def find(among: Sequence[ResourceRow], key: str) -> ResourceRow | None:
    """Return the first node of that key, in any case."""
    return next((node for node in among if node.key.lower() == key.lower()), None)


def value(among: Sequence[ResourceRow], key: str) -> str:
    """Return the value of a key, or an empty string."""
    return none(node.value) if (node := find(among, key)) else ""
