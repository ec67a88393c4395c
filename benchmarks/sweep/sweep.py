"""How long a sweep of many open incidents takes, and what it asks: `python benchmarks/sweep/sweep.py [COUNT]`.

A scheduled run of the action in a process of its own, with stand-ins on loopback that answer each request after 50 ms:
GitHub as forge and store, Argo CD, Kubernetes, Loki and Alertmanager. Each incident is in a namespace and an Application
of its own and spoke in a log, so that nothing is shared and every server is asked. Building the incidents is not
counted, starting Python is. Two runs, the settle time apart: the first look, and the one that finds all of them
recovered.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.servers.http_server import Running, serve  # noqa: E402
from tests.servers.many_incidents import Hub, Servers, hub  # noqa: E402

LATENCY = 0.05
SETTLE = 5
"""Seconds that the policy asks for between two looks."""


def main() -> None:
    """Print a line a sweep."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    policy = f"verification: {{settle: {SETTLE}s}}\n"
    with (
        tempfile.TemporaryDirectory() as folder,
        hub(Path(folder), count, latency=LATENCY, logged=True, policy=policy) as found,
        serve(Servers(found.commit, LATENCY)) as server,
    ):
        for turn in ("first look", "recovered"):
            print(f"{turn:<12} {_sweep(found, server, count)}")
            time.sleep(SETTLE + 1)


def _sweep(found: Hub, server: Running, count: int) -> str:
    del found.server.journal[:], server.asked[:]
    commits, began = found.commits, time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "remediator.action"],
        env=found.environ(server.url), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    took = time.perf_counter() - began
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    asked = Counter(one.path.rsplit("/", 1)[-1] if "app-" not in one.path else "application" for one in server.asked)
    asked += Counter(re.sub(r"\d+", "N", name) for name in found.server.journal)
    each = sum(asked.values()) / count
    kinds = ", ".join(f"{name} {number}" for name, number in asked.most_common())
    return f"{count} incidents in {took:.1f} s, {each:.2f} requests each, {found.commits - commits} commit ({kinds})"


if __name__ == "__main__":
    main()
