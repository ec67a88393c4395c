"""What a run has spent on a model, in words and in the policy's currency."""

from __future__ import annotations

import pytest

from remediator.action.outcome import summary_page
from remediator.domain.investigation import Spent
from remediator.policy import ModelBounds
from remediator.report import RunFacts, spending, terminal
from tests.model.rendered_markdown import acting

PRICED = ModelBounds(price_per_million_input=0.25, price_per_million_output=2, currency="EUR")


@pytest.mark.parametrize(
    ("spent", "bounds", "says"),
    [
        (Spent(), PRICED, ""),
        (
            Spent(questions=2, calls=5, sent=6_120, received=800, today=41_000),
            PRICED,
            "Model `m`: asked about 2 incidents; 5 requests, 6,120 tokens sent, 800 received, about 0.0031 EUR; 41,000 of 3,000,000 tokens today.",
        ),
        (
            Spent(questions=1, sent=4_000_000, received=100_000, today=1),
            PRICED,
            "Model `m`: asked about 1 incident; 0 requests, 4,000,000 tokens sent, 100,000 received, about 1.20 EUR; 1 of 3,000,000 tokens today.",
        ),
        (
            Spent(questions=1, reused=1, sent=10, received=2),
            ModelBounds(),
            "Model `m`: asked about 1 incident; 1 earlier answer reused; 0 requests, 10 tokens sent, 2 received.",
        ),
        (Spent(reused=2), PRICED, "Model `m`: asked about 0 incidents; 2 earlier answers reused."),
    ],
)
def test_the_line(spent: Spent, bounds: ModelBounds, says: str) -> None:
    assert spending("m", spent, bounds) == says


def test_it_stands_in_the_jobs_summary_and_the_terminal_and_cannot_act() -> None:
    line = spending("[x](https://evil.example) @ada", Spent(questions=1, sent=1, received=1), ModelBounds())
    text = summary_page([], [], [], RunFacts(lines=3, model=line), "")
    assert "1 token sent, 1 received" in text
    assert acting(text) == []
    assert "1 token sent" in terminal([], RunFacts(lines=3, model=line))
