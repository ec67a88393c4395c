"""The rules on faults injected into healthy repositories: mend what can be mended, harm nothing."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.corpus.answer import answer
from tests.corpus.incidents import Incident, corpus

ALL = list(corpus())
SAMPLE = ALL[::13]
needs_tools = pytest.mark.skipif(
    not (shutil.which("helm") and (shutil.which("kustomize") or shutil.which("kubectl"))),
    reason="needs helm and kustomize (or kubectl) on PATH: scripts/install_tools.py DIR",
)


def test_the_corpus_is_as_large_and_varied_as_promised() -> None:
    assert len(ALL) >= 150
    assert len({incident.fault.kind for incident in ALL}) >= 40


@needs_tools
@pytest.mark.parametrize("incident", SAMPLE, ids=lambda incident: incident.name)
def test_no_answer_does_harm(incident: Incident, tmp_path: Path) -> None:
    incident.build(tmp_path / "repo")
    found = answer(incident, tmp_path / "repo")
    assert incident.judge(found.files) != "harm", [outcome.proposals[:1] for outcome in found.outcomes]


@needs_tools
@pytest.mark.slow
def test_the_whole_corpus(tmp_path: Path) -> None:
    verdicts: Counter[tuple[bool, str]] = Counter()
    harmed, missed = [], []
    for incident in ALL:
        root = tmp_path / incident.name
        incident.build(root)
        verdict = incident.judge(answer(incident, root).files)
        verdicts[incident.fixable, verdict] += 1
        if verdict == "harm":
            harmed.append(incident.name)
        if verdict == "declined" and incident.fixable:
            missed.append(incident.name)
        shutil.rmtree(root)
    fixable = sum(count for (can, _), count in verdicts.items() if can)
    sys.stdout.write(f"\n{len(ALL)} incidents: {dict(verdicts)}\nmissed: {missed}\nharmed: {harmed}\n")
    assert len(harmed) <= 0.01 * len(ALL)
    assert verdicts[True, "fixed"] >= 0.85 * fixable, missed
