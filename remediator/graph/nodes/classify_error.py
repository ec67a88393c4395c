"""Name the fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.graph.nodes.collect_logs import find_case
from remediator.graph.state import IncidentState

if TYPE_CHECKING:
    from remediator.domain.incident import Diagnosis
    from remediator.domain.ports import LogSource, Planner


def classify_error(state: IncidentState, *, logs: LogSource, planner: Planner) -> IncidentState:
    """Name the fault from its evidence, by rule alone: one pass over the logs told all incidents apart."""
    diagnosis = find_case(state, logs).diagnosis
    return IncidentState(
        diagnosis=diagnosis,
        error_category=diagnosis.category,
        error_severity=diagnosis.severity,
        affected_apps=_applications(diagnosis, planner),
        root_cause=diagnosis.summary,
    )


def _applications(diagnosis: Diagnosis, planner: Planner) -> list[str]:
    """Return the Applications that the log names; look up those of a recorded incident here, since no later node does."""
    subject = diagnosis.subject
    if subject.application:
        return [subject.application]
    if diagnosis.severity == "info" and (subject.name or subject.pod):
        return list(planner.propose(diagnosis).applications)
    return []
