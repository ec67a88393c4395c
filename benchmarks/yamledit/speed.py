"""How fast an edit is, proof included, beside its peers and in one run.

    python benchmarks/yamledit/speed.py FOLDER     each YAML file of the folder: one edit of each kind, the peers' parse and round trip
    python benchmarks/yamledit/speed.py            growth only: one text at sizes from 1 KB to 10 MB

Times are of the processor, each file's best of several runs: the machine's other work only ever adds.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from benchmarks.yamledit import peers  # noqa: E402
from remediator import yamledit  # noqa: E402
from remediator.yamledit.events import MappingStartEvent, ScalarEvent, SequenceStartEvent, Stream  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LARGEST = 400_000
REPEATS = 7
ITEM = """\
- name: app-{0}   # the {0}th
  image: "registry.example.com/team/app:v{0}"
  resources:
    limits: {{cpu: 100m, memory: 128Mi}}
    requests:
      cpu: 50m
  args: ['--port=80{0}', --verbose]
  script: |
    echo {0}
    exit 0
"""


def best(call: Callable[[], Any], repeats: int = REPEATS) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def targets(text: bytes) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """One edit of each kind that the text has a place for, in the middle of its first document."""
    stream = Stream(text.decode("utf-8-sig"))
    texts, mappings, lists = [], [], []
    for path, at in _walk(stream, stream.root(0), ()):
        event = stream.events[at]
        if event.__class__ is ScalarEvent and event.implicit[0] and not event.tag and path:
            texts.append(path)
        elif event.__class__ is MappingStartEvent and path and stream.after(at) > at + 2:
            mappings.append(path)
        elif event.__class__ is SequenceStartEvent and stream.after(at) > at + 2:
            lists.append(path)
    if texts:
        path = texts[len(texts) // 2]
        yield "set", lambda: yamledit.set(text, 0, path, "fixed-value", edit_anchor=True)
        yield "delete", lambda: yamledit.delete(text, 0, path)
        yield "ruamel", lambda: peers.round_trip(text, 0, path, "fixed-value")
    if mappings:
        into = mappings[len(mappings) // 2]
        yield "insert", lambda: yamledit.insert(text, 0, (*into, "fixedKey"), "fixed-value")
    if lists:
        onto = lists[len(lists) // 2]
        yield "append", lambda: yamledit.append(text, 0, onto, "fixed-item")


def _walk(stream: Stream, at: int, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    yield path, at
    event = stream.events[at]
    if event.__class__ is SequenceStartEvent:
        for index, item in enumerate(stream.children(at)):
            yield from _walk(stream, item, (*path, index))
    elif event.__class__ is MappingStartEvent:
        for key, value in stream.pairs(at):
            if stream.events[key].__class__ is ScalarEvent:
                yield from _walk(stream, value, (*path, stream.events[key].value))


def compare(folder: Path) -> None:
    """Print a line for each operation: median and total cost in parses of the same file, and megabytes a second."""
    rows: dict[str, list[tuple[float, float, int]]] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix not in {".yaml", ".yml"} or not 0 < file.stat().st_size <= LARGEST:
            continue
        text = file.read_bytes()
        try:
            parse = best(lambda text=text: peers.parse(text))
            for name, call in targets(text):
                repeats = 2 if name == "ruamel" else REPEATS
                try:
                    rows.setdefault(name, []).append((best(call, repeats), parse, len(text)))
                except Exception as error:  # noqa: BLE001  # a peer that fails is left out of its own row
                    print(f"{name} left out: {type(error).__name__} on {file.name}", file=sys.stderr)
        except yamledit.EditRefused as refusal:
            print(f"{file.name} left out: {refusal}", file=sys.stderr)
    slow = rows.get("ruamel", [])
    slow_rate = sum(size for _, _, size in slow) / sum(cost for cost, _, _ in slow) / 1e6
    print(f"{'':10}{'files':>7}{'p50 ms':>9}{'parses, median':>16}{'parses, total':>15}{'MB/s':>8}{'x ruamel':>10}")
    for name, figures in rows.items():
        costs, parses = [cost for cost, _, _ in figures], [parse for _, parse, _ in figures]
        median = statistics.median(cost / parse for cost, parse in zip(costs, parses, strict=True))
        rate = sum(size for _, _, size in figures) / sum(costs) / 1e6
        print(
            f"{name:10}{len(figures):7}{statistics.median(costs) * 1e3:9.3f}{median:16.2f}"
            f"{sum(costs) / sum(parses):15.2f}{rate:8.2f}{rate / slow_rate:10.1f}"
        )


def growth() -> None:
    """Print the cost per kilobyte of each operation on one text at growing sizes: level if the cost is linear."""
    print(
        f"{'bytes':>10}"
        + "".join(f"{name:>10}" for name in ("parse", "set", "insert", "delete", "append"))
        + "   microseconds per KB"
    )
    for size in (1_000, 10_000, 100_000, 1_000_000, 10_000_000):
        text = "".join(ITEM.format(number) for number in range(max(size // len(ITEM), 2))).encode()
        last = max(size // len(ITEM), 2) - 1
        calls: list[Callable[[], Any]] = [
            lambda text=text: peers.parse(text),
            lambda text=text, last=last: yamledit.set(text, 0, [last, "resources", "requests", "cpu"], "75m"),
            lambda text=text, last=last: yamledit.insert(text, 0, [last, "resources", "requests", "memory"], "1Gi"),
            lambda text=text, last=last: yamledit.delete(text, 0, [last, "resources", "limits"]),
            lambda text=text: yamledit.append(text, 0, [], {"name": "new", "image": "x:1"}),
        ]
        repeats = 1 if size >= 10_000_000 else 3 if size >= 1_000_000 else REPEATS
        costs = [best(call, repeats) / len(text) * 1e9 for call in calls]
        print(f"{len(text):10}" + "".join(f"{cost:10.1f}" for cost in costs))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        compare(Path(sys.argv[1]))
    growth()
