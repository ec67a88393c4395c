"""Check whether the incident is over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from remediator.domain.lifecycle import ARRIVED, AWAITED, MOMENTS, PAUSE, TAKE_BACK, UNDECIDED
from remediator.domain.rhythm import least_quiet, usual_pause
from remediator.domain.sources import Rollout
from remediator.domain.times import moment, stamp
from remediator.graph.merged_change import ChangeFate
from remediator.graph.state import IncidentState, chosen, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from remediator.domain.change import PullRequest
    from remediator.domain.incident import Diagnosis
    from remediator.domain.lifecycle import Incident, Observation, VerificationStatus
    from remediator.domain.ports import Clock, Verifier
    from remediator.graph.limits import RunLimits

NOTHING_CONFIGURED = "no verifier configured"

_KEPT = 40
"""The number of observations in the state: each verifier needs its last one, a person the last few."""


def verify_recovery(
    state: IncidentState,
    *,
    verifiers: Sequence[Verifier],
    limits: RunLimits,
    now: Clock,
    redact: Callable[[str], str] = str,
    fate: Callable[[IncidentState], ChangeFate] = lambda _state: ChangeFate(),
) -> IncidentState:
    """Ask every verifier once; `success` only when all agree, and never when there is none.

    Before a merge, the verifiers are asked whether the incident has cleared by itself. `fate` is read before the
    verification ends: a change that a person has reverted has neither ended the incident nor failed.
    """
    pull, diagnosis = state["pull_request"], state["diagnosis"]
    if pull is None or diagnosis is None:
        raise AssertionError("verification comes after a change was proposed")
    if state["workflow_status"] == "awaiting_review":
        return _verify_cleared(state, verifiers, limits, now(), redact)
    at = now()
    incident = state["incident"]
    if not incident.deadline:
        incident = incident.model_copy(update={"deadline": stamp(at + limits.deadline)})
    rollout = _rollout(state, diagnosis, pull, _merged_at(state, incident, limits))
    observations = tuple(_observe(state, rollout, verifiers, redact))
    status, result = _verdict(observations)
    update = IncidentState(
        observations=(*state["observations"], *observations)[-_KEPT:],
        verification_status=status,
        recovery_result=result,
        incident=incident,
        workflow_status="verifying",
    )
    ends = moment(incident.deadline)
    overdue = bool(ends and at >= ends)
    if status == "pending" and not overdue:
        return update
    outcome = fate(state)
    result = f"{outcome.summary}; {result}" if outcome.summary else result
    if status == "pending":
        arrived = any(ARRIVED in observation.facts for observation in observations)
        waiting = [observation for observation in observations if observation.status == "pending"]
        if not arrived or all(UNDECIDED in observation.facts for observation in waiting):
            return {**update, "recovery_result": result, "workflow_status": "unconfirmed"}
        # The change is in the cluster and did not end the incident in time: this counts as a failure.
        status, result = "failed", f"still waiting at the deadline: {result}"
    update = {**update, "verification_status": status, "recovery_result": result}
    if outcome.reverted:  # a person has reverted it: the change proves nothing, and no other attempt is made
        update["incident"] = incident.model_copy(update={"reason": outcome.summary, "deadline": ""})
        verification: VerificationStatus = "failed" if status == "failed" else "pending"
        return {**update, "verification_status": verification, "workflow_status": "needs_person"}
    if status == "success":
        asks = state["error_severity"] == "warning" and not state["user_approved_action"]
        return {**update, "workflow_status": ("unconfirmed" if overdue else "verifying") if asks else "resolved"}
    return {**update, **_next_attempt(state, incident, result)}


def _rollout(state: IncidentState, diagnosis: Diagnosis, pull: PullRequest, merged_at: str) -> Rollout:
    """Return what the verifiers are told of the merged change."""
    change = chosen(state)
    return Rollout(
        incident_id=state["incident_id"],
        diagnosis=diagnosis,
        pull_request=pull,
        applications=tuple(state["affected_apps"]),
        merged_at=merged_at,
        remade=change.remade if change else (),
        pause=_pause(state, diagnosis),
    )


def _pause(state: IncidentState, diagnosis: Diagnosis) -> timedelta:
    """Return the usual pause of the fault, by the evidence and by what the sources saw before the merge."""
    told = [float(look.facts[PAUSE]) for look in state["observations"] if PAUSE in look.facts]
    return max(usual_pause(diagnosis), timedelta(seconds=max(told, default=0.0)))


def _observe(
    state: IncidentState, rollout: Rollout, verifiers: Sequence[Verifier], redact: Callable[[str], str]
) -> Iterator[Observation]:
    """Ask each verifier once. Other verifiers count from the time at which the change was first seen in the cluster.

    While one verifier knows that the change has not arrived, a failure of another one is about the old state.
    """
    earlier = _since_merge(state, rollout)
    arrival_verifiers = {
        observation.verifier for observation in earlier if {ARRIVED, AWAITED} & observation.facts.keys()
    }
    arrived = next((observation.at for observation in earlier if ARRIVED in observation.facts), "")
    awaited = False
    for verifier in verifiers:
        question = rollout
        if arrived and verifier.name not in arrival_verifiers:
            question = rollout.model_copy(update={"arrived_at": arrived})
        observation = _redacted(verifier.observe(question, _since_merge(state, question)), redact)
        if awaited and observation.status == "failed" and AWAITED not in observation.facts:
            observation = observation.model_copy(
                update={"status": "pending", "summary": f"before the change arrived: {observation.summary}"}
            )
        arrived = arrived or (observation.at if ARRIVED in observation.facts else "")
        awaited = awaited or AWAITED in observation.facts
        yield observation


def _redacted(observation: Observation, redact: Callable[[str], str]) -> Observation:
    """Redact the summary: servers quote their input, for example an address that contains a password."""
    return observation.model_copy(update={"summary": redact(observation.summary)})


def last_seen(state: IncidentState) -> str:
    """Return the time of the last sighting in a log, RFC 3339."""
    return state["incident"].last_seen or state["timestamp"]


def may_have_cleared(state: IncidentState, limits: RunLimits, now: datetime) -> bool:
    """Return whether an open, undecided proposal was not seen for so long that a check for recovery is due."""
    proposed = [
        entry.get("at", "") for entry in state["user_feedback_history"] if entry.get("kind") in {"proposed", "joined"}
    ]
    since = moment(max([last_seen(state), *proposed]))
    undecided = state["workflow_status"] == "awaiting_review" and not state["user_approved_action"]
    if not (undecided and limits.cleared_for and since) or state["incident"].chosen == TAKE_BACK:
        return False
    return now - since >= limits.cleared_for / 2


def _verify_cleared(
    state: IncidentState,
    verifiers: Sequence[Verifier],
    limits: RunLimits,
    now: datetime,
    redact: Callable[[str], str],
) -> IncidentState:
    """Check for recovery without a fix: not seen for half the time, and healthy at each look of the other half."""
    pull, diagnosis, incident = state["pull_request"], state["diagnosis"], state["incident"]
    if pull is None or diagnosis is None:
        return IncidentState()
    rollout = Rollout(
        incident_id=state["incident_id"],
        diagnosis=diagnosis,
        pull_request=pull,
        applications=tuple(state["affected_apps"]),
        merged_at=last_seen(state),
        pause=_pause(state, diagnosis),
    )
    observations = tuple(
        _redacted(verifier.observe(rollout, _since_merge(state, rollout)), redact) for verifier in verifiers
    )
    status, result = _verdict(observations)
    since = (incident.calm_since or stamp(now)) if status == "success" else ""
    update = IncidentState(
        observations=(*state["observations"], *observations)[-_KEPT:],
        incident=incident.model_copy(update={"calm_since": since}),
    )
    calm = moment(since)
    if calm is None or now - calm < least_quiet(limits.cleared_for / 2, rollout.pause):
        return update
    return {
        **update,
        "verification_status": "success",
        "recovery_result": f"it has cleared by itself: {result}",
        "workflow_status": "resolved",
    }


def _verdict(observations: Sequence[Observation]) -> tuple[VerificationStatus, str]:
    if not observations:
        return "pending", NOTHING_CONFIGURED
    for status in ("failed", "pending"):
        if summaries := [
            f"{observation.verifier}: {observation.summary}"
            for observation in observations
            if observation.status == status
        ]:
            return status, "; ".join(summaries)
    agreed = "; ".join(f"{observation.verifier}: {observation.summary}" for observation in observations)
    if all("neutral" in observation.facts for observation in observations):
        return "pending", f"no configured verifier can check this incident ({agreed})"
    if all({"neutral", MOMENTS} & observation.facts.keys() for observation in observations):
        return "pending", f"what happens between two looks, no configured verifier can see ({agreed})"
    return "success", agreed


def _merged_at(state: IncidentState, incident: Incident, limits: RunLimits) -> str:
    """Return the time of a person's merge; for a merge by the policy, that of the first look, from which the deadline counts."""
    merges = [entry.get("at", "") for entry in state["user_feedback_history"] if entry.get("kind") == "merged"]
    first_look = moment(incident.deadline)
    return (merges[-1] if merges else "") or (stamp(first_look - limits.deadline) if first_look else "")


def _since_merge(state: IncidentState, rollout: Rollout) -> tuple[Observation, ...]:
    """Return the observations since the merge: pods of an earlier attempt prove nothing about this one."""
    return tuple(observation for observation in state["observations"] if observation.at >= rollout.since)


def _next_attempt(state: IncidentState, incident: Incident, result: str) -> IncidentState:
    """Clear the deadline for the next attempt; `generate_action` decides whether there is one."""
    return IncidentState(
        incident=incident.model_copy(update={"deadline": ""}),
        user_feedback_history=remember(state, kind="verified", outcome="failed", action=incident.chosen, words=result),
    )
