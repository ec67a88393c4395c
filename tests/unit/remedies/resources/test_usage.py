"""Usage that a metrics server tells goes into the reason and the number of a limit."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from remediator.settings import Settings
from remediator.wiring import Services
from tests.git_repositories import repository

ROOT = Path(__file__).resolve().parents[4]
GITOPS = ROOT / "examples" / "gitops"
LOG = ROOT / "examples" / "incidents" / "oom.txt"
MI = 2**20


def metrics(*megabytes: int) -> str:
    labels = {
        "__name__": "memory_working_set_bytes",
        "namespace": "shop-production",
        "pod": "checkout-7c9d8b6f5d-4xk2p",
        "container": "checkout",
    }
    values = [[1772607600 + 60 * at, str(amount * MI)] for at, amount in enumerate(megabytes)]
    result = [{"metric": labels, "values": values}]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


@pytest.mark.parametrize(
    ("used", "value", "says"),
    [
        ((251, 256), "512Mi", "its use was 251Mi–256Mi, up to the limit, so this is 2 × as much. Check for a leak."),
        ((100, 120), "512Mi", "its highest measured use is 120Mi, and this is 2 × the limit."),
        ((251, 480), "600Mi", "this is a quarter above the highest measured use."),
        ((), "512Mi", "no usage data were found, so this is 2 × as much. Check for a leak."),
    ],
)
def test_the_number_and_the_reason_follow_what_was_measured(
    tmp_path: Path, used: tuple[int, ...], value: str, says: str
) -> None:
    files = {str(p.relative_to(GITOPS)): p.read_text() for p in GITOPS.rglob("*") if p.is_file()}
    root = repository(tmp_path / "gitops", files)
    (tmp_path / "usage.json").write_text(metrics(*used))
    logs = (str(LOG), str(tmp_path / "usage.json"))
    found = Services(Settings.from_environ({"PATH": os.environ["PATH"]}), root, logs, dry_run=True)
    proposal = found.planner.propose(found.logs.cases()[0].diagnosis).proposals[0]
    assert (proposal.action, proposal.parameters["to"]) == ("raise_memory_limit", value)
    assert says in proposal.reason
    assert ("use was" in proposal.reason) == ("use was" in says)
