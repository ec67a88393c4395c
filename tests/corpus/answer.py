"""One incident through the rules, in this process: what a dry run would propose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from remediator import policy
from remediator.diagnosis import classify
from remediator.domain.incident import Diagnosis
from remediator.domain.lifecycle import RemediationPlan
from remediator.evidence import Pattern, Scanner, text_input
from remediator.gitops import Repository
from remediator.judgement import decide
from remediator.remedies import changes
from tests.corpus.incidents import Incident

POLICIES = policy.load()
_SCANNER = Scanner([Pattern(name, pattern) for name, pattern in POLICIES.catalogue.patterns()])


@dataclass(frozen=True)
class CorpusAnswer:
    """The diagnoses of one incident, what is proposed, and the files as they would be."""

    diagnoses: tuple[Diagnosis, ...]
    outcomes: tuple[RemediationPlan, ...]
    files: dict[str, str | None]


def answer(incident: Incident, root: Path) -> CorpusAnswer:
    """Diagnose and propose; the first proposal of each incident is taken."""
    scan = _SCANNER.scan([text_input("log.txt", incident.log)])
    diagnoses = classify(scan.statements, POLICIES.catalogue)
    repository = Repository.open(root)
    outcomes = tuple(decide(diagnosis, repository, POLICIES) for diagnosis in diagnoses)
    files: dict[str, str | None] = {}
    for outcome in outcomes:
        if outcome.proposals:
            new = changes(outcome.proposals[0].edits, repository.read)
            files |= {name: None if text is None else text.decode() for name, text in new.items()}
    return CorpusAnswer(diagnoses, outcomes, files)
