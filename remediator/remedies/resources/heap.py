"""Heaps that are full while the container's memory limit leaves room: the flag that bounds the heap is raised.

A heap is a part of what a container may use; the rest is code, stacks and buffers. Where the limit itself is too small
for a larger heap, both must grow, which a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from remediator.domain import quantities
from remediator.domain.yaml_paths import get
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.views.start_texts import StartText, commands, variables

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_FLAGS = (
    (re.compile(r"(?P<flag>--max[-_]old[-_]space[-_]size[= ])(?P<number>\d+)(?P<unit>)(?![\w.])"), 1 << 20),
    (re.compile(r"(?P<flag>-Xmx)(?P<number>\d+)(?P<unit>[kKmMgG]?)(?![\w.])"), 1),
)
"""V8 counts in mebibytes; Java in bytes with a unit."""
_LEAST_GAIN = Decimal("1.25")


@dataclass(frozen=True)
class HeapFlag:
    """The bound of a heap in a text of the container."""

    text: StartText
    match: re.Match[str]
    scale: int

    @property
    def size(self) -> Decimal:
        """Return the heap in bytes."""
        return Decimal(int(self.match["number"]) * _UNITS[self.match["unit"].lower()] * self.scale)

    def with_size(self, size: Decimal) -> str:
        """Return the text with another heap, in mebibytes."""
        mebibytes = int(size / _UNITS["m"])
        unit = "" if self.scale > 1 else "M" if self.match["unit"].isupper() else "m"
        start, end = self.match.span()
        return f"{self.text.value[:start]}{self.match['flag']}{mebibytes}{unit}{self.text.value[end:]}"


def raise_heap(case: RemedyContext) -> Iterator[Fix]:
    """Raise the only heap flag of the container to the policy's share of its memory limit, where that gives room."""
    share = Decimal(str(case.action.options.get("share", 0.75)))
    evidence = case.signals(*case.action.ends)
    for target, container, path in case.workloads():
        limit = quantities.parse(get(container, ("resources", "limits", "memory")))
        texts = (*commands(target, container, path), *variables(target, container, path))
        flags = [
            HeapFlag(text, match, scale)
            for text in texts
            for form, scale in _FLAGS
            for match in form.finditer(text.value)
        ]
        if limit is None or len(flags) != 1:
            continue
        flag = flags[0]
        size = (limit * share) // _UNITS["m"] * _UNITS["m"]
        if size < flag.size * _LEAST_GAIN:
            continue
        old = flag.match[0]
        new = flag.with_size(size)
        name = str(container.get("name", ""))
        yield Fix(
            title=f"raise the heap of `{name}` from {old} to {quantities.bytes_like(size, '1Mi')}",
            reason=f"The heap of `{name}` is full at {old}, and its memory limit of {quantities.bytes_like(limit)} leaves room; "
            f"this is {share:.0%} of the limit.",
            evidence=case.cite(*evidence),
            wants=(flag.text.want(new),),
            parameters={"container": name, "from": old, "to": quantities.bytes_like(size, "1Mi")},
            score=0.75,
        )
