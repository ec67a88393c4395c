"""Every category has a log of its name that it, and no other, explains; adding one needs no Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediator import policy
from remediator.diagnosis import classify
from remediator.evidence import Pattern, Scanner, open_inputs

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
