"""The scan: every input once, in order, into statements, counts and notes."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.evidence import long_inputs
from remediator.evidence.command import command_of
from remediator.evidence.complete import complete
from remediator.evidence.contain import contained
from remediator.evidence.deduplicate import Deduplicator
from remediator.evidence.file_names import subject_of_file
from remediator.evidence.formats import documents
from remediator.evidence.formats.finder import ItemCounter
from remediator.evidence.limits import ScanLimits
from remediator.evidence.lines import split_lines
from remediator.evidence.patterns import Pattern, PatternMatcher
from remediator.evidence.section import NO_COMMAND, Context, Section
from remediator.evidence.sections import read_lines
from remediator.evidence.windows import WindowPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from remediator.domain.incident import Statement
    from remediator.evidence.draft import Draft
    from remediator.evidence.inputs import Input
    from remediator.evidence.windows import Tally, Window

_MOST_TEXT = 48_000
"""Characters of the inputs' own words that are kept."""

__all__ = ["InputReport", "Pattern", "Scan", "Scanner"]


@dataclass(frozen=True, slots=True)
class InputReport:
    """The result of reading one input."""

    name: str
    lines: int
    bytes: int
    truncated: bool = False
    """True if lines were cut, hits only counted, or the expansion stopped; the scan's notes say which."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything that the inputs say, and how much was read."""

    statements: tuple[Statement, ...]
    """The statements in the order of the inputs and their lines; repetitions are in `count`, `first_seen`, `last_seen`."""
    inputs: tuple[InputReport, ...] = ()
    hits: dict[str, int] = field(default_factory=dict)
    """Lines that each pattern hits, by its id; patterns without hits are left out."""
    lines: int = 0
    bytes: int = 0
    seconds: float = 0.0
    texts: tuple[str, ...] = ()
    """The inputs' own words, not redacted: short ones as a whole, of long ones the windows round hits; bounded."""
    notes: tuple[str, ...] = ()
    """The limits that the scan reached, for a person: cut lines, refused archives, hits only counted."""


class Scanner:
    """Scans inputs for patterns; compiled once, used for any number of scans.

    Raises `ConfigError` for an expression that google-re2 refuses.
    """

    def __init__(self, patterns: Sequence[Pattern] = (), *, limits: ScanLimits | None = None) -> None:
        self.limits = limits or ScanLimits()
        self._matcher = PatternMatcher(patterns)

    def scan(self, inputs: Iterable[Input]) -> Scan:
        """Read every input to its end, in bounded memory."""
        started = time.perf_counter()
        run = _ScanRun(self._matcher, self.limits)
        reports = [run.read(source) for source in inputs]
        return Scan(
            statements=run.statements(),
            inputs=tuple(reports),
            hits={self._matcher.patterns[index].id: count for index, count in sorted(run.hits.items())},
            lines=sum(report.lines for report in reports),
            bytes=sum(report.bytes for report in reports),
            seconds=time.perf_counter() - started,
            texts=tuple(run.texts),
            notes=tuple(run.notes),
        )


class _ScanRun:
    """The state of one running scan."""

    def __init__(self, matcher: PatternMatcher, limits: ScanLimits) -> None:
        self._matcher, self._limits = matcher, limits
        self._folder = Deduplicator(limits.statements)
        self.hits = Counter[int]()
        self.notes: list[str] = []
        self.texts: list[str] = []
        self._text_left = _MOST_TEXT

    def statements(self) -> tuple[Statement, ...]:
        """Return the statements, completed across all inputs and deduplicated again, since completion makes some equal."""
        drafts = self._folder.drafts
        complete(drafts)
        final = Deduplicator(self._limits.statements)
        final.add(drafts)
        if self._folder.dropped:
            self.notes.append(f"{self._folder.dropped} further statements were not kept")
        return tuple(draft.statement() for draft in final.drafts)

    def read(self, source: Input) -> InputReport:
        """Read one input: as a whole if it is short, else by windows."""
        noted = len(self.notes)
        if source.document is not None:
            counted: tuple[int, int] | None = self._document(source)
        elif source.path and (ranges := long_inputs.parts(source.path)) and len(ranges) > 1:
            counted = self._in_parts(source, ranges)
        else:
            counted = None
        if counted is None:
            with source.open(self._limits) as stream:
                head = stream.read(self._limits.whole_bytes + 1)
                counted = self._whole(source, head) if self._is_short(head) else self._stream(source, stream, head)
        self.notes += source.notes
        return InputReport(source.name, *counted, truncated=len(self.notes) > noted)

    def _is_short(self, head: bytes) -> bool:
        return len(head) <= self._limits.whole_bytes and head.count(b"\n") <= self._limits.whole_lines

    def _context(self, source: Input, *, sparse: bool = False) -> Context:
        return Context(
            source.name,
            self._limits,
            notes=self.notes,
            sparse=sparse,
            owner=subject_of_file(source.name),
        )

    def _keep(self, source: Input, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            draft.source = source.name
            self._folder.add((draft.settle(),))

    def _keep_text(self, name: str, text: str) -> None:
        """Keep an input's words as far as the bound allows."""
        kept = text[: self._text_left]
        self._text_left -= len(kept)
        if kept:
            self.texts.append(f"--- {name}\n{kept}")

    def _whole(self, source: Input, data: bytes) -> tuple[int, int]:
        lines, cut = split_lines(data.decode("utf-8", "replace"), limit=self._limits.line)
        self._keep_text(source.name.rpartition("/")[2], data[: 4 * _MOST_TEXT].decode("utf-8", "replace"))
        context, hit_lines = self._context(source), set[int]()
        for line in lines:
            if indices := self._matcher.matching(line.text):
                hit_lines.add(line.no)
                self.hits.update(indices)
        context.hit_lines = hit_lines
        self._keep(source, read_lines(lines, context))
        if cut:
            self.notes.append(f"{source.name}: {cut} lines longer than {self._limits.line} characters were cut")
        return len(lines), len(data)

    def _document(self, source: Input) -> tuple[int, int]:
        """Read parsed JSON; its statements cite the number of an item, since it has no lines."""
        counter = ItemCounter()
        context = self._context(source)
        read = documents.value(source.document, Section([], context, no=1), counter)
        drafts = list(contained(read, context, 0, "the answer"))
        for draft in drafts:
            draft.text = draft.text[: self._limits.line]
            self.hits.update(self._matcher.matching(draft.text))
        self._keep(source, drafts)
        return counter.count, 0

    def _plan(self) -> WindowPlan:
        limits = self._limits
        return WindowPlan(
            self._matcher.sources, limits.block, limits.window_before, limits.window_after, limits.marker_lines, limits.per_pattern,
            limits.line, limits.window_bytes,
        )  # fmt: skip

    def _in_parts(self, source: Input, ranges: list[tuple[int, int]]) -> tuple[int, int] | None:
        result = long_inputs.windows_of_file(self._plan(), source.path, ranges)
        return None if result is None else self._windows(source, *result)

    def _stream(self, source: Input, stream: object, head: bytes) -> tuple[int, int]:
        return self._windows(source, *long_inputs.windows_of_stream(self._plan(), stream, head))  # type: ignore[arg-type]

    def _windows(self, source: Input, windows: Iterable[Window], tally: Tally) -> tuple[int, int]:
        context = self._context(source, sparse=True)
        for window in windows:
            text = window.text.decode("utf-8", "replace")
            self._keep_text(f"{source.name.rpartition('/')[2]} from line {window.first}", text)
            lines, _ = split_lines(text, first=window.first, limit=self._limits.line)
            context.hit_lines = frozenset(window.hits)
            command = command_of(window.command.decode("utf-8", "replace")) if window.command else None
            self._keep(source, read_lines(lines, context, command or NO_COMMAND))
        self.hits.update(tally.hits)
        if tally.dropped:
            self.notes.append(f"{source.name}: {tally.dropped} further lines with hits were counted, not kept")
        if tally.long_lines:
            self.notes.append(
                f"{source.name}: {tally.long_lines} hits stand in lines longer than {self._limits.line} bytes, of which only their surroundings were kept"
            )
        return tally.lines, tally.bytes
