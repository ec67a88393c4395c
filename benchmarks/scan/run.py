"""Compares `remediator scan`'s engine with `rg -c` on a generated log: time, peak memory, growth.

python benchmarks/scan/run.py [--megabytes 1000] [--hits 0.001]
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PATTERNS = HERE / "patterns.txt"

CALM = (
    "2026-03-11T08:{:02d}:{:02d}.{:03d}Z INFO  [worker-{}] request served method=GET path=/api/v1/items/{} status=200",
    '{{"level":"info","ts":"2026-03-11T08:{:02d}:{:02d}.{:03d}Z","msg":"reconciled","worker":{},"generation":{}}}',
    '10.244.{}.{} - - [11/Mar/2026:08:21:{:02d} +0000] "GET /healthz HTTP/1.1" 200 {} "-" "kube-probe/1.31" {}',
    'I0311 08:{:02d}:{:02d}.{:03d}201       1 main.go:88] "Health check passed" component="cache-{}" items={}',
)
TROUBLE = (
    "2026-03-11T08:21:04Z ERROR dial tcp 10.96.3.{}:5432: connect: connection refused",
    'E0311 08:21:04.551934 1 reflector.go:158] "Unhandled" err="pods is forbidden: User "a:{}" cannot list resource"',
    "java.lang.OutOfMemoryError: Java heap space {}\n\tat com.acme.Foo.bar(Foo.java:12)",
    "panic: runtime error: invalid memory address {}",
)

PROGRAM = """
import resource, sys
from pathlib import Path
from remediator.evidence import Pattern, Scanner, open_inputs
patterns = [Pattern(str(n), line) for n, line in enumerate(Path(sys.argv[1]).read_text().splitlines())]
scan = Scanner(patterns).scan(open_inputs(sys.argv[2:]))
peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024
print(f"{scan.seconds:.2f} {peak} {scan.lines} {sum(scan.hits.values())} {len(scan.statements)}")
"""


def generate(path: Path, size: int, hits: float) -> None:
    """A log of mixed formats; the same for the same arguments."""
    chosen = random.Random(1)  # noqa: S311 — a log to search, not a secret
    block = []
    for _ in range(200_000):
        line = chosen.choice(TROUBLE if chosen.random() < hits else CALM)
        block.append(line.format(*(chosen.randrange(n) for n in (60, 60, 60, 200, 100_000))))
    text = ("\n".join(block) + "\n").encode()
    with path.open("wb") as out:
        for _ in range(max(1, size // len(text))):
            out.write(text)


def measure(path: Path) -> tuple[float, float, str]:
    """Best of three for both, in the same state of the page cache; seconds of whole processes, and what the scan says."""
    best = {"rg": 1e9, "scan": 1e9}
    said = ""
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(["rg", "-c", "-f", str(PATTERNS), str(path)], check=True, capture_output=True)
        best["rg"] = min(best["rg"], time.perf_counter() - started)
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(PATTERNS), str(path)], check=True, capture_output=True, text=True
        )
        best["scan"], said = min(best["scan"], time.perf_counter() - started), done.stdout.strip()
    return best["rg"], best["scan"], said


def main() -> None:
    """Prints one line per size: half, whole, double."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--hits", type=float, default=0.001, help="share of lines that a pattern hits")
    args = parser.parse_args()
    print("megabytes   rg s   scan s   ratio   (of which: seconds, peak MB of all processes, lines, hits, statements)")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "bench.log"
        for megabytes in (args.megabytes // 2, args.megabytes):
            generate(log, megabytes * 1_000_000, args.hits)
            rg, scan, said = measure(log)
            print(f"{megabytes:9d} {rg:6.2f} {scan:8.2f} {scan / rg:7.2f}   ({said})", flush=True)


if __name__ == "__main__":
    main()
