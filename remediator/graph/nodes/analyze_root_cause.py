"""Find the cause of the incident, the place in the repository, and the actions that could end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.graph.state import IncidentState

if TYPE_CHECKING:
    from remediator.domain.ports import Analyst, Planner


def analyze_root_cause(state: IncidentState, *, planner: Planner, analyst: Analyst | None = None) -> IncidentState:
    """Rank the allowed actions, each located and proved in the repository, or give the reason why there is none."""
    diagnosis = state["diagnosis"]
    if diagnosis is None:
        raise AssertionError("analysis comes after classification")
    plan = planner.propose(diagnosis)
    reason = plan.reason or ("" if plan.proposals else "no allowed action ends what the evidence shows")
    second, added = None, plan.proposals[:0]
    if analyst:
        history, earlier = state["user_feedback_history"], state.get("second")
        second, added = planner.second_reading(analyst, diagnosis, plan, history, earlier)
    proposals = (*plan.proposals, *added)
    return IncidentState(
        affected_apps=list(plan.applications) or state["affected_apps"],
        root_cause=plan.root_cause or state["root_cause"],
        proposals=proposals,
        suggested_actions=[proposal.action for proposal in proposals],
        second=second,
        incident=state["incident"].model_copy(update={"reason": reason}),
    )
