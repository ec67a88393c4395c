"""Hold the verdict on recovery against the truth: `python benchmarks/verdict/simulate.py [LIVES] [--seed N] [--json FILE]`.

Each life is drawn at random: how often the fault occurs, whether the change ends it, when it arrives, what watches it,
which collector or Prometheus dies, how far apart the looks are. The verifiers and the node are the real ones; the servers
answer as their own APIs do. False success must be 0.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.lives.looking import figures, look  # noqa: E402


def main() -> int:
    """Print the figures; exit 1 where a recovery was claimed that was none."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lives", nargs="?", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first life")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        verdicts = list(pool.map(look, range(options.seed, options.seed + options.lives), chunksize=50))
    told = figures(verdicts)
    by_seed = {verdict.seed: verdict for verdict in verdicts}
    for name in ("false_success", "false_failure"):
        for seed in told[name][:20]:
            sys.stdout.write(f"{name} {seed}: {by_seed[seed].outcome}, {by_seed[seed].words}\n")
    sys.stdout.write(
        json.dumps(
            {**told, "false_success": len(told["false_success"]), "false_failure": len(told["false_failure"])}, indent=1
        )
        + "\n"
    )
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 1 if told["false_success"] else 0


if __name__ == "__main__":
    sys.exit(main())
