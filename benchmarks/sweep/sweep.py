"""How long a sweep of many open incidents takes, and how many requests: `python benchmarks/sweep/sweep.py [COUNT]`.

Against a stand-in for Argo CD, Kubernetes and Loki on loopback that answers each request after 50 ms; each incident is
in a namespace and an Application of its own, so that nothing is shared. Building the incidents is not counted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from remediator.commands.sweep import sweep
from tests.outside.many import Servers, repository_with, services
from tests.outside.servers import serve
from tests.repos import git


def main() -> None:
    """Print one line a sweep."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        root, commit = repository_with(Path(folder), count)
        with serve(Servers(commit, 0.05)) as server:
            for turn in ("first", "second"):
                asked, commits = len(server.asked), int(git(root, "rev-list", "--count", "remediator-state"))
                began = time.perf_counter()
                swept = sweep(services(root, server.url))
                took = time.perf_counter() - began
                made = int(git(root, "rev-list", "--count", "remediator-state")) - commits
                each = (len(server.asked) - asked) / count
                print(f"{turn}: {len(swept)} incidents in {took:.1f} s, {each:.2f} requests each, {made} commit")


if __name__ == "__main__":
    main()
