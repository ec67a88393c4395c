"""Long inputs: searched in blocks, plain files by several processes at once, only windows are read by the formats."""

from __future__ import annotations

import json
import marshal
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from remediator.evidence.windows import Search, Tally, Window, WindowPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORKER = Path(__file__).with_name("windows.py")
_PART = 96 << 20
"""Bytes that are worth a process of their own: searching them takes longer than starting it."""

_MOST = 4
"""Processes at once; each holds one block and the automaton."""

_LINE_END = 4 << 20


def windows_of_stream(plan: WindowPlan, stream: IO[bytes], head: bytes) -> tuple[Iterator[Window], Tally]:
    """Return the windows of a stream after `head`, which was read already; the tally is complete after the last window."""
    search, remainder = Search(plan), memoryview(head)

    def readinto(view: memoryview) -> int:
        nonlocal remainder
        if remainder:
            size = min(len(remainder), len(view))
            view[:size] = remainder[:size]
            remainder = remainder[size:]
            return size
        return stream.readinto(view) or 0  # type: ignore[attr-defined]

    return search.windows(readinto), search.tally


def parts(path: str) -> list[tuple[int, int]]:
    """Return byte ranges of a file that end with lines, one per process; only one if more are not worth it."""
    size = Path(path).stat().st_size
    count = min(_MOST, os.cpu_count() or 1, size // _PART)
    if count < 2:
        return [(0, size)]
    edges = [0]
    with Path(path).open("rb") as file:
        for index in range(1, count):
            file.seek(size * index // count)
            skipped = file.readline(_LINE_END)
            if not skipped.endswith(b"\n"):
                return [(0, size)]
            edges.append(file.tell())
    return [(start, end) for start, end in zip(edges, [*edges[1:], size], strict=True) if start < end]


def windows_of_file(plan: WindowPlan, path: str, ranges: list[tuple[int, int]]) -> tuple[list[Window], Tally] | None:
    """Return the windows of a file, searched by one process per range; None if such processes cannot be started."""
    from concurrent.futures import ThreadPoolExecutor

    plan = WindowPlan(**{**asdict(plan), "window_bytes": plan.window_bytes // len(ranges)})
    with ThreadPoolExecutor(len(ranges)) as pool:
        answers = list(pool.map(lambda span: _search_part(plan, path, *span), ranges))
    windows: list[Window] = []
    total = Tally()
    for answer in answers:
        if answer is None:
            return None
        raw_windows, tally = answer
        windows += [
            Window(first + total.lines, text, [no + total.lines for no in hits], command)
            for first, text, hits, command in raw_windows
        ]
        for index, count in tally["hits"].items():
            total.hits[index] += count
        total.lines += tally["lines"]
        total.bytes += tally["bytes"]
        total.dropped += tally["dropped"]
        total.long_lines += tally["long_lines"]
    command = b""
    for window in windows:
        window.command = command = window.command or command
    return windows, total


def _search_part(
    plan: WindowPlan, path: str, start: int, end: int
) -> tuple[list[tuple[int, bytes, list[int], bytes]], Any] | None:
    import subprocess

    order = json.dumps({"plan": asdict(plan), "path": path, "start": start, "end": end}) + "\n"
    try:
        process = subprocess.run(
            [sys.executable, "-I", str(_WORKER)], input=order.encode(), capture_output=True, check=True
        )
        return marshal.loads(process.stdout)  # type: ignore[no-any-return]  # noqa: S302 — our own process wrote it
    except (OSError, subprocess.CalledProcessError, ValueError, EOFError, TypeError):
        return None
