"""The state of an incident as one JSON object, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.graph.state import PLAN_FIELDS, all_changes

if TYPE_CHECKING:
    from remediator.domain.change import Place, Proposal
    from remediator.graph.drive import Result


def document(result: Result) -> dict[str, Any]:
    """Every field of the plan, then what stands behind them; complete even where a step failed."""
    state = result.state
    pull, incident = state["pull_request"], state["incident"]
    plain: dict[str, Any] = {name: dict(state).get(name) for name in PLAN_FIELDS}
    return plain | {
        "git_changes": all_changes(state),
        "proposals": [_proposal(proposal) for proposal in state["proposals"]],
        "chosen": incident.chosen,
        "evidence": [item.model_dump(mode="json", exclude_defaults=True) for item in state["evidence"]],
        "pull_request": pull.model_dump(mode="json") if pull else None,
        "observations": [one.model_dump(mode="json") for one in state["observations"]],
        "fingerprint": incident.fingerprint,
        "seen": incident.seen,
        "reason": _reason(result),
        "error": str(result.error) if result.error else "",
    }


def _reason(result: Result) -> str:
    reason = result.state["incident"].reason
    if result.quiet_until:
        return f"rejected{f': {reason}' if reason else ''}; quiet until {result.quiet_until}"
    return reason


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "action": proposal.action,
        "title": proposal.title,
        "parameters": dict(proposal.parameters),
        "reason": proposal.reason,
        "evidence": list(proposal.evidence_ids),
        "place": _place(proposal.places[0]) if proposal.places else None,
        "places": [_place(place) for place in proposal.places],
        "risk": proposal.risk,
        "score": proposal.score,
    }


def _place(place: Place) -> dict[str, Any]:
    return place.model_dump(mode="json", exclude={"also_feeds", "notes"}) | {
        "also_feeds": list(place.also_feeds),
        "notes": list(place.notes),
    }
