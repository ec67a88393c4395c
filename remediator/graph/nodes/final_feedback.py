"""Record the outcome; every branch of the flow ends here."""

from __future__ import annotations

from remediator.graph.routing import CALM
from remediator.graph.state import IncidentState, remember

_REASONS = {"info": "nothing is wrong", "": "nothing was recognised"}


def final_feedback(state: IncidentState) -> IncidentState:
    """Set the final status and write the outcome into the history, where the next incident finds it."""
    status, incident = state["workflow_status"], state["incident"]
    reason = incident.reason
    if status == "recorded" and (state["error_category"] in CALM or state["error_severity"] == "info"):
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
