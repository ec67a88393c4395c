"""The thread to which an incident belongs.

The decision is a pure function of the fingerprint and the stored records, so that repeats, races and crashes lead to the
same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.base import Value
from remediator.domain.lifecycle import OPEN_STATUSES, Incident, Record
from remediator.domain.times import moment, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from remediator.domain.lifecycle import Case
    from remediator.graph.limits import RunLimits

SHORTEST = 6
"""Hex digits of the fingerprint in an id; more are used only where another incident has the same ones."""


class IncidentStart(Value):
    """Run the graph from its start, on this thread."""

    incident_id: str
    incident: Incident
    earlier: Record | None = None
    """The previous generation, whose outcome goes into the history."""


class UnfinishedPublication(Value):
    """A run is publishing the change, or was killed while it did: publish too, since publishing twice has one effect."""

    record: Record


class SeenAgain(Value):
    """The incident is open: count one more sighting."""

    record: Record


class Quiet(Value):
    """A person declined the incident recently: report this and do nothing."""

    record: Record
    until: str


def is_same_incident(case: Case, record: Record) -> bool:
    """Return whether an open incident is this one under another fingerprint: its leading signal has changed, not the fault.

    An alert keeps firing after the pods with the fault are gone, and it fires before anybody has looked at them.
    """
    place, _, container = case.about.rpartition("/")
    stored_place, _, stored_container = record.about.rpartition("/")
    if (
        not place
        or place != stored_place
        or record.status not in OPEN_STATUSES
        or (container and stored_container and container != stored_container)
    ):
        return False
    return case.echo or (case.diagnosis.category == record.category and case.names in {"", record.names})


def decide(
    fingerprint: str,
    records: Sequence[Record],
    now: datetime,
    limits: RunLimits,
    case: Case | None = None,
) -> IncidentStart | UnfinishedPublication | SeenAgain | Quiet:
    """Return the one open thread of each fault. An incident without a pull request runs again; an ended one gets a new generation."""
    generations = sorted((r for r in records if r.fingerprint == fingerprint), key=lambda r: r.generation)
    last = generations[-1] if generations else Record(incident_id="")
    if last.opening:
        return UnfinishedPublication(record=last)
    if last.status in OPEN_STATUSES or (last.held and last.opened):
        return SeenAgain(record=last)
    if open_record := next((record for record in records if case and is_same_incident(case, record)), None):
        return SeenAgain(record=open_record)
    new = Incident(fingerprint=fingerprint, about=case.about if case else "", names=case.names if case else "")
    if not generations:
        return IncidentStart(incident_id=_new_id(fingerprint, records), incident=new)
    until = moment(last.quiet_until)
    if until is None and last.status == "rejected" and (closed := moment(last.updated)):
        until = closed + limits.cool_down
    if until and now < until:
        return Quiet(record=last, until=stamp(until))
    if not (last.branch or last.opened):
        again = new.model_copy(update={"generation": last.generation, "seen": last.seen + 1})
        return IncidentStart(incident_id=last.incident_id, incident=again)
    following = new.model_copy(update={"generation": last.generation + 1})
    stem = last.incident_id.rpartition("-")[0]
    return IncidentStart(incident_id=f"{stem}-{following.generation}", incident=following, earlier=last)


def _new_id(fingerprint: str, records: Sequence[Record]) -> str:
    stems = {record.incident_id.rpartition("-")[0] for record in records}
    for digits in range(SHORTEST, len(fingerprint)):
        if (stem := f"inc-{fingerprint[:digits]}") not in stems:
            return f"{stem}-1"
    return f"inc-{fingerprint}-1"
