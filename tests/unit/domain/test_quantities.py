"""Only what Kubernetes reads is a quantity."""

from __future__ import annotations

import pytest

from remediator.domain import quantities
from remediator.gitops.change import validate


@pytest.mark.parametrize("text", ["\uff16\uff14\uff10Mi", "\u0661Gi", "1\u0660m"])
def test_digits_of_other_scripts_are_none(text: str) -> None:
    assert quantities._PATTERN.fullmatch(text) is None
    assert quantities._PATTERN.fullmatch("640Mi")
    assert validate._QUANTITY.count("\\d") == 0
