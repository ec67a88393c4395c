"""Searches a long input in blocks and keeps windows round what matters; also runs as a process of its own for a part of a file.

Only the standard library and google-re2 are imported, and nothing of this package: `python windows.py` starts in a few
milliseconds, so that a long file is searched by as many processes as there are cores (google-re2 holds the interpreter lock).
"""

from __future__ import annotations

import json
import marshal
import re
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STAMP = r"(?:\d{4}-\d\d-\d\dT[\d:.]+Z )?"
_MARKER = (
    rf"(?m:^{_STAMP}(?:\$ \S|\+ kubectl |##\[group\]Run |Name: +\S|(?:NAMESPACE +)?LAST SEEN +|(?:NAMESPACE +)?NAME +(?:READY|STATUS|TYPE|ENDPOINTS|REFERENCE|CLUSTER)"
    r"|Events:\s*$|CONDITION +MESSAGE|GROUP +KIND|Operation: +Sync|apiVersion: |[{\[]$|Error from server))"
)
"""Lines that open something structured which is worth reading though no pattern hits it."""

_LOG_COMMAND = re.compile(rb"(?:kubectl|oc|k|docker|crictl)\s.*\blogs\s|journalctl|stern\s")
_COMMAND = re.compile(rb"(?:[\dT:.Z-]+ )?(?:\$ |\+ kubectl |##\[group\]Run )")
_ANSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_OVERLAP = 4096
_MARKERS = 2_000
"""Structured pieces kept of one long input."""
_TABLE = 1 << 20
"""Longest table or describe, in bytes, that a marker keeps beyond its lines."""


@dataclass(frozen=True)
class WindowPlan:
    """The search order: what to look for and how much to keep, in plain values for another process."""

    patterns: tuple[str, ...]
    block: int = 8 << 20
    before: int = 25
    after: int = 25
    marker_lines: int = 600
    per_pattern: int = 200
    line: int = 16 << 10
    window_bytes: int = 24 << 20


@dataclass
class Window:
    """Consecutive lines of the input as bytes, the number of the first, and which of them patterns hit."""

    first: int
    text: bytes
    hits: list[int]
    command: bytes = b""
    """The last command line before the window, where one was shown."""


@dataclass
class Tally:
    """The counts of one search."""

    lines: int = 0
    bytes: int = 0
    hits: Counter[int] = field(default_factory=Counter)
    dropped: int = 0
    """Lines with hits that are only counted, since their patterns had windows enough."""
    long_lines: int = 0


@dataclass
class _Open:
    """The window being grown: offsets in the present block, and what an earlier block already gave."""

    start: int
    end: int
    first: int
    hits: list[int]
    command: bytes
    prefix: bytes = b""


class Search:
    """One pass over blocks of bytes; `windows` yields in order, `tally` is complete when it ends."""

    def __init__(self, plan: WindowPlan) -> None:
        import re2

        self.plan, self.tally = plan, Tally()
        options = re2.Options()
        options.max_mem, options.never_nl, options.never_capture, options.log_errors = 64 << 20, True, True, False
        sources: list[Any] = [f"(?m:{pattern})" for pattern in plan.patterns] + [_MARKER]
        if all(source.isascii() for source in sources):
            # Bytes match faster than UTF-8, and through invalid UTF-8 as well; only patterns beyond ASCII need characters.
            options.encoding = re2.Options.Encoding.LATIN1
            sources = [source.encode() for source in sources]
        self._set = re2.Set.SearchSet(options)
        for source in sources:
            self._set.Add(source)
        self._set.Compile()
        self._any = re2.compile((b"|" if isinstance(sources[0], bytes) else "|").join(sources), options)
        self._marker = len(plan.patterns)
        self._windows_of = [0] * (self._marker + 1)
        self._spent: set[int] = set()
        """Patterns that have windows enough; their further hits are only counted."""
        self._last: dict[int, Window | tuple[int, int, int]] = {}
        self._closed = 0
        self._window_bytes = 0
        self._command = b""
        self._open: _Open | None = None

    def windows(self, readinto: Callable[[memoryview], int | None]) -> Iterator[Window]:
        """Yield the windows of everything that `readinto` gives; afterwards the last hit of patterns that had too many."""
        size = self.plan.block
        buffer, carry, long_line = bytearray(size), 0, False
        counted: set[int] = set()
        while True:
            received = readinto(memoryview(buffer)[carry:]) or 0
            self.tally.bytes += received
            full = carry + received
            if not full:
                break
            if not received:
                end = full
            elif long_line:
                end = buffer.find(b"\n", 0, full) + 1
            else:
                end = buffer.rfind(b"\n", 0, full) + 1
            if long_line or (not end and full == size):
                yield from self._long(buffer, end - 1 if end and received else full, counted)
                long_line = bool(received) and not end
                if not long_line:
                    self.tally.lines += 1
                    counted.clear()
                keep = min(_OVERLAP, size // 4, full) if long_line else full - (end if received else full)
            else:
                if end:
                    yield from self._block(buffer, end)
                keep = full - end
            buffer[:keep] = buffer[full - keep : full]
            carry = keep
            if not received:
                break
        yield from self._close(buffer)
        self._settle(buffer)
        self.tally.hits.pop(self._marker, None)
        last = {window.first: window for window in self._last.values() if isinstance(window, Window)}
        yield from (last[first] for first in sorted(last))

    def _block(self, data: bytearray | bytes, end: int) -> Iterator[Window]:
        """Yield the windows of complete lines."""
        if b"\x1b" in data or b"\r" in data:
            data = _ANSI.sub(b"", bytes(data[:end])).replace(b"\r\n", b"\n")
            end = len(data)
        no, counted, at, tally = self.tally.lines + 1, 0, 0, self.tally
        if self._open:
            self._open.start, self._open.end = 0, self._after(data, 0, end, self._missing)
        spent, self._closed = self._spent, 0
        for match in self._any.finditer(data, 0, end):
            place = match.span()
            if place[0] < at:
                continue
            start = data.rfind(b"\n", 0, place[0]) + 1
            stop = data.find(b"\n", place[1], end)
            if stop < 0:
                stop = end
            no += data.count(b"\n", counted, start)
            counted, at = start, stop + 1
            indices = self._set.Match(data[start:stop])
            if not indices:
                continue
            for index in indices:
                tally.hits[index] += 1
            if spent.issuperset(indices):
                tally.dropped += 1
                for index in indices:
                    self._last[index] = (no, max(start, place[0] - 2048), min(stop, place[0] + self.plan.line // 2))
                continue
            yield from self._hit(data, (start, stop, end), place[0], no, indices)
        self._settle(data)
        tally.lines += (
            (no - tally.lines - 1) + data.count(b"\n", counted, end) + (0 if data[end - 1 : end] == b"\n" else 1)
        )
        yield from self._suspend(data, end)

    def _settle(self, data: bytearray | bytes) -> None:
        """Turn the places of last hits into windows before their block is overwritten."""
        for index, place in self._last.items():
            if not isinstance(place, Window):
                no, start, stop = place
                self._last[index] = Window(no, bytes(data[start:stop]), [no], self._command)

    def _hit(
        self, data: bytearray | bytes, span: tuple[int, int, int], at: int, no: int, indices: list[int]
    ) -> Iterator[Window]:
        """Open or widen the window of a line, and mark the patterns that have enough windows as spent."""
        start, stop, end = span
        marked, command = self._marker in indices, b""
        patterns = [index for index in indices if index != self._marker]
        if marked and _COMMAND.match(data, start, stop):
            command = self._command = bytes(data[start : min(stop, start + 1000)])
        for index in indices:
            self._windows_of[index] += 1
            self._last.pop(index, None)
            if self._windows_of[index] >= (_MARKERS if index == self._marker else self.plan.per_pattern):
                self._spent.add(index)
        if self._window_bytes > self.plan.window_bytes:
            self._spent.update(range(self._marker + 1))
        if stop - start > self.plan.line:
            self.tally.long_lines += 1
            yield Window(
                no,
                bytes(data[max(start, at - 2048) : min(stop, at + self.plan.line // 2)]),
                [no] if patterns else [],
                self._command,
            )
            return
        until = (
            self._section(data, start, stop, end)
            if marked and not _LOG_COMMAND.search(command)
            else self._after(data, stop, end, self.plan.after)
        )
        if self._open and start <= self._open.end and self._open.end - self._open.start < _TABLE:
            self._open.end = max(self._open.end, until)
            self._open.hits += [no] if patterns else []
            return
        yield from self._close(data)
        begin, back = self._before(data, start)
        self._open = _Open(begin, until, no - back, [no] if patterns else [], b"" if command else self._command)

    def _before(self, data: bytearray | bytes, start: int) -> tuple[int, int]:
        """Return the start of the lines to keep before a hit, and their number; never inside the window before it."""
        floor = max(start - (64 << 10), self._closed)
        back, begin = 0, start
        while back < self.plan.before and begin > floor:
            begin = data.rfind(b"\n", floor, begin - 1) + 1 or floor
            back += 1
        if begin == floor and floor and data[floor - 1 : floor] != b"\n":
            begin = data.find(b"\n", floor, start) + 1
            back = data.count(b"\n", begin, start)
        return begin, back

    def _after(self, data: bytearray | bytes, stop: int, end: int, lines: int) -> int:
        """Return the end of the line so many lines further on, within 64 KiB; remember how many the block lacks."""
        ceiling, remaining = min(end, stop + (64 << 10)), lines
        while remaining > 0 and stop < ceiling:
            further = data.find(b"\n", stop, ceiling)
            if further < 0:
                break
            stop, remaining = further + 1, remaining - 1
        self._missing = remaining if stop >= end else 0
        return stop

    def _section(self, data: bytearray | bytes, start: int, stop: int, end: int) -> int:
        """Return the end of the structured text that a marker opens: a blank line, or the closing bracket of a document."""
        opening = bytes(data[start:stop]).strip()[-1:]
        if stop - start < 40 and opening in {b"{", b"["}:
            close = data.find(b"\n}" if opening == b"{" else b"\n]", stop, min(end, stop + (4 << 20)))
            return close + 3 if close >= 0 else self._after(data, stop, end, 1)
        blank = data.find(b"\n\n", stop + 1, min(end, stop + _TABLE))
        return blank + 1 if blank >= 0 else self._after(data, stop, end, self.plan.marker_lines)

    def _close(self, data: bytearray | bytes) -> Iterator[Window]:
        if window := self._open:
            text = window.prefix + bytes(data[window.start : window.end])
            self._window_bytes += len(text)
            self._open, self._closed = None, window.end
            yield Window(window.first, text, window.hits, window.command)

    def _suspend(self, data: bytearray | bytes, end: int) -> Iterator[Window]:
        """Keep a window that reaches over the end of its block for the next one; close any other."""
        if self._open and self._open.end >= end and self._missing:
            self._open.prefix += bytes(data[self._open.start : end])
            self._open.start = self._open.end = 0
        else:
            yield from self._close(data)

    _missing = 0

    def _long(self, data: bytearray, end: int, counted: set[int]) -> Iterator[Window]:
        """Yield the hits in a piece of a line longer than a block; each pattern counts once per line."""
        no, at = self.tally.lines + 1, 0
        while len(counted) <= self._marker and (match := self._any.search(data, at, end)) is not None:
            text = bytes(data[max(0, match.start() - 1024) : min(end, match.end() + 1024)])
            new = [index for index in self._set.Match(text) or () if index not in counted]
            counted.update(new)
            patterns = [index for index in new if index != self._marker]
            for index in patterns:
                self.tally.hits[index] += 1
            if patterns:
                self.tally.long_lines += 1
                yield Window(no, text, [no], self._command)
            at = max(match.end() + 1024, at + 1)
            if at >= end:
                break


def main() -> None:
    """Search the range of a file given on standard input, and write the result to standard output in `marshal` form."""
    order = json.loads(sys.stdin.readline())
    search = Search(WindowPlan(**{**order["plan"], "patterns": tuple(order["plan"]["patterns"])}))
    remaining = order["end"] - order["start"]
    with open(order["path"], "rb", buffering=0) as file:  # noqa: PTH123 — pathlib costs start-up time here
        file.seek(order["start"])

        def readinto(view: memoryview) -> int:
            nonlocal remaining
            received = file.readinto(view[: min(len(view), remaining)]) or 0
            remaining -= received
            return received

        windows = [(w.first, w.text, w.hits, w.command) for w in search.windows(readinto)]
    tally = {**asdict(search.tally), "hits": dict(search.tally.hits)}
    sys.stdout.buffer.write(marshal.dumps((windows, tally)))


if __name__ == "__main__":
    main()
