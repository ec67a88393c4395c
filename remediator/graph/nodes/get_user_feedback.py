"""Wait for a person, or for the next check."""

from __future__ import annotations

from langgraph.types import interrupt

from remediator.domain.lifecycle import TAKE_BACK, Incident, Review
from remediator.graph.state import IncidentState, chosen, remember


def get_user_feedback(state: IncidentState) -> IncidentState:
    """Stop here until something happens to the pull request, then apply it to the state.

    The interrupt stands alone at the top: on resume the node runs again from its start.
    """
    answer = interrupt({"incident_id": state["incident_id"], "status": state["workflow_status"]})
    return take_note(state, Review.model_validate(answer))


def take_note(state: IncidentState, review: Review) -> IncidentState:
    """Apply one event to the state; an event that no longer fits the pull request is recorded and changes nothing else."""
    history = remember(
        _without_a_look(state),
        kind=review.kind,
        by=review.by,
        words=review.words,
        commit=review.commit,
        at=review.at,
        ref=review.ref,
    )
    pull, proposal = state["pull_request"], chosen(state)
    incident = state["incident"].model_copy(update={"noted": review.kind})
    action = proposal.action if proposal else ""
    waiting = state["workflow_status"] == "awaiting_review"
    words = review.words or state["user_recognition"]
    noted = IncidentState(user_feedback_history=history, user_recognition=words, incident=incident)
    match review.kind:
        case "seen":
            return IncidentState(incident=seen_again(incident, review.at))
        case "approved" if waiting and pull and review.commit == pull.head:
            noted["user_approved_action"] = action
        case "merged" if waiting and pull:
            noted["pull_request"] = pull.model_copy(update={"state": "merged", "merge_commit": review.commit})
            noted["user_approved_action"] = state["user_approved_action"] or (action if review.by else "")
            noted["workflow_status"] = "verifying"
            noted["incident"] = incident.model_copy(update={"merged": True})
            if incident.chosen == TAKE_BACK:
                noted["workflow_status"] = "needs_person"
                noted["incident"] = incident.model_copy(update={"reason": "the change was reverted"})
        case "closed" if waiting and pull:
            noted["pull_request"] = pull.model_copy(update={"state": "closed"})
            noted["workflow_status"] = "rejected"
            noted["incident"] = incident.model_copy(update={"reason": review.words, "quiet_until": review.until})
            if incident.chosen == TAKE_BACK:
                noted["workflow_status"] = "unconfirmed"
                why = f"it was not reverted: {review.words}".removesuffix(": ")
                noted["incident"] = incident.model_copy(update={"reason": why})
        case "cleared" if waiting:
            noted["workflow_status"] = "resolved"
            noted["recovery_result"] = review.words
            noted["verification_status"] = "success"
        case "revert" if incident.merged:
            noted["workflow_status"] = "verifying"
            noted["verification_status"] = "failed"
        case "confirmed" if state["workflow_status"] == "verifying":
            noted["workflow_status"] = "resolved"
            noted["recovery_result"] = f"confirmed by {review.by or 'a person'}"
    return noted


def seen_again(incident: Incident, at: str) -> Incident:
    """Count one more sighting; the calm time starts again."""
    update = {"seen": incident.seen + 1, "last_seen": at or incident.last_seen, "calm_since": ""}
    return incident.model_copy(update=update)


def _without_a_look(state: IncidentState) -> IncidentState:
    """Drop the last entry where it is a look of a sweep: of several looks in a row the history keeps one."""
    history = state["user_feedback_history"]
    if history and history[-1].get("kind") == "verify" and not history[-1].get("by"):
        return {**state, "user_feedback_history": history[:-1]}
    return state
