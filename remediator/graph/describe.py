"""Convert the state of an incident into the value that every report is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from remediator import __version__
from remediator.domain.incident import Diagnosis, Subject
from remediator.domain.lifecycle import TAKE_BACK, SecondReading
from remediator.domain.sources import short
from remediator.graph.state import branch_name, chosen
from remediator.report import Diff, IncidentReport, unified_diff
from remediator.report.wording import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.domain.lifecycle import Base
    from remediator.domain.ports import Read
    from remediator.graph.state import IncidentState


def incident_report(
    state: IncidentState,
    *,
    base: Base | None = None,
    changes: Mapping[str, str | None] | None = None,
    read: Read | None = None,
    reply_by: Literal["comment", "command"] | None = None,
    promises: Sequence[str] = (),
    repo: str = "",
) -> IncidentReport:
    """Return the report of one incident; differences are included only where the old texts can be read."""
    incident, proposal, pull = state["incident"], chosen(state), state["pull_request"]
    diagnosis = state["diagnosis"] or Diagnosis(
        category=state["error_category"] or "unknown", severity="info", subject=Subject(), summary="not diagnosed"
    )
    by = reply_by or ("comment" if pull and pull.url else "command")
    diffs = [_diff(path, text, read) for path, text in (changes or {}).items()] if read else []
    return IncidentReport(
        incident_id=state["incident_id"],
        diagnosis=diagnosis,
        proposal=proposal,
        alternatives=state["proposals"],
        status=state["workflow_status"],
        reason=incident.reason,
        policy=(base.note,) if base and base.note else (),
        diffs=tuple(diffs),
        attempt=incident.attempt,
        failed=_failure(state),
        follows=_earlier(state),
        reading=state.get("second") or SecondReading(model="", note=""),
        sightings=incident.seen,
        last_seen=incident.last_seen,
        now=state["timestamp"],
        version=__version__,
        branch=branch_name(state),
        base=pull.base if pull else "",
        url=pull.url if pull else "",
        reply_by=by,
        repo=repo if by == "command" else "",
        verification=_verification(incident.chosen, promises, by, command(f"verify {state['incident_id']}", repo)),
    )


def _failure(state: IncidentState) -> str:
    """Return the verifiers' result of the previous attempt; empty where a person ended that attempt."""
    outcomes = [entry for entry in state["user_feedback_history"] if entry.get("kind") in {"verified", "revert"}]
    return short(outcomes[-1].get("words", "")) if outcomes and outcomes[-1]["kind"] == "verified" else ""


def _verification(chosen_id: str, promises: Sequence[str], by: str, look: str) -> str:
    """Return the checks after the merge, and where their result will be shown."""
    if chosen_id == TAKE_BACK:
        return "the incident then needs a person: a revert alone is not expected to end it"
    if not promises:
        return ""
    verdict_place = "the result is posted here as a comment" if by == "comment" else f"`{look}` shows the result"
    return f"{', '.join(dict.fromkeys(promises))}; {verdict_place}"


def _earlier(state: IncidentState) -> str:
    """Return the address of the previous attempt's pull request."""
    urls = [
        entry.get("url", "")
        for entry in state["user_feedback_history"]
        if entry.get("kind") == "proposed" and entry.get("branch") != branch_name(state)
    ]
    return urls[-1] if urls else ""


def _diff(path: str, text: str | None, read: Read) -> Diff:
    try:
        old: bytes | None = read(path)
    except FileNotFoundError:
        old = None
    return Diff(name=path, text=unified_diff(path, old, None if text is None else text.encode()))
