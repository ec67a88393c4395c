"""Name the fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.graph.nodes.collect_logs import find_case
from remediator.graph.state import IncidentState

if TYPE_CHECKING:
    from remediator.domain.ports import LogSource


def classify_error(state: IncidentState, *, logs: LogSource) -> IncidentState:
    """Name the fault from its evidence, by rule alone: one pass over the logs told all incidents apart."""
    diagnosis = find_case(state, logs).diagnosis
    subject = diagnosis.subject
    return IncidentState(
        diagnosis=diagnosis,
        error_category=diagnosis.category,
        error_severity=diagnosis.severity,
        affected_apps=[subject.application] if subject.application else [],
        root_cause=diagnosis.summary,
    )
