"""Find the cause of the incident, the place in the repository, and the actions that could end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.lifecycle import RemediationPlan
from remediator.errors import RemediatorError
from remediator.graph.investigation import investigate
from remediator.graph.nodes.collect_logs import find_case
from remediator.graph.state import IncidentState

if TYPE_CHECKING:
    from remediator.domain.change import Proposal
    from remediator.domain.incident import Diagnosis
    from remediator.domain.investigation import Ending
    from remediator.domain.lifecycle import SecondReading
    from remediator.domain.ports import LogSource, Planner
    from remediator.graph.investigation import Investigator
    from remediator.graph.limits import RunLimits


def analyze_root_cause(
    state: IncidentState,
    *,
    planner: Planner,
    logs: LogSource,
    limits: RunLimits,
    investigator: Investigator | None = None,
) -> IncidentState:
    """Rank the allowed actions, each located and proved in the repository, or say why there is none.

    Where a model is configured it investigates beside the rules: its change stands beside theirs, or alone as a draft.
    After a failed verification it is asked again, and the failure is one of its facts.
    """
    diagnosis = state["diagnosis"]
    if diagnosis is None:
        raise AssertionError("analysis comes after classification")
    if (state["verification_status"], state["workflow_status"]) == ("failed", "verifying"):
        is_last = state["incident"].attempt >= limits.attempts
        return IncidentState() if is_last else _after_failure(state, planner, logs, investigator, diagnosis)
    plan = planner.propose(diagnosis)
    reason = plan.reason or ("" if plan.proposals else "no allowed action ends what the evidence shows")
    root_cause, proposals = plan.root_cause or state["root_cause"], plan.proposals
    second, category, severity = None, plan.category or state["error_category"], state["error_severity"]
    if investigator and (result := _investigated(state, planner, logs, investigator, diagnosis, plan)):
        second, ending = result
        proposals = ending.proposals
        reason = "" if proposals else ending.reason or reason
        root_cause = ending.root_cause or root_cause
        by_model = _category(category, diagnosis.category, second, ending)
        severity = ending.severity if by_model != category and ending.severity else severity
        category = by_model
    return IncidentState(
        error_category=category,
        error_severity=severity,
        affected_apps=list(plan.applications) or _changed(proposals) or state["affected_apps"],
        root_cause=root_cause,
        proposals=proposals,
        suggested_actions=[proposal.action for proposal in proposals],
        second=second,
        incident=state["incident"].model_copy(update={"reason": reason}),
    )


def _after_failure(
    state: IncidentState, planner: Planner, logs: LogSource, investigator: Investigator | None, diagnosis: Diagnosis
) -> IncidentState:
    """Return the proposals for the next attempt; what was tried stays among them, since it may have to be taken back."""
    if investigator is None or not any(piece.text for piece in diagnosis.evidence):
        return (
            IncidentState()
        )  # without the words of the evidence, which a public state branch lacks, nothing can be told
    incident = state["incident"]
    tried_ids = {*incident.tried, incident.chosen}
    tried = tuple(proposal for proposal in state["proposals"] if proposal.id in tried_ids)
    untried = tuple(proposal for proposal in state["proposals"] if proposal.id not in tried_ids)
    why = "" if untried else "what the rules proposed was tried and did not end it"
    plan = RemediationPlan(applications=tuple(state["affected_apps"]), proposals=untried, reason=why)
    if not (result := _investigated(state, planner, logs, investigator, diagnosis, plan)):
        return IncidentState()
    second, ending = result
    done = [proposal.edits for proposal in tried]
    fresh = [
        proposal.model_copy(update={"id": f"{proposal.id}-{incident.attempt + 1}"})
        if proposal.id in tried_ids
        else proposal
        for proposal in ending.proposals
        if proposal.edits not in done
    ]
    proposals = (*fresh, *tried)
    return IncidentState(
        proposals=proposals, suggested_actions=[proposal.action for proposal in proposals], second=second
    )


def _investigated(
    state: IncidentState,
    planner: Planner,
    logs: LogSource,
    by: Investigator,
    diagnosis: Diagnosis,
    plan: RemediationPlan,
) -> tuple[SecondReading, Ending] | None:
    try:
        log = find_case(state, logs).log
    except RemediatorError:  # a later run: the log has moved on, and the facts are still here
        log = state["raw_log"]
    case = planner.investigation(diagnosis, plan, log, state["user_feedback_history"])
    return investigate(by, case, state.get("second")) if case is not None else None


def _category(category: str, diagnosed: str, second: SecondReading, ending: Ending) -> str:
    """Return the model's category where no rule knows the fault, or where its change is the one that is made."""
    leads = bool(ending.proposals) and ending.proposals[0].source == "model"
    return second.category if second.category and (leads or diagnosed == "unknown") else category


def _changed(proposals: tuple[Proposal, ...]) -> list[str]:
    """Return the Applications that the first change renders differently."""
    lines = proposals[0].rendered if proposals else ()
    return list(dict.fromkeys(line.partition(": ")[0] for line in lines))
