"""Tables as kubectl and argocd print them: columns aligned with spaces under capital headers."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER_CELL = re.compile(r"[^\s](?:[^\s]| (?! ))*")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table by the places where their headers start."""

    names: tuple[str, ...]
    starts: tuple[int, ...]

    def cells(self, row: str) -> dict[str, str]:
        """Return the row's cells by header; the last column takes all remaining text.

        Cut where the headers start, unless a cell runs over such a place (hand-made or re-wrapped tables): then by runs of
        two or more spaces, which only works where no cell is empty.
        """
        row = row.expandtabs(8)
        last = len(self.starts) - 1
        aligned = all(start >= len(row) or row[start - 1] == " " for start in self.starts[1:])
        if aligned:
            ends = (*self.starts[1:], None)
            values = [row[start:end].strip() for start, end in zip(self.starts, ends, strict=True)]
        else:
            values = re.split(r" {2,}", row.strip(), maxsplit=last)
            if len(values) <= last:
                values = row.split(None, last)
        return {name: value.strip() for name, value in zip(self.names, values, strict=False)}


def columns(header: str) -> Columns:
    """Return the columns that a header line declares: names are separated by two spaces, since some hold one (`LAST SEEN`)."""
    header = header.expandtabs(8)
    headers = list(_HEADER_CELL.finditer(header))
    return Columns(tuple(m.group() for m in headers), tuple(m.start() for m in headers))


def snake(header: str) -> str:
    """Return a column or field name as a fact's name: `UP-TO-DATE` is `up_to_date`, `PORT(S)` is `ports`, `OS` is `os`."""
    return re.sub(r"[^a-z0-9]+", "_", header.lower().replace("(s)", "s")).strip("_")


def none(value: str) -> str:
    """Return the cell, or an empty string if kubectl prints a placeholder for nothing."""
    return "" if value in {"<none>", "<unset>", "<unknown>", "<nil>", "None", "n/a"} else value
