"""Whatever a model answers, it breaks nothing and its values stay within the bounds."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediator.domain.model_answer import ModelQuestion, Spent
from remediator.settings import Settings
from remediator.wiring import Services
from tests.model.hostile_model import FILE, victim

if TYPE_CHECKING:
    from remediator.domain.lifecycle import Case

IDS = st.lists(st.sampled_from(["E1", "E2", "E3", "E99", "P1", "", "-", "../x"]), max_size=14)
WORDS = st.one_of(
    st.text(max_size=30), st.sampled_from(["640Mi", "8Gi", "9Gi", "1e3", "--5", "²", "NaN", "Infinity", "1_0"])
)
NAMES = st.one_of(st.sampled_from(["raise_memory_limit", "roll_back", "value", "P1", "P2", "oom", "info"]), WORDS)
CHOICE = st.fixed_dictionaries(
    {
        "action": NAMES, "target": NAMES, "evidence": IDS,
        "arguments": st.lists(st.fixed_dictionaries({"name": NAMES, "value": WORDS}), max_size=3),
        "confidence": st.one_of(st.floats(allow_nan=True), st.integers(-2, 2)),
    }
)  # fmt: skip
ANSWER = st.fixed_dictionaries(
    {
        "enough_evidence": st.booleans(), "category": NAMES, "category_evidence": IDS,
        "severity": st.sampled_from(["critical", "warning", "info", "none"]),
        "root_cause": st.lists(st.fixed_dictionaries({"text": WORDS, "evidence": IDS}), max_size=7),
        "choices": st.lists(CHOICE, max_size=6),
    }
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


class Says:
    name = "m"
    spent = Spent()

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def consider(self, brief: ModelQuestion) -> str:
        return self.answer

    def recalled(self) -> None:
        """Nobody asks."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Services:
    root, logs = victim(tmp_path_factory.mktemp("victim"), "x")
    return Services(Settings.from_environ({"PATH": os.environ["PATH"]}), root, logs, dry_run=True)


@pytest.fixture(scope="module")
def case(found: Services) -> Case:
    return next(one for one in found.logs.cases() if one.diagnosis.category == "oom")


@settings(max_examples=150)
@given(answer=ANSWER | ANYTHING)
def test_any_answer_is_judged_and_none_breaks_the_incident(found: Services, case: Case, answer: Any) -> None:
    plan = found.planner.propose(case.diagnosis)
    second, added = found.planner.second_reading(Says(json.dumps(answer)), case.diagnosis, plan, [])
    assert second.model == "m"
    for option in added:
        assert [edit.file for edit in option.edits] == [FILE]
        assert option.source == "model"
        amount = found_quantity(str(option.edits[0].value))
        assert found_quantity("64Mi") <= amount <= found_quantity("8Gi")
    again, same = found.planner.second_reading(Says("{}"), case.diagnosis, plan, [], second)
    if second.answer:
        assert again.recalled
        assert [one.edits for one in same] == [one.edits for one in added]


def found_quantity(text: str) -> Decimal:
    from remediator.remedies.engine.quantities import parse

    amount = parse(text)
    assert amount is not None
    return amount


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "7", "\x00", '{"choices": ' + "[" * 50_000])
def test_what_is_no_answer_is_dropped(found: Services, case: Case, text: str) -> None:
    plan = found.planner.propose(case.diagnosis)
    second, added = found.planner.second_reading(Says(text), case.diagnosis, plan, [])
    assert (second.dropped, added) == (1, ())
