"""The state of one incident: plain fields and frozen values, never a secret or a client."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, TypedDict, Unpack, cast

from remediator.domain.change import Edit, Place, Proposal, PullRequest
from remediator.domain.incident import Diagnosis, Evidence, Subject
from remediator.domain.lifecycle import (
    HistoryEntry,
    Incident,
    Observation,
    Record,
    Review,
    SecondReading,
    VerificationStatus,
    WorkflowStatus,
)


class IncidentState(TypedDict, total=False):
    """One incident from its log to its end; a node returns the fields that it changes."""

    raw_log: str
    """The redacted excerpt, never the whole log."""
    log_source: str
    timestamp: str
    """The time at which the log was read, RFC 3339, UTC."""
    error_category: str
    error_severity: str
    affected_apps: list[str]
    root_cause: str
    suggested_actions: list[str]
    """Action ids in rank order."""
    user_recognition: str
    """The reviewer's words."""
    user_approved_action: str
    """The id of the action that a person approved."""
    git_changes: dict[str, str]
    """Full new text by path; `deleted_files` returns the files that the change deletes."""
    commit_message: str
    commit_hash: str
    recovery_result: str
    verification_status: VerificationStatus
    incident_id: str
    workflow_status: WorkflowStatus
    user_feedback_history: list[HistoryEntry]
    """Reviews, attempts and outcomes in order."""

    evidence: tuple[Evidence, ...]
    """Empty: the evidence stands in the diagnosis. States of older releases have it here too, and LangGraph cannot resume
    a checkpoint with a channel that no longer exists."""
    diagnosis: Diagnosis | None
    """The classified incident with its evidence."""
    proposals: tuple[Proposal, ...]
    pull_request: PullRequest | None
    observations: tuple[Observation, ...]
    incident: Incident
    second: SecondReading | None
    """The model's answer, where one is configured; absent in states of older releases."""


BRANCH_PREFIX = "remediator/"

PLAN_FIELDS: tuple[str, ...] = (
    "raw_log",
    "log_source",
    "timestamp",
    "error_category",
    "error_severity",
    "affected_apps",
    "root_cause",
    "suggested_actions",
    "user_recognition",
    "user_approved_action",
    "git_changes",
    "commit_message",
    "commit_hash",
    "recovery_result",
    "verification_status",
    "incident_id",
    "workflow_status",
    "user_feedback_history",
)

VALUES: tuple[type, ...] = (
    Diagnosis,
    Edit,
    Evidence,
    Incident,
    Observation,
    Place,
    Proposal,
    PullRequest,
    Review,
    SecondReading,
    Subject,
)
"""The only classes that a checkpoint may instantiate."""


def initial_state(incident_id: str, incident: Incident, history: list[HistoryEntry] | None = None) -> IncidentState:
    """Return a state with every field at its initial value, so that no value of an earlier run of the thread remains."""
    return IncidentState(
        raw_log="",
        log_source="",
        timestamp="",
        error_category="",
        error_severity="",
        affected_apps=[],
        root_cause="",
        suggested_actions=[],
        user_recognition="",
        user_approved_action="",
        git_changes={},
        commit_message="",
        commit_hash="",
        recovery_result="",
        verification_status="pending",
        incident_id=incident_id,
        workflow_status="recorded",
        user_feedback_history=list(history or []),
        evidence=(),
        diagnosis=None,
        proposals=(),
        pull_request=None,
        observations=(),
        incident=incident,
        second=None,
    )


def without_log_texts(channel: str, value: Any) -> Any:
    """Return a field without log texts: signatures, counts, references and the text of the pull request stay."""
    match channel, value:
        case "raw_log", str():
            return ""
        case "evidence", tuple() | list():
            return type(value)(_without_texts(value))
        case "second", SecondReading():  # its raw answer may quote more of a log than was checked and shown
            return value.model_copy(update={"answer": ""})
        case "diagnosis", Diagnosis():
            return value.model_copy(update={"evidence": _without_texts(value.evidence), "context": ()})
        case _:
            return value


def _without_texts(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(item.model_copy(update={"text": ""}) for item in evidence)


def evidence_of(state: IncidentState) -> tuple[Evidence, ...]:
    """Return the evidence of an incident; it is stored once, in the diagnosis."""
    return state["diagnosis"].evidence if state["diagnosis"] else ()


def chosen(state: IncidentState) -> Proposal | None:
    """Return the proposal of the present change."""
    chosen_id = state["incident"].chosen
    return next((proposal for proposal in state["proposals"] if proposal.id == chosen_id), None)


def deleted_files(state: IncidentState) -> tuple[str, ...]:
    """Return the files that the present change deletes; `git_changes` contains texts only."""
    proposal = chosen(state)
    edits = proposal.edits if proposal and state["commit_message"] else ()
    return tuple(e.file for e in edits if e.op == "remove" and e.file not in state["git_changes"])


def all_changes(state: IncidentState) -> dict[str, str | None]:
    """Return the whole change: full new text by path, None to delete."""
    return {**state["git_changes"], **dict.fromkeys(deleted_files(state))}


def branch_name(state: IncidentState) -> str:
    """Return the branch's name. It is deterministic, so that the branch of a killed run is found again."""
    return f"{BRANCH_PREFIX}{state['incident_id']}-{state['incident'].attempt}"


def as_recorded(state: IncidentState, pull: PullRequest) -> PullRequest:
    """Return the pull request with the head that this incident recorded: whatever stands on top of it is a person's.

    Only the recorded head may be removed; without a record nothing is.
    """
    return pull.model_copy(update={"head": state["commit_hash"] or _UNRECORDED})


_UNRECORDED = "0" * 40


def made_for(branch: str, incident_id: str) -> bool:
    """Return whether a branch was made for this incident, in any attempt."""
    return branch.rpartition("-")[0] == f"{BRANCH_PREFIX}{incident_id}"


def remember(state: IncidentState, **facts: Unpack[HistoryEntry]) -> list[HistoryEntry]:
    """Return the history with one more entry, without empty facts."""
    return [*state["user_feedback_history"], history_entry(**facts)]


def history_entry(**facts: Unpack[HistoryEntry]) -> HistoryEntry:
    """Return an entry without empty facts; the stored form is the same plain mapping."""
    return cast("HistoryEntry", {key: value for key, value in facts.items() if value})


def record(thread: str, values: dict[str, Any]) -> Record:
    """Return the readable head of a stored document."""
    if "incident" not in values:
        return Record(incident_id=thread)
    state = cast("IncidentState", values)
    incident, diagnosis, pull = state["incident"], state.get("diagnosis"), state.get("pull_request")
    return Record(
        incident_id=thread,
        fingerprint=incident.fingerprint,
        about=incident.about,
        names=incident.names,
        generation=incident.generation,
        attempt=incident.attempt,
        seen=incident.seen,
        category=state["error_category"],
        severity=state["error_severity"],
        applications=tuple(state["affected_apps"]),
        summary=diagnosis.summary if diagnosis else "",
        status=state["workflow_status"],
        verification=state["verification_status"],
        action=incident.chosen,
        branch=pull.branch if pull else "",
        base=pull.base if pull else "",
        commit=state["commit_hash"],
        reason=incident.reason,
        quiet_until=incident.quiet_until,
        held=incident.held,
        opening=incident.opening,
        change=_change(state),
        opened=tuple(
            entry["at"]
            for entry in state["user_feedback_history"]
            if entry.get("kind") == "proposed" and entry.get("at")
        ),
        updated=max([incident.last_seen, *(entry.get("at", "") for entry in state["user_feedback_history"])]),
    )


def _change(state: IncidentState) -> str:
    """Return a digest of the present change: incidents of several clusters often need the same edit."""
    pull, changes = state.get("pull_request"), all_changes(state)
    if pull is None or pull.state != "open" or not changes:
        return ""
    text = json.dumps([pull.base, sorted(changes.items())])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
