"""The state of an incident as one JSON object, for programs."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from remediator.domain.lifecycle import Base
from remediator.errors import RemediatorError
from remediator.graph.state import PLAN_FIELDS, all_changes, chosen, evidence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.change import Edit, Place, Proposal
    from remediator.domain.ports import Forge, Planner
    from remediator.graph.driver import DriverResult


def document(result: DriverResult) -> dict[str, Any]:
    """Return every field of the plan, then the values behind them; complete even where a step failed."""
    state = result.state
    pull, incident = state["pull_request"], state["incident"]
    plain: dict[str, Any] = {name: dict(state).get(name) for name in PLAN_FIELDS}
    return plain | {
        "git_changes": all_changes(state),
        "proposals": [_proposal(proposal) for proposal in state["proposals"]],
        "chosen": incident.chosen,
        "evidence": [item.model_dump(mode="json", exclude_defaults=True) for item in evidence_of(state)],
        "pull_request": pull.model_dump(mode="json") if pull else None,
        "observations": [observation.model_dump(mode="json") for observation in state["observations"]],
        "fingerprint": incident.fingerprint,
        "seen": incident.seen,
        "reason": _reason(result),
        "error": str(result.error) if result.error else "",
    }


def composed(
    documents: list[dict[str, Any]], results: Sequence[DriverResult], planner: Planner, forge: Forge
) -> list[dict[str, Any]]:
    """Return a dry run's documents so that they can be applied one after the other.

    Where two incidents change one file, the later text contains the edits of both; where the edits contradict
    each other, it stays as it was proposed alone.
    """
    so_far: dict[str, list[Edit]] = {}
    for entry, result in zip(documents, results, strict=True):
        proposal, pull = chosen(result.state), result.state["pull_request"]
        if not entry["git_changes"] or proposal is None or pull is None:
            continue
        base = Base(branch=pull.base, commit=result.state["incident"].base_commit)
        for path in entry["git_changes"]:
            edits = so_far.setdefault(path, [])
            shared = bool(edits)
            edits += [edit for edit in proposal.edits if edit.file == path and edit not in edits]
            if shared:
                with suppress(RemediatorError, FileNotFoundError, ValueError):
                    text = planner.edit(edits, partial(forge.read, base)).get(path)
                    entry["git_changes"][path] = None if text is None else text.decode()
    return documents


def _reason(result: DriverResult) -> str:
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
        "source": proposal.source,
        "risk": proposal.risk,
        "score": proposal.score,
    }


def _place(place: Place) -> dict[str, Any]:
    return place.model_dump(mode="json", exclude={"also_feeds", "notes"}) | {
        "also_feeds": list(place.also_feeds),
        "notes": list(place.notes),
    }
