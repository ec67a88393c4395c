"""Every category has a log of its name that it, and no other, explains; adding one needs no Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediator import policy
from remediator.diagnosis import classify
from remediator.evidence import Pattern, Scanner, open_inputs
from remediator.policy import Signal
from remediator.policy.loading import load

FIXTURES = Path(__file__).parents[2] / "fixtures" / "categories"
CATALOGUE = policy.load().catalogue
LOGS = {file.stem: file for file in FIXTURES.iterdir()}


def test_every_category_has_a_log_and_every_log_a_category() -> None:
    assert set(LOGS) == set(CATALOGUE.by_id)


@pytest.mark.parametrize("category", sorted(LOGS))
def test_the_log_of_a_category_is_classified_as_it(category: str) -> None:
    scanner = Scanner([Pattern(name, pattern) for name, pattern in CATALOGUE.patterns()])
    found = classify(scanner.scan(open_inputs([str(LOGS[category])])).statements, CATALOGUE)
    assert [one.category for one in found] == [category]


@pytest.mark.parametrize("signal", [s for c in load().catalogue.categories for s in c.signals], ids=lambda s: s.id)
def test_every_signal_says_what_it_means_and_what_a_person_can_do(signal: Signal) -> None:
    assert signal.summary
    assert signal.abstain.endswith(".")
    assert signal.summary[-1].isalnum() or signal.summary.endswith("}")


def test_no_two_categories_share_a_summary() -> None:
    by_summary: dict[str, set[str]] = {}
    for category in load().catalogue.categories:
        for signal in category.signals:
            by_summary.setdefault(signal.summary, set()).add(category.id)
    assert {text: owners for text, owners in by_summary.items() if len(owners) > 1} == {}
