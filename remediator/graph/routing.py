"""The next node of the flow: pure functions of the state, one for each node that has a choice."""

from __future__ import annotations

from remediator.graph.state import IncidentState

CALM = frozenset({"info", ""})
"""Categories that mean nothing is wrong. `unknown` is none: something grave was read that no rule explains."""


def after_classify(state: IncidentState) -> str:
    """Record calm logs; look into everything else."""
    if state["error_category"] in CALM or state["error_severity"] == "info":
        return "final_feedback"
    return "analyze_root_cause"


def after_analyze(state: IncidentState) -> str:
    """End the flow where no allowed action fits, unless a merged change may have to be taken back: a person is needed."""
    return "generate_action" if state["proposals"] or state["incident"].merged else "final_feedback"


def after_generate(state: IncidentState) -> str:
    """Commit the change; without one, a pull request in review stays as it is, else a person is needed."""
    if not state["incident"].reason:
        return "commit_changes"
    return "get_user_feedback" if state["workflow_status"] == "awaiting_review" else "final_feedback"


def after_commit(state: IncidentState) -> str:
    """End a queued incident for now, verify a pull request that the policy has merged, and wait for a person on all others."""
    if state["incident"].held:
        return "final_feedback"
    pull = state["pull_request"]
    return "verify_recovery" if pull and pull.state == "merged" else "get_user_feedback"


def after_feedback(state: IncidentState) -> str:
    """Choose the next node by the last answer and the state of the pull request."""
    last = state["user_feedback_history"][-1] if state["user_feedback_history"] else {}
    match state["incident"].noted or last.get("kind"), state["workflow_status"]:
        case "merged", "needs_person":
            return "final_feedback"  # a revert was merged: it is not expected to end the incident
        case "merged", _:
            return "verify_recovery"
        case "revert", "verifying":
            return "generate_action"
        case "verify", "verifying" | "awaiting_review":
            return "verify_recovery"
        case "cleared", "resolved":
            return "final_feedback"
        case "confirmed", "resolved":
            return "final_feedback"
        case "closed", "rejected" | "unconfirmed":
            return "final_feedback"
        case "changes_requested", "awaiting_review":
            return "generate_action"
        case _:
            return "get_user_feedback"


def after_verify(state: IncidentState) -> str:
    """End on success, wait while pending, and try the next action after a failure while the limit allows.

    Where a model looked into the incident, it hears of the failure before the next attempt.
    """
    match state["verification_status"], state["workflow_status"]:
        case _, "awaiting_review":
            return "get_user_feedback"  # the incident has not cleared by itself
        case "success", "verifying":
            return "get_user_feedback"  # nobody has approved it: a person is asked to confirm
        case "success", _:
            return "final_feedback"
        case "failed", "verifying":
            return "analyze_root_cause" if state.get("second") else "generate_action"
        case "pending", "verifying":
            return "get_user_feedback"
        case _:
            return "final_feedback"
