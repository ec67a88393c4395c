"""How an investigation comes out: agreement, a draft, a confirmation, disagreement, holding a rule back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from remediator.judgement.model.outcome import ending
from tests.unit.judgement.model.shop import SERVICE, call, investigation, memory

if TYPE_CHECKING:
    from remediator.domain.investigation import Ending
    from remediator.judgement.model import InvestigationSession


def concluded(case: InvestigationSession, *edits: dict[str, Any], **facts: Any) -> Ending:
    for edit in edits:
        assert "passed" in call(case, "try_change", edits=[edit], cites=["E1"]).text
    arguments = {
        "cause": "The limit is too low.", "category": "oom", "severity": "critical", "cites": ["E1"],
        "tried": list(case.tried), "confidence": 0.9, **facts,
    }  # fmt: skip
    assert call(case, "conclude", **arguments).ended
    return case.ending("small")


def test_agreement_is_said_and_the_rules_change_is_made(tmp_path: Path) -> None:
    case = investigation(tmp_path)
    best = case.plan.proposals[0]
    result = concluded(case, memory(best.edits[0].value))
    assert result.draft == ""
    assert result.proposals[0].edits == best.edits
    assert result.proposals[0].source == "rules"
    assert result.note.startswith("It agrees with the rules.")


def test_what_nothing_confirms_is_a_draft_that_says_so(tmp_path: Path) -> None:
    case = investigation(tmp_path, rules=False)
    result = concluded(case, memory("640Mi"))
    assert result.draft == "proposed by small, tried by rendering, not confirmed by a rule"
    assert [proposal.source for proposal in result.proposals] == ["model"]
    assert result.proposals[0].reason == "The limit is too low. (E1)"
    assert not case.inquiry.policies.actions["investigated_change"].auto_merge


def test_the_history_confirms_what_stood_before(tmp_path: Path) -> None:
    result = concluded(investigation(tmp_path, rules=False), memory("512Mi"))
    assert result.draft == ""
    assert any("confirmed: it restores what stood before" in words for words in result.proposals[0].policy)


def test_a_contradiction_that_ends_confirms_and_another_wrong_value_does_not(tmp_path: Path) -> None:
    broken = {SERVICE: "apiVersion: v1\nkind: Service\nmetadata: {name: store, namespace: shop}\nspec:\n"
                       "  selector: {app: store}\n  ports:\n    - port: 80\n      targetPort: web\n"}  # fmt: skip
    edit = {"kind": "Service", "name": "store", "field": "spec.ports[0].targetPort"}
    right = concluded(investigation(tmp_path, files=broken, rules=False), {**edit, "value": "http"})
    assert right.draft == ""
    assert any("it ends a contradiction" in words for words in right.proposals[0].policy)
    wrong = concluded(investigation(tmp_path, files=broken, rules=False), {**edit, "value": "metrics"})
    assert "not confirmed" in wrong.draft


def test_a_disagreement_is_a_draft_with_both_and_the_sure_rule_first(tmp_path: Path) -> None:
    case = investigation(tmp_path)
    rules = case.plan.proposals
    result = concluded(case, memory("640Mi"))
    assert result.draft.startswith(f"rules and model disagree: the rules would {rules[0].title}, small would ")
    assert [proposal.id for proposal in result.proposals[: len(rules)]] == [proposal.id for proposal in rules]
    assert result.proposals[-1].source == "model"


@pytest.mark.parametrize(("proposes", "offered"), [("off", False), ("draft", True), ("open", True)])
def test_beside_another_change_of_the_rules_it_is_an_option_where_the_policy_lets_it_propose(
    tmp_path: Path, proposes: str, offered: bool
) -> None:
    case = investigation(tmp_path, REMEDIATOR_LLM_PROPOSES=proposes)
    result = concluded(case, memory("640Mi"))
    assert result.draft.startswith("rules and model disagree")
    assert ("model" in {proposal.source for proposal in result.proposals}) is offered
    assert result.proposals[0] == case.plan.proposals[0]


@pytest.mark.parametrize(("score", "proposed"), [(0.95, True), (0.7, False)])
def test_a_model_that_finds_nothing_to_change_holds_an_unsure_rule_back(
    tmp_path: Path, score: float, *, proposed: bool
) -> None:
    case = investigation(tmp_path)
    first = case.plan.proposals[0].model_copy(update={"score": score})
    case.plan = case.plan.model_copy(update={"proposals": (first,)})
    result = concluded(case, cause="The node is broken.")
    assert bool(result.proposals) is proposed
    assert "The node is broken." in (result.draft or result.reason)


@pytest.mark.parametrize(
    ("proposes", "value", "proposed", "draft"),
    [
        ("off", "512Mi", False, False),
        ("draft", "512Mi", True, True),
        ("open", "512Mi", True, False),
        ("open", "640Mi", True, True),
    ],
)
def test_the_policy_bounds_what_may_come_of_it(
    tmp_path: Path, proposes: Any, value: str, *, proposed: bool, draft: bool
) -> None:
    case = investigation(tmp_path, rules=False, REMEDIATOR_LLM_PROPOSES=proposes)
    result = concluded(case, memory(value))
    assert (bool(result.proposals), bool(result.draft)) == (proposed, draft)
    assert proposed or "model.proposes: off" in result.reason


def test_who_cannot_tell_or_never_concluded_leaves_the_rules_answer(tmp_path: Path) -> None:
    case = investigation(tmp_path)
    assert call(case, "cannot_tell", why="Two causes fit.", look_at="the heap").ended
    result = case.ending("small")
    assert result.proposals == case.plan.proposals
    assert result.note == "It cannot tell: Two causes fit.\nLook at: the heap"
    silent = ending(None, {}, case.plan, case.scene, "open", "small")
    assert silent.proposals == case.plan.proposals


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"cites": ["E99"]}, "cites must name facts that exist"),
        ({"cites": []}, "cites must name facts that exist"),
        ({"tried": ["C7"]}, "no proved change has the id 'C7'"),
        ({"cause": ""}, "cause must say what is wrong"),
        ({"cause": 7}, "cause must say what is wrong"),
    ],
)
def test_a_conclusion_without_ground_is_refused_and_can_be_corrected(
    tmp_path: Path, facts: dict[str, Any], told: str
) -> None:
    case = investigation(tmp_path)
    good = {"cause": "x", "category": "oom", "severity": "info", "cites": ["E1", "E98"], "tried": [], "confidence": 9}
    refused = call(case, "conclude", **{**good, **facts})
    assert not refused.ended
    assert told in refused.text
    assert call(case, "conclude", **good).ended
    assert case.ending("small").dropped == 1


def test_an_answer_is_proved_again_when_the_facts_come_back(tmp_path: Path) -> None:
    first = concluded(investigation(tmp_path, rules=False), memory("640Mi"))
    again = investigation(tmp_path, rules=False)
    assert again.recall(first.answer)
    assert again.ending("small") == first
    assert not investigation(tmp_path, rules=False).recall("{")
    assert not investigation(tmp_path, rules=False).recall(first.answer.replace("640Mi", "900Gi"))
