"""Random edits of damaged files: right or refused, never wrong, never a crash.

`REMEDIATOR_YAML_CORPUS` names a folder of real YAML files; without it this repository's own are damaged.
`REMEDIATOR_FUZZ_RUNS` says how many edits the slow test makes, `REMEDIATOR_FUZZ_SEED` which ones.
"""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.unit.yamledit.mutants import mutated, trial

ROOT = Path(__file__).resolve().parents[3]
LARGEST = 3000
RUNS = int(os.environ.get("REMEDIATOR_FUZZ_RUNS", "100000"))
SEED = os.environ.get("REMEDIATOR_FUZZ_SEED", "1")


@pytest.fixture(scope="module")
def texts():
    places = os.environ.get("REMEDIATOR_YAML_CORPUS")
    roots = [Path(places)] if places else [ROOT / "policies", ROOT / "deploy", ROOT / "examples"]
    files = sorted(file for root in roots for file in root.rglob("*") if file.suffix in {".yaml", ".yml"})
    return [file.read_bytes().decode(errors="ignore") for file in files if 0 < file.stat().st_size <= LARGEST]


def fuzz(texts, runs):
    """Each run has a generator of its own, so that a failure is repeated by its number."""
    outcomes = Counter()
    for run in range(runs):
        rng = random.Random(f"{SEED}:{run}")
        data = mutated(rng.choice(texts), rng).encode("utf-8", "surrogatepass")
        try:
            outcomes[trial(data, rng)] += 1
        except Exception as error:  # noqa: BLE001  # whatever it is, the run's number is what repeats it
            pytest.fail(f"run {run}: {error!r} on {data!r}")
    return outcomes


def test_a_few_random_edits_are_right_or_refused(texts):
    outcomes = fuzz(texts, 1500)
    assert outcomes["edited"] > 200


@pytest.mark.slow
def test_very_many_random_edits_are_right_or_refused(texts):
    outcomes = fuzz(texts, RUNS)
    print(f"\n{RUNS} random edits: {dict(outcomes)}")  # noqa: T201  # the figure is what one runs this for
    assert outcomes["edited"] > RUNS // 10
