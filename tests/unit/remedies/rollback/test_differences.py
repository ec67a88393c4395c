"""A commit's effect, told item by item, and taken back with one edit each."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from remediator import yamledit
from remediator.remedies.engine.apply import changes
from remediator.remedies.rollback.differences import differences


def taken_back(old: Any, new: Any) -> Any:
    """`new` after every difference was reverted, last first so that indexes hold."""
    text = yaml.safe_dump(new, sort_keys=False).encode()
    for one in reversed(list(differences(old, new))):
        text = changes([one.revert("a.yaml", 0)], lambda _, text=text: text).get("a.yaml") or text
    return yaml.safe_load(text)


ENV = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1, "b": {"c": 1}}, {"a": 1}),
        ({"a": 1}, {"a": 1, "b": {"c": [1]}}),
        ({"env": ENV}, {"env": ENV[:2]}),
        ({"env": ENV}, {"env": ENV[1:]}),
        ({"env": ENV[:1]}, {"env": ENV}),
        ({"env": ENV}, {"env": [{"name": "A", "value": "9"}, *ENV[1:]]}),
        ({"args": ["--a", "--b"]}, {"args": ["--a", "--bb"]}),
        ({"verbs": ["get", "list", "watch"]}, {"verbs": ["get", "watch"]}),
        ({"resources": ["a.yaml", "b.yaml"]}, {"resources": ["a.yaml", "bb.yaml"]}),
    ],
)
def test_every_difference_can_be_taken_back(old: Any, new: Any) -> None:
    back = taken_back(old, new)
    assert back == old or {
        key: sorted(map(str, value)) if isinstance(value, list) else value for key, value in back.items()
    } == {key: sorted(map(str, value)) if isinstance(value, list) else value for key, value in old.items()}


def test_a_removed_item_is_told_by_its_name_and_shifts_nothing() -> None:
    (found,) = differences({"env": ENV}, {"env": ENV[1:]})
    assert (found.op, found.label, found.item) == ("removed", "A", True)


def test_equal_documents_have_none() -> None:
    assert not list(differences({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}))


def test_an_edit_that_cannot_be_made_is_refused() -> None:
    (found,) = differences({"a": 1, "b": 2}, {"a": 1})
    with pytest.raises(yamledit.EditRefused):
        changes([found.revert("a.yaml", 5)], lambda _: b"a: 1\n")


def test_an_item_with_another_name_is_renamed_in_place() -> None:
    old, new = {"ports": [{"name": "http", "containerPort": 80}]}, {"ports": [{"name": "web", "containerPort": 80}]}
    (one,) = differences(old, new)
    assert (one.op, one.path, one.old, one.new) == ("changed", ("ports", 0, "name"), "http", "web")


def test_an_item_that_makes_way_for_another_is_no_renaming() -> None:
    old, new = {"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "B", "value": "2"}]}
    assert {one.op for one in differences(old, new)} == {"added", "removed"}
