"""After an attempt that failed: older options are held against the base as it is, and an amount goes up, never down."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediator import policy, remedies
from remediator.domain.change import Proposal
from remediator.gitops import Repository
from remediator.remedies.engine.next_attempt import next_step, outdated
from tests.unit.remedies.small_repository import propose, shop, workload

KILLED = """\
Name:             web-5d7b9c6f8b-x2m7k
Namespace:        shop
Controlled By:    ReplicaSet/web-5d7b9c6f8b
Containers:
  web:
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Limits:
      memory:  64Mi
"""


def box(limit: str) -> dict[str, object]:
    return {"resources": {"limits": {"memory": limit}}}


def first(folder: Path) -> tuple[Proposal, Repository]:
    """Return the first proposal, and the checkout."""
    told = propose(folder, shop(web=workload(box("64Mi"))), KILLED)
    return told.outcomes[0].proposals[0], Repository.open(folder)


def merge(proposal: Proposal, repository: Repository, folder: Path) -> Repository:
    for name, text in remedies.changes(proposal.edits, repository.read).items():
        (folder / name).write_bytes(text or b"")
    return Repository.open(folder)


def test_an_option_whose_place_reads_otherwise_now_is_outdated(tmp_path: Path) -> None:
    proposal, repository = first(tmp_path)
    assert outdated(proposal, repository.read) == ""
    merged = merge(proposal, repository, tmp_path)
    assert "reads 128Mi now" in outdated(proposal, merged.read)
    (tmp_path / "web/web.yaml").unlink()
    assert "reads absent now" in outdated(proposal, Repository.open(tmp_path).read)


def test_an_amount_that_proved_too_small_goes_up_from_what_was_merged(tmp_path: Path) -> None:
    proposal, repository = first(tmp_path)
    merged = merge(proposal, repository, tmp_path)
    larger = next_step(proposal, merged.read, merged, policy.load())
    assert larger is not None
    assert (larger.title, larger.edits[0].value) == ("raise limits.memory from 128Mi to 256Mi", "256Mi")
    assert [line.rpartition(": ")[2] for line in larger.rendered] == ["128Mi → 256Mi"]
    assert "128Mi was merged and proved too small" in larger.reason


def test_there_is_no_next_step_where_somebody_changed_the_amount_meanwhile(tmp_path: Path) -> None:
    proposal, repository = first(tmp_path)
    merged = merge(proposal, repository, tmp_path)
    text = (tmp_path / "web/web.yaml").read_text()
    (tmp_path / "web/web.yaml").write_text(text.replace("128Mi", "96Mi"))
    assert next_step(proposal, Repository.open(tmp_path).read, merged, policy.load()) is None


@pytest.mark.parametrize("change", ["lower", "beyond", "other"])
def test_what_is_no_larger_amount_has_no_next_step(tmp_path: Path, change: str) -> None:
    proposal, repository = first(tmp_path)
    value = {"lower": "32Mi", "beyond": "8Gi", "other": "none"}[change]
    edit = proposal.edits[0].model_copy(update={"value": value})
    proposal = proposal.model_copy(update={"edits": (edit,)})
    merged = merge(proposal, repository, tmp_path)
    assert next_step(proposal, merged.read, merged, policy.load()) is None
