"""Look whether the incident is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.graph.limits import moment, stamp
from remediator.graph.state import IncidentState, remember

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.life import Incident, Observation, VerificationStatus
    from remediator.domain.ports import Clock, Verifier
    from remediator.graph.limits import Limits

NOTHING_CONFIGURED = "no verifier configured"


def verify_recovery(
    state: IncidentState, *, verifiers: Sequence[Verifier], limits: Limits, now: Clock
) -> IncidentState:
    """Ask every verifier once; `success` only when all agree, and never when there is none."""
    pull, diagnosis = state["pull_request"], state["diagnosis"]
    if pull is None or diagnosis is None:
        raise AssertionError("verification comes after a merge")
    seen = tuple(verifier.observe(diagnosis, pull, state["observations"]) for verifier in verifiers)
    status, result = _verdict(seen)
    at = now()
    incident = state["incident"]
    if not incident.deadline:
        incident = incident.model_copy(update={"deadline": stamp(at + limits.deadline)})
    update = IncidentState(
        observations=(*state["observations"], *seen),
        verification_status=status,
        recovery_result=result,
        incident=incident,
        workflow_status="verifying",
    )
    ends = moment(incident.deadline)
    if status == "pending" and verifiers and ends and at >= ends:
        return {**update, "workflow_status": "unconfirmed"}
    if status == "success":
        asks = state["error_severity"] == "warning" and not state["user_approved_action"]
        overdue = bool(ends and at >= ends)
        return {**update, "workflow_status": ("unconfirmed" if overdue else "verifying") if asks else "resolved"}
    if status == "failed":
        return {**update, **_failed(state, incident, result)}
    return update


def _verdict(seen: Sequence[Observation]) -> tuple[VerificationStatus, str]:
    if not seen:
        return "pending", NOTHING_CONFIGURED
    for status in ("failed", "pending"):
        if told := [f"{one.verifier}: {one.summary}" for one in seen if one.status == status]:
            return status, "; ".join(told)
    return "success", "; ".join(f"{one.verifier}: {one.summary}" for one in seen)


def _failed(state: IncidentState, incident: Incident, result: str) -> IncidentState:
    """The next attempt has its own deadline; whether there is one is for `generate_action` to say."""
    return IncidentState(
        incident=incident.model_copy(update={"deadline": ""}),
        user_feedback_history=remember(state, kind="verified", outcome="failed", action=incident.chosen, words=result),
    )
