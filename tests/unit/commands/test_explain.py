"""`remediator explain` tells signals, objects, and what became of every action."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediator.cli import main
from remediator.commands import explain
from remediator.domain.change import Place, Proof
from tests.corpus.incidents import Incident, corpus
from tests.git_repositories import git
from tests.graph.incident_run import proposal


def incident(name: str) -> Incident:
    return next(one for one in corpus() if one.name == name)


def explained(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    one = incident(name)
    one.build(tmp_path / "repo")
    (tmp_path / "log.txt").write_text(one.log, encoding="utf-8")
    assert main(["explain", "--log", str(tmp_path / "log.txt"), "--repo", str(tmp_path / "repo")]) == 0
    return capsys.readouterr().out


def test_a_fault_that_can_be_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = explained("oom-plain", tmp_path, capsys)
    assert text.startswith("oom · critical")
    assert "E1       oom_killed (cause, oom 90" in text
    assert "object   Deployment/api of shop" in text
    assert (
        "raise_memory_limit: restore limits.memory of `api` to 512Mi (0.95) — the manifest itself; proposed\n" in text
    )
    rolled_back = next(line for line in text.splitlines() if "action   roll_back" in line)
    assert (
        rolled_back.endswith("; proposed, the same edit as raise_memory_limit") or "nothing to propose" in rolled_back
    )


def test_a_fault_of_nobody_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = explained("not-managed-plain", tmp_path, capsys)
    assert "object   none in this repository" in text
    assert "proved" not in text


def test_what_the_policy_disables_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = incident("oom-plain")
    one.build(tmp_path / "repo")
    (tmp_path / "log.txt").write_text(one.log, encoding="utf-8")
    own = tmp_path / "repo/.github/remediator.yml"
    own.parent.mkdir(exist_ok=True)
    own.write_text("actions:\n  raise_memory_limit: {enabled: false}\n", encoding="utf-8")
    git(tmp_path / "repo", "add", ".github/remediator.yml")
    git(tmp_path / "repo", "commit", "-q", "-m", "Policy")
    assert main(["explain", "--log", str(tmp_path / "log.txt"), "--repo", str(tmp_path / "repo")]) == 0
    text = capsys.readouterr().out
    assert "  action   raise_memory_limit: disabled by policy\n" in text
    assert "restore limits.memory" not in text


@pytest.mark.parametrize(
    ("proofs", "says"),
    [
        (("proved",), "proved by rendering"),
        (("direct", "read"), "read from templates or patches, not rendered"),
        (("unproved", "proved"), "not proved: the chart is not available, only a values key with this name"),
        ((), "checked against the guardrails"),
    ],
)
def test_the_weakest_proof_is_told(proofs: tuple[Proof, ...], says: str) -> None:
    places = tuple(Place(file="a.yaml", path=("memory",), proof=proof) for proof in proofs)
    assert explain._proof(proposal("raise_memory_limit", "2Gi").model_copy(update={"places": places})) == says


@pytest.mark.parametrize("arguments", [[], ["inc-1", "--log", "x"]])
def test_an_id_or_a_log_but_not_both(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *arguments]) == 2
    assert "either an incident id or --log" in capsys.readouterr().err
