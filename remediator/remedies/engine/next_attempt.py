"""The next attempt after a merged change that did not end the incident, on the base as it is now.

What was located before the merge may be about a text that the merge has changed: an amount that proved too small is a
lower bound, and an older option for the same place would take it back under another title.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import yaml

from remediator.domain import quantities
from remediator.domain.yaml_paths import MISSING, format_path, get
from remediator.errors import ConfigError, PolicyViolation
from remediator.policy.leaves import documents
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.with_value import check_bounds
from remediator.yamledit import EditRefused

if TYPE_CHECKING:
    from remediator.domain.change import Edit, Place, Proposal
    from remediator.gitops import Repository
    from remediator.policy import Policies

Read = Callable[[str], bytes]


def outdated(proposal: Proposal, read: Read) -> str:
    """Return which place of the change no longer reads as it was located; empty where all do."""
    for place in proposal.places:
        now = _value_at(place, read)
        expected = place.value if place.exists else MISSING
        if isinstance(expected, dict | list) or (now is MISSING) != (expected is MISSING):
            same = now == expected
        else:
            same = str(now) == str(expected)
        if not same:
            shown = "absent" if now is MISSING else str(now)[:60]
            return (
                f"`{format_path(place.path)}` in `{place.file}` reads {shown} now, which this option was not made for"
            )
    return ""


def next_step(failed: Proposal, read: Read, repository: Repository, policies: Policies) -> Proposal | None:
    """Return the failed proposal with a larger amount, where it raised one that proved too small; None for any other."""
    rule = policies.actions.get(failed.action)
    found = _raised(failed)
    if found is None or rule is None or not rule.enabled or not rule.bounds.factor:
        return None
    place, edit, tried = found
    value = _spelled(tried * Decimal(str(rule.bounds.factor)), edit)
    present = place.model_copy(update={"value": edit.value, "exists": True})
    larger = edit.model_copy(update={"op": "set", "value": value})
    name = ".".join(str(step) for step in edit.path[-2:])
    proposal = failed.model_copy(
        update={
            "id": f"{failed.action}#{value}",
            "source": "rules",
            "title": f"raise {name} from {edit.value} to {value}",
            "reason": f"{edit.value} was merged and proved too small; this is {rule.bounds.factor:g} × as much. Check for a leak.",
            "parameters": {**failed.parameters, "from": str(edit.value), "to": str(value)},
            "places": (present,),
            "edits": (larger,),
            "history": (),
        }
    )
    if outdated(proposal, read):
        return None
    try:
        check_bounds(proposal, larger, edit.value, str(value), policies)
        after = repository.with_changes(changes((larger,), repository.read))
    except (PolicyViolation, EditRefused):
        return None
    if repository.validate(after):
        return None
    lines = [
        f"{change.application}: {change.kind}/{change.name} {format_path(change.path)}: {change.before} → {change.after}"
        for change in repository.difference(after)
    ]
    return proposal.model_copy(update={"rendered": tuple(lines[:40])})


def _raised(failed: Proposal) -> tuple[Place, Edit, Decimal] | None:
    """Return the place, the edit and the amount of a change that does no more than raise one amount."""
    if len(failed.edits) != 1 or len(failed.places) != 1 or failed.edits[0].op not in {"set", "insert"}:
        return None
    place, edit = failed.places[0], failed.edits[0]
    before, after = quantities.parse(place.value), quantities.parse(edit.value)
    if before is None or after is None or after <= before:
        return None
    return place, edit, after


def _spelled(amount: Decimal, edit: Edit) -> Any:
    if isinstance(edit.value, int):
        return math.ceil(amount)
    if edit.path and edit.path[-1] == "cpu":
        return quantities.cores_like(amount, str(edit.value))
    return quantities.bytes_like(amount, str(edit.value))


def _value_at(place: Place, read: Read) -> Any:
    try:
        bodies = documents(read(place.file)) or []
    except (FileNotFoundError, ConfigError):
        return MISSING
    value = get(bodies[place.document], place.path) if place.document < len(bodies) else MISSING
    if place.inside and isinstance(value, str):
        try:
            return get(yaml.safe_load(value), place.inside)
        except yaml.YAMLError:
            return MISSING
    return value
