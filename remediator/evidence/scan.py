"""The scan: every input once, in order, into statements, counts and notes."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.evidence.complete import complete
from remediator.evidence.fold import Folder
from remediator.evidence.limits import Limits
from remediator.evidence.lines import split_lines
from remediator.evidence.patterns import Matcher, Pattern
from remediator.evidence.section import Context
from remediator.evidence.sections import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from remediator.domain.incident import Statement
    from remediator.evidence.inputs import Input

__all__ = ["InputReport", "Pattern", "Scan", "Scanner"]


@dataclass(frozen=True, slots=True)
class InputReport:
    """What became of one input."""

    name: str
    lines: int
    bytes: int
    truncated: bool = False
    """Whether lines were cut, windows dropped or the expansion stopped; the scan's notes say which."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything that the inputs say, and what was done to learn it."""

    statements: tuple[Statement, ...]
    """In the order of the inputs and their lines; repetitions folded into `count`, `first_seen`, `last_seen`."""
    inputs: tuple[InputReport, ...] = ()
    hits: dict[str, int] = field(default_factory=dict)
    """Lines that each pattern hits, by its id; patterns without hits are left out."""
    lines: int = 0
    bytes: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    """What a person must know of how far the scan went: cut lines, refused archives, dropped windows."""


class Scanner:
    """Scans inputs for patterns; compiled once, used for any number of scans.

    Raises `ConfigError` for an expression that google-re2 refuses.
    """

    def __init__(self, patterns: Sequence[Pattern] = (), *, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._matcher = Matcher(patterns)

    def scan(self, inputs: Iterable[Input]) -> Scan:
        """Reads every input to its end, in bounded memory."""
        started = time.perf_counter()
        folder, hits, notes = Folder(self.limits.statements), Counter[int](), list[str]()
        reports = [self._one(source, folder, hits, notes) for source in inputs]
        drafts = folder.drafts
        complete(drafts)
        final = Folder(self.limits.statements)
        final.add(drafts)
        if folder.dropped:
            notes.append(f"{folder.dropped} further statements were counted but not kept")
        return Scan(
            statements=tuple(draft.statement() for draft in final.drafts),
            inputs=tuple(reports),
            hits={self._matcher.patterns[index].id: count for index, count in sorted(hits.items())},
            lines=sum(report.lines for report in reports),
            bytes=sum(report.bytes for report in reports),
            seconds=time.perf_counter() - started,
            notes=tuple(notes),
        )

    def _one(self, source: Input, folder: Folder, hits: Counter[int], notes: list[str]) -> InputReport:
        with source.open() as stream:
            data = stream.read()
        text = data.decode("utf-8", "replace")
        lines, cut = split_lines(text, limit=self.limits.line)
        hit_lines = set()
        for line in lines:
            if found := self._matcher.which(line.text):
                hit_lines.add(line.no)
                hits.update(found)
        context = Context(source.name, self.limits, hit_lines, self._matcher.any, notes=notes)
        for draft in read_lines(lines, context):
            draft.source = source.name
            folder.add([draft.settle()])
        if cut:
            notes.append(f"{source.name}: {cut} lines longer than {self.limits.line} characters were cut")
        return InputReport(source.name, len(lines), len(data), truncated=bool(cut))
