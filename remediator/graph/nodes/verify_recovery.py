"""Look whether the incident is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.lifecycle import ARRIVED, AWAITED, TAKE_BACK
from remediator.domain.sources import Rollout
from remediator.domain.times import moment, stamp
from remediator.graph.merged_change import ChangeFate
from remediator.graph.state import IncidentState, chosen, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from remediator.domain.lifecycle import Incident, Observation, VerificationStatus
    from remediator.domain.ports import Clock, Verifier
    from remediator.graph.limits import RunLimits

NOTHING_CONFIGURED = "no verifier configured"

_KEPT = 40
"""Observations that the state keeps: each verifier needs its last one, a person the last few."""


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

    Before a merge the question is whether the incident has gone by itself. `fate` is asked before it ends: what a
    person has taken back meanwhile has neither ended the incident nor failed to.
    """
    pull, diagnosis = state["pull_request"], state["diagnosis"]
    if pull is None or diagnosis is None:
        raise AssertionError("verification comes after a change was proposed")
    if state["workflow_status"] == "awaiting_review":
        return _cleared(state, verifiers, limits, now(), redact)
    at = now()
    incident = state["incident"]
    if not incident.deadline:
        incident = incident.model_copy(update={"deadline": stamp(at + limits.deadline)})
    change = chosen(state)
    rollout = Rollout(
        incident_id=state["incident_id"],
        diagnosis=diagnosis,
        pull_request=pull,
        applications=tuple(state["affected_apps"]),
        merged_at=_merged_at(state, incident, limits),
        remade=change.remade if change else (),
    )
    seen = tuple(_in_order(state, rollout, verifiers, redact))
    status, result = _verdict(seen)
    update = IncidentState(
        observations=(*state["observations"], *seen)[-_KEPT:],
        verification_status=status,
        recovery_result=result,
        incident=incident,
        workflow_status="verifying",
    )
    ends = moment(incident.deadline)
    overdue = bool(ends and at >= ends)
    if status == "pending" and not overdue:
        return update
    meanwhile = fate(state)
    result = f"{meanwhile.said}; {result}" if meanwhile.said else result
    if status == "pending":
        if not any(ARRIVED in one.facts for one in seen):
            return {**update, "recovery_result": result, "workflow_status": "unconfirmed"}
        # It is in the cluster and did not end the incident in time: as little to be kept as what has failed.
        status, result = "failed", f"unknown, still waiting at the deadline: {result}"
    update = {**update, "verification_status": status, "recovery_result": result}
    if meanwhile.gone:  # a person is at it: nothing is proved of the change, and nothing tried against what they do
        update["incident"] = incident.model_copy(update={"reason": meanwhile.said, "deadline": ""})
        proved: VerificationStatus = "failed" if status == "failed" else "pending"
        return {**update, "verification_status": proved, "workflow_status": "needs_person"}
    if status == "success":
        asks = state["error_severity"] == "warning" and not state["user_approved_action"]
        return {**update, "workflow_status": ("unconfirmed" if overdue else "verifying") if asks else "resolved"}
    return {**update, **_failed(state, incident, result)}


def _in_order(
    state: IncidentState, rollout: Rollout, verifiers: Sequence[Verifier], redact: Callable[[str], str]
) -> Iterator[Observation]:
    """One look each. What is in the cluster counts from when the change was first seen to be there.

    While one knows that it is not, whatever fails elsewhere is still the old state's.
    """
    known = _of_this(state, rollout)
    tellers = {one.verifier for one in known if {ARRIVED, AWAITED} & one.facts.keys()}
    arrived = next((one.at for one in known if ARRIVED in one.facts), "")
    awaited = False
    for verifier in verifiers:
        told = rollout
        if arrived and verifier.name not in tellers:
            told = rollout.model_copy(update={"arrived_at": arrived})
        one = _redacted(verifier.observe(told, _of_this(state, told)), redact)
        if awaited and one.status == "failed" and AWAITED not in one.facts:
            one = one.model_copy(update={"status": "pending", "summary": f"before the change arrived: {one.summary}"})
        arrived = arrived or (one.at if ARRIVED in one.facts else "")
        awaited = awaited or AWAITED in one.facts
        yield one


def _redacted(one: Observation, redact: Callable[[str], str]) -> Observation:
    """Servers quote what they were given: an address with a password in it, say."""
    return one.model_copy(update={"summary": redact(one.summary)})


def last_seen(state: IncidentState) -> str:
    """When a log told of the incident last, RFC 3339."""
    return state["incident"].last_seen or state["timestamp"]


def may_have_cleared(state: IncidentState, limits: RunLimits, now: datetime) -> bool:
    """Whether an open proposal, which nobody has decided on, was not called for since so long that it is worth a look."""
    proposed = [str(e.get("at", "")) for e in state["user_feedback_history"] if e.get("kind") in {"proposed", "joined"}]
    since = moment(max([last_seen(state), *proposed]))
    undecided = state["workflow_status"] == "awaiting_review" and not state["user_approved_action"]
    if not (undecided and limits.cleared_for and since) or state["incident"].chosen == TAKE_BACK:
        return False
    return now - since >= limits.cleared_for / 2


def _cleared(
    state: IncidentState,
    verifiers: Sequence[Verifier],
    limits: RunLimits,
    now: datetime,
    redact: Callable[[str], str],
) -> IncidentState:
    """Gone by itself is what was not seen for half the time, and was found gone at each look for the other half."""
    pull, diagnosis, incident = state["pull_request"], state["diagnosis"], state["incident"]
    if pull is None or diagnosis is None:
        return IncidentState()
    rollout = Rollout(
        incident_id=state["incident_id"],
        diagnosis=diagnosis,
        pull_request=pull,
        applications=tuple(state["affected_apps"]),
        merged_at=last_seen(state),
    )
    seen = tuple(_redacted(one.observe(rollout, _of_this(state, rollout)), redact) for one in verifiers)
    status, result = _verdict(seen)
    since = (incident.calm_since or stamp(now)) if status == "success" else ""
    update = IncidentState(
        observations=(*state["observations"], *seen)[-_KEPT:],
        incident=incident.model_copy(update={"calm_since": since}),
    )
    calm = moment(since)
    if calm is None or now - calm < limits.cleared_for / 2:
        return update
    return {
        **update,
        "verification_status": "success",
        "recovery_result": f"it has cleared by itself: {result}",
        "workflow_status": "resolved",
    }


def _verdict(seen: Sequence[Observation]) -> tuple[VerificationStatus, str]:
    if not seen:
        return "pending", NOTHING_CONFIGURED
    for status in ("failed", "pending"):
        if told := [f"{one.verifier}: {one.summary}" for one in seen if one.status == status]:
            return status, "; ".join(told)
    agreed = "; ".join(f"{one.verifier}: {one.summary}" for one in seen)
    if all("neutral" in one.facts for one in seen):
        return "pending", f"nothing that is configured can tell whether this is over ({agreed})"
    return "success", agreed


def _merged_at(state: IncidentState, incident: Incident, limits: RunLimits) -> str:
    """When a person's merge was told; of one that the policy made, the first look, from which the deadline counts."""
    told = [str(entry.get("at", "")) for entry in state["user_feedback_history"] if entry.get("kind") == "merged"]
    first_look = moment(incident.deadline)
    return (told[-1] if told else "") or (stamp(first_look - limits.deadline) if first_look else "")


def _of_this(state: IncidentState, rollout: Rollout) -> tuple[Observation, ...]:
    """Observations since the merge: an earlier attempt's pods say nothing about this one's."""
    return tuple(one for one in state["observations"] if one.at >= rollout.since)


def _failed(state: IncidentState, incident: Incident, result: str) -> IncidentState:
    """The next attempt has its own deadline; whether there is one is for `generate_action` to say."""
    return IncidentState(
        incident=incident.model_copy(update={"deadline": ""}),
        user_feedback_history=remember(state, kind="verified", outcome="failed", action=incident.chosen, words=result),
    )
