"""Score incident cases without a model and with models that misbehave, side by side; none may lower a score.

  python benchmarks/model/cases.py RUNNER CASES [--command 'remediator run'] [--models none,lies,…]

RUNNER is a script that takes CASES and --command, and ends with one line of `name=figure` pairs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.model.hostile_model import malicious
from tests.model.model_server import Model, garbage, hangs, lies, nonsense, refuses

MODELS = {
    "none": None,
    "nonsense": nonsense,
    "garbage": garbage,
    "refuses": refuses,
    "hangs": hangs,
    "lies": lies,
    "malicious": malicious,
}


def main() -> int:
    """One line a model; 1 where a figure is worse than without one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runner")
    parser.add_argument("cases")
    parser.add_argument("--command", default="remediator run")
    parser.add_argument("--models", default=",".join(MODELS), help="some of them, `none` first")
    args = parser.parse_args()
    figures: dict[str, str] = {}
    for name in args.models.split(","):
        behaviour = MODELS[name]
        if behaviour is None:
            figures[name] = scored(args, "env REMEDIATOR_NO_LLM=true")
        else:
            with Model(behaviour) as server:
                env = f"env OPENAI_MODEL=m OPENAI_API_KEY=sk-fake OPENAI_BASE_URL={server.url} REMEDIATOR_LLM_TIMEOUT=1"
                figures[name] = f"{scored(args, env)}  asked={len(server.bodies)}"
        print(f"{name:10} {figures[name]}", flush=True)
    kept = {name: _comparable(line) for name, line in figures.items()}
    return int(any(line != kept["none"] for line in kept.values()))


def scored(args: argparse.Namespace, env: str) -> str:
    """The runner's last line."""
    command = [sys.executable, args.runner, args.cases, "--command", f"{env} {args.command}", "--timeout", "60"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout.strip().splitlines() or [done.stderr.strip()[-200:]])[-1]


def _comparable(line: str) -> list[str]:
    return [word for word in line.split() if not word.startswith(("median_seconds", "asked"))]


if __name__ == "__main__":
    sys.exit(main())
