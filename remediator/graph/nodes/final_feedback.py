"""Record the outcome; every branch of the flow ends here."""

from __future__ import annotations

from remediator.graph.routing import CALM
from remediator.graph.state import IncidentState, remember

_REASONS = {"info": "nothing is wrong", "unknown": "nothing was recognised", "": "nothing was recognised"}


def final_feedback(state: IncidentState) -> IncidentState:
    """Set the final status and write the outcome into the history, where the next incident finds it."""
    status, incident = state["workflow_status"], state["incident"]
    reason, second = incident.reason, state.get("second")
    if state["error_category"] == "unknown" and second and second.heard and status == "recorded" and not incident.held:
        # No rule knows it, and the model has looked: advice for a person.
        status = "needs_person"
        reason = reason or f"no rule knows this; {second.model} has looked at it"
    elif status == "recorded" and (state["error_category"] in CALM or state["error_severity"] == "info"):
        status = "recorded"
        reason = reason or _REASONS.get(state["error_category"], "nothing needs to be done")
    elif status == "recorded" and not incident.held:
        status = "needs_person"
    return IncidentState(
        workflow_status=status,
        incident=incident.model_copy(update={"reason": reason}),
        user_feedback_history=remember(
            state, kind="ended", outcome=status, action=incident.chosen, words=reason or state["recovery_result"]
        ),
    )
