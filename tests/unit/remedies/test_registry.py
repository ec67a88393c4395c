"""The registry and the shipped actions name the same remedies, and each is there."""

from __future__ import annotations

import pytest

from remediator import policy
from remediator.remedies import REMEDIES, remedy


def test_every_shipped_action_has_a_remedy_and_every_remedy_an_action() -> None:
    assert set(REMEDIES) == set(policy.load().actions)


@pytest.mark.parametrize("action", sorted(REMEDIES))
def test_every_remedy_can_be_loaded(action: str) -> None:
    found = remedy(action)
    assert callable(found)
    assert found.__doc__


def test_an_action_without_remedy_is_an_error() -> None:
    with pytest.raises(KeyError):
        remedy("no_such_action")


def test_every_action_is_considered_by_some_category() -> None:
    policies = policy.load()
    named = {name for category in policies.catalogue.categories for name in category.actions}
    assert named == set(policies.actions)
