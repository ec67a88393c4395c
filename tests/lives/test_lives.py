"""No recovery is claimed that is none: a sample of simulated lives, with the real verifiers and the real node."""

from __future__ import annotations

import pytest

from tests.lives.looking import figures, look

SAMPLE = 30
MANY = 2000


def test_a_sample_of_lives_has_no_false_verdict() -> None:
    told = figures(map(look, range(SAMPLE)))
    assert (told["false_success"], told["false_failure"]) == ([], [])
    assert told["success_share_where_over"] > 0.4
    assert told["median_time_of_least"] <= 2


@pytest.mark.slow
def test_many_lives_have_no_false_success() -> None:
    told = figures(map(look, range(1_000_000, 1_000_000 + MANY)))
    assert told["false_success"] == []
    assert told["false_failure_share"] <= 0.01
