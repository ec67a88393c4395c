"""A failed verdict goes back to the model as a fact: its next change is the next attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remediator.domain.investigation import Ending
from remediator.domain.lifecycle import TAKE_BACK, RemediationPlan
from remediator.graph.investigation import Investigator
from remediator.graph.limits import RunLimits
from tests.fake_ports import FakePlanner, FakeVerifier
from tests.graph.incident_run import FILE, TWO, IncidentRun, proposal
from tests.graph.test_investigation import CONCLUDE, FakeInvestigation, FakeModel

if TYPE_CHECKING:
    from remediator.domain.change import Proposal

FIRST = proposal("investigated_change#C1", "memory: 3Gi\n").model_copy(update={"source": "model"})
SECOND = proposal("investigated_change#C1", "memory: 6Gi\n").model_copy(update={"source": "model"})


@dataclass
class Listening(FakeInvestigation):
    """Proposes these changes, and knows the rules' plan and the history that it was given."""

    proposals: tuple[Proposal, ...] = ()
    plan: RemediationPlan = field(default_factory=RemediationPlan)
    history: list[dict[str, Any]] = field(default_factory=list)

    def ending(self, model: str) -> Ending:
        return Ending(proposals=self.proposals, note=f"{model} proposes", answer="{}", draft="not confirmed")


@dataclass
class Asking(FakePlanner):
    """Plans by rule as it is told, and lets the model propose another change each time."""

    changes: list[tuple[Proposal, ...]] = field(default_factory=list)
    cases: list[Listening] = field(default_factory=list)

    def investigation(self, diagnosis, plan, log, history):
        case = Listening(
            f"facts {len(self.cases)}", proposals=self.changes[len(self.cases)], plan=plan, history=history
        )
        self.cases.append(case)
        return case


def incident(plan: RemediationPlan, *changes: tuple[Proposal, ...], **more: Any) -> tuple[IncidentRun, Asking]:
    planner = Asking(plan, changes=list(changes))
    run = IncidentRun(
        planner=planner, verifiers=(FakeVerifier(["failed"]),), investigator=Investigator(FakeModel([CONCLUDE])), **more
    )
    run.start()
    return run, planner


SILENT = RemediationPlan(applications=("checkout",), reason="The rules propose nothing.")


def test_the_model_hears_of_the_failure_and_its_next_change_is_the_next_attempt() -> None:
    run, planner = incident(SILENT, (FIRST,), (SECOND,))
    state = run.merge().state
    assert (state["workflow_status"], state["incident"].attempt) == ("awaiting_review", 2)
    assert state["git_changes"] == {"apps/checkout/values.yaml": "memory: 6Gi\n"}
    assert state["incident"].chosen == "investigated_change#C1-2"
    failed = [entry for entry in planner.cases[1].history if entry.get("kind") == "verified"]
    assert [(entry["outcome"], entry["action"], entry["words"]) for entry in failed] == [
        ("failed", "investigated_change#C1", "fake: looks failed")
    ]
    assert planner.cases[1].plan.proposals == ()
    assert "tried and did not end it" in planner.cases[1].plan.reason


def test_the_same_change_is_no_second_attempt_and_the_first_is_taken_back() -> None:
    run, planner = incident(SILENT, (FIRST,), (FIRST,))
    run.forge.earlier_files = {"c0": {"apps/checkout/values.yaml": "memory: 1Gi\n"}}
    state = run.merge().state
    assert len(planner.cases) == 2
    assert state["incident"].chosen == TAKE_BACK
    assert state["git_changes"] == {"apps/checkout/values.yaml": "memory: 1Gi\n"}


def test_what_the_rules_have_left_comes_before_it_where_the_model_says_so() -> None:
    run, planner = incident(TWO, TWO.proposals, (TWO.proposals[1],))
    state = run.merge().state
    assert [item.id for item in planner.cases[1].plan.proposals] == ["roll_back"]
    assert state["incident"].chosen == "roll_back"


def test_a_model_is_not_asked_again_after_the_last_attempt() -> None:
    run, planner = incident(SILENT, (FIRST,), limits=RunLimits(attempts=1))
    run.merge()
    assert len(planner.cases) == 1


def test_without_a_model_the_rules_go_on_alone() -> None:
    run, planner = incident(TWO, TWO.proposals)
    run.investigator = None
    state = run.merge().state
    assert len(planner.cases) == 1
    assert state["incident"].chosen == "roll_back"


def test_an_option_made_for_another_text_is_passed_over_and_the_larger_amount_goes_first() -> None:
    run = IncidentRun(planner=FakePlanner(TWO), verifiers=(FakeVerifier(["failed"]),))
    run.start()
    second = TWO.proposals[1]
    run.planner.stale = {second.id: "`memory` reads 2Gi now"}
    run.planner.larger = proposal("raise_memory_limit#4Gi", "memory: 4Gi\n")
    state = run.merge().state
    assert (state["incident"].chosen, state["git_changes"]) == ("raise_memory_limit#4Gi", {FILE: "memory: 4Gi\n"})


def test_where_every_option_is_outdated_the_change_is_taken_back_or_a_person_is_asked() -> None:
    run = IncidentRun(planner=FakePlanner(TWO), verifiers=(FakeVerifier(["failed"]),))
    run.start()
    run.planner.stale = dict.fromkeys([TAKE_BACK, *(one.id for one in TWO.proposals)], "`memory` reads 2Gi now")
    state = run.merge().state
    assert state["incident"].chosen == TAKE_BACK, (
        "a revert is about what the merge made, not about what stood before it"
    )
