"""The registry and the shipped actions name the same remedies, and each is there."""

from __future__ import annotations

import pytest

from remediator import policy
from remediator.policy.models import ANY_INCIDENT
from remediator.remedies import REMEDIES


def test_every_shipped_action_has_a_remedy_and_every_remedy_an_action() -> None:
    assert set(REMEDIES) == {action.id for action in policy.load().actions.values() if ANY_INCIDENT not in action.ends}


@pytest.mark.parametrize("action", sorted(REMEDIES))
def test_every_remedy_has_the_name_of_its_action_and_says_what_it_does(action: str) -> None:
    assert REMEDIES[action].__name__ == action
    assert REMEDIES[action].__doc__


def test_every_action_is_considered_by_some_category() -> None:
    policies = policy.load()
    named = {name for category in policies.catalogue.categories for name in category.actions}
    assert named == {action.id for action in policies.actions.values() if ANY_INCIDENT not in action.ends}
