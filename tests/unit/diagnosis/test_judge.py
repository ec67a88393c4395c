"""A model's answer is judged on what it cites and what was offered, whatever it says."""

from __future__ import annotations

import json

import pytest
from remediator.diagnosis.model.check import MALFORMED, judge
from remediator.domain.model_answer import ChangeTarget, EvidenceExcerpt, ModelAnswer, ModelQuestion, Offer, Parameter

from remediator.remedies.engine import quantities

BRIEF = ModelQuestion(
    category="oom",
    severity="critical",
    summary="checkout was OOMKilled",
    windows=(
        EvidenceExcerpt(id="E1", category="oom", signal="oom_killed", text="OOMKilled"),
        EvidenceExcerpt(id="E2", category="probe_failure", signal="readiness_failed", text="Readiness probe failed"),
    ),
    targets=(ChangeTarget(id="P1", value="256Mi"), ChangeTarget(id="P2", value="8080")),
    offers=(
        Offer(
            action="raise_memory_limit",
            targets=("P1",),
            ends=("oom_killed",),
            parameters=(Parameter(name="to", values=("512Mi",), minimum="257Mi", maximum="1Gi"),),
        ),
    ),
    categories=("oom", "probe_failure", "storage_error"),
)
CHOICE = {
    "action": "raise_memory_limit",
    "target": "P1",
    "arguments": [{"name": "to", "value": "384Mi"}],
    "evidence": ["E1"],
    "confidence": 0.7,
}
ANSWER = {
    "enough_evidence": True,
    "category": "oom",
    "category_evidence": ["E1"],
    "severity": "critical",
    "root_cause": [{"text": "The limit is too low.", "evidence": ["E1"]}],
    "choices": [CHOICE],
}


def judged(**changed):
    return judge(json.dumps(ANSWER | changed), BRIEF, quantities.parse)


def test_what_is_cited_and_within_bounds_is_kept_whole():
    kept = judged()
    assert [choice.arguments[0].value for choice in kept.choices] == ["384Mi"]
    assert [claim.text for claim in kept.root_cause] == ["The limit is too low."]
    assert (kept.category, kept.dropped) == ("", {})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"action": "delete_namespace"}, "action not allowed"),
        ({"target": "P2"}, "target is no located value of this action"),
        ({"target": "../../.github/workflows/x.yml"}, "target is no located value of this action"),
        ({"evidence": []}, "no evidence cited"),
        ({"evidence": ["E1", "E99"]}, "cites evidence that does not exist"),
        ({"evidence": ["E2"]}, "the cited evidence is nothing that the action ends"),
        ({"arguments": []}, "parameters missing, unknown or given twice"),
        (
            {"arguments": [*CHOICE["arguments"], {"name": "file", "value": "x"}]},
            "parameters missing, unknown or given twice",
        ),
        ({"arguments": CHOICE["arguments"] * 2}, "parameters missing, unknown or given twice"),
        ({"arguments": [{"name": "to", "value": "2Gi"}]}, "parameter out of bounds"),
        ({"arguments": [{"name": "to", "value": "256Mi"}]}, "parameter out of bounds"),
        ({"arguments": [{"name": "to", "value": "NaN"}]}, "parameter out of bounds"),
        ({"arguments": [{"name": "to", "value": "512Mi\nimage: evil"}]}, "parameter out of bounds"),
    ],
)
def test_a_choice_outside_what_was_offered_is_dropped_and_counted(changed, reason):
    kept = judged(choices=[CHOICE | changed])
    assert kept.choices == ()
    assert kept.dropped == {reason: 1}


def test_a_parameter_without_bounds_takes_only_offered_values():
    offer = BRIEF.offers[0].model_copy(update={"parameters": (Parameter(name="to", values=("512Mi",)),)})
    brief = BRIEF.model_copy(update={"offers": (offer,)})
    assert judge(json.dumps(ANSWER), brief, quantities.parse).dropped == {"parameter out of bounds": 1}


@pytest.mark.parametrize(
    ("category", "evidence", "kept", "dropped"),
    [
        ("probe_failure", ["E2"], "probe_failure", {}),
        ("probe_failure", ["E1"], "", {"the cited evidence does not bear the category": 1}),
        ("probe_failure", [], "", {"no evidence cited": 1}),
        ("storage_error", ["E1", "E2"], "", {"the cited evidence does not bear the category": 1}),
        ("ignore all rules", ["E1"], "", {"unknown category": 1}),
    ],
)
def test_another_category_needs_evidence_of_its_own(category, evidence, kept, dropped):
    found = judged(category=category, category_evidence=evidence)
    assert (found.category, found.dropped) == (kept, dropped)


@pytest.mark.parametrize(
    "answer",
    ["", "I'm sorry, I cannot help with that.", "null", "[]", json.dumps(ANSWER)[:-20], json.dumps(ANSWER | {"yaml": "a: b"}),
     json.dumps(ANSWER | {"choices": [CHOICE | {"confidence": 7}]}), json.dumps(ANSWER | {"severity": "fatal"})],
)  # fmt: skip
def test_what_does_not_fit_the_schema_counts_for_nothing(answer):
    assert judge(answer, BRIEF, quantities.parse).dropped == {MALFORMED: 1}


def test_not_enough_evidence_leaves_nothing_even_where_choices_are_given():
    assert judged(enough_evidence=False).choices == ()


def test_every_object_of_the_schema_is_closed():
    schema = ModelAnswer.model_json_schema()
    for part in (schema, *schema["$defs"].values()):
        assert part["additionalProperties"] is False
        assert set(part["required"]) == set(part["properties"])
