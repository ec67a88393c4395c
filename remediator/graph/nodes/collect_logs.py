"""Take this incident's part of the logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.errors import ServiceError
from remediator.graph.state import IncidentState

if TYPE_CHECKING:
    from remediator.domain.lifecycle import Case
    from remediator.domain.ports import LogSource


def collect_logs(state: IncidentState, *, logs: LogSource) -> IncidentState:
    """Keep the redacted excerpt of the log; the log itself is not stored."""
    case = find_case(state, logs)
    return IncidentState(
        raw_log=case.excerpt,
        log_source=case.source,
        timestamp=case.read_at,
        incident=state["incident"].model_copy(update={"last_seen": case.read_at}),
    )


def find_case(state: IncidentState, logs: LogSource) -> Case:
    """Return the incident of this thread among all incidents in the logs."""
    fingerprint = state["incident"].fingerprint
    for case in logs.cases():
        if case.fingerprint == fingerprint:
            return case
    raise ServiceError(f"the logs no longer contain incident {state['incident_id']}")
