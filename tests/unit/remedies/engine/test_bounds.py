"""A policy's maximum holds for its field, whichever action would exceed it."""

from __future__ import annotations

from pathlib import Path

from remediator import policy
from remediator.diagnosis import classify
from remediator.domain.lifecycle import RemediationPlan
from remediator.evidence import Pattern, Scanner, text_input
from remediator.gitops import Repository
from remediator.judgement import decide
from tests.corpus.incidents import corpus


def proposed(tmp_path: Path, maximum: str) -> RemediationPlan:
    incident = next(one for one in corpus() if one.name == "oom-plain")
    incident.build(tmp_path / "repo")
    file = tmp_path / "remediator.yml"
    file.write_text(f"actions:\n  raise_memory_limit:\n    bounds: {{maximum: {maximum}}}\n", encoding="utf-8")
    policies = policy.load(file)
    scanner = Scanner([Pattern(name, pattern) for name, pattern in policies.catalogue.patterns()])
    (diagnosis,) = classify(scanner.scan([text_input("log", incident.log)]).statements, policies.catalogue)
    return decide(diagnosis, Repository.open(tmp_path / "repo"), policies)


def test_history_is_no_exception_to_the_maximum(tmp_path: Path) -> None:
    outcome = proposed(tmp_path, "128Mi")
    assert [proposal.edits[0].value for proposal in outcome.proposals] == ["128Mi"]


def test_a_maximum_below_the_present_value_leaves_nothing(tmp_path: Path) -> None:
    outcome = proposed(tmp_path, "64Mi")
    assert outcome.proposals == ()
    assert "exceed the maximum of 64Mi" in outcome.reason
