"""What a model that knows the right change gets through: the proof refuses nearly nothing of what is right."""

from __future__ import annotations

import random

import pytest

from tests.field.incident import FieldIncident, incidents
from tests.field.investigating import MOST_TOKENS, play
from tests.field.test_field import label, needs_tools

REFUSED = {
    "b-network/svc-star-stands-for-one-label": "a network policy is not changed on a log's word alone",
    "c-platform/dispatcher-bound-in-the-wrong-namespace": "another account gets the role",
    "d-ops/bucket-moved-region-stayed": "the value is under the anchor",
}
"""Right changes that do not come out, with a part of the refusal: two lower a protection that no allowance covers, and one
value is shared by an alias."""
FIXABLE = [incident for incident in incidents() if incident.fixable]
FEW = random.Random(2).sample(FIXABLE, 4)


def check(incident: FieldIncident) -> None:
    row = play(incident)
    refusal = REFUSED.get(label(incident))
    if refusal is not None:
        assert row["outcome"] in ("refused", "not asked"), row
        assert refusal in row.get("refusal", ""), row
        return
    assert (row["outcome"], row["verdict"]) == ("proposed", "fixed"), row
    assert row["tokens"] <= MOST_TOKENS, row


def test_the_proof_refuses_at_most_one_right_change_in_twenty() -> None:
    assert len(REFUSED) <= len(FIXABLE) / 20
    assert set(REFUSED) <= {label(incident) for incident in FIXABLE}


@needs_tools
@pytest.mark.parametrize("incident", FEW, ids=label)
def test_a_right_change_comes_out(incident: FieldIncident) -> None:
    check(incident)


@needs_tools
@pytest.mark.slow
@pytest.mark.parametrize("incident", FIXABLE, ids=label)
def test_every_right_change_comes_out(incident: FieldIncident) -> None:
    check(incident)
