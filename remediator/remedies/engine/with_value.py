"""Change a proposal to the value that a reviewer names.

The place stays, the bounds of the policy hold, and no field may change that the first proposal did not change: a
reviewer corrects the number, not the fix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from remediator.domain import quantities
from remediator.domain.yaml_paths import format_path
from remediator.errors import PolicyViolation
from remediator.remedies.engine.apply import changes
from remediator.yamledit import EditRefused

if TYPE_CHECKING:
    from remediator.domain.change import Edit, Proposal
    from remediator.gitops import Repository
    from remediator.policy import Policies

_FIELDS: Mapping[tuple[str, ...], str] = {
    ("limits", "memory"): "raise_memory_limit",
    ("limits", "cpu"): "raise_cpu_limit",
}
"""The action whose bounds hold for a field, whichever action sets it."""


def with_value(proposal: Proposal, path: str, value: str, repository: Repository, policies: Policies) -> Proposal:
    """Return the proposal with this value, proved like the first one; PolicyViolation says what is allowed instead."""
    edit = _edit(proposal, path)
    old = next((p.value for p in proposal.places if (p.file, p.path) == (edit.file, edit.path)), None)
    new = _typed(edit.value, value)
    check_bounds(proposal, edit, old, value, policies)
    edits = tuple(item.model_copy(update={"value": new}) if item is edit else item for item in proposal.edits)
    rendered = _rendered(proposal, edits, repository)
    name = ".".join(str(step) for step in edit.path[-2:])
    return proposal.model_copy(
        update={
            "id": f"{proposal.action}#set",
            "source": "reviewer",
            "title": f"set {name} to {value}",
            "reason": f"A reviewer asked for {value} instead of {edit.value}.",
            "parameters": {**proposal.parameters, name: value},
            "edits": edits,
            "rendered": rendered,
        }
    )


def _edit(proposal: Proposal, path: str) -> Edit:
    """Return the only edit whose path is, or ends with, this path."""
    fit = [edit for edit in proposal.edits if edit.op in {"set", "insert"} and not isinstance(edit.value, dict | list)]
    matching = [edit for edit in fit if f".{format_path(edit.path)}".endswith(f".{path.lstrip('.')}")]
    if len(matching) == 1:
        return matching[0]
    options = ", ".join(dict.fromkeys(format_path(edit.path) for edit in matching or fit)) or "none"
    raise PolicyViolation(f"{path!r} {'could mean several' if matching else 'is no value of this change'}: {options}")


def _typed(old: Any, text: str) -> Any:
    """Return the text in the type of the value that it replaces: a number stays a number."""
    if isinstance(old, bool):
        if text.lower() not in {"true", "false"}:
            raise PolicyViolation(f"{text!r} must be true or false")
        return text.lower() == "true"
    if isinstance(old, int):
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise PolicyViolation(f"{text!r} must be a whole number")
        return int(text)
    return text


def check_bounds(proposal: Proposal, edit: Edit, old: Any, value: str, policies: Policies) -> None:
    """Raise PolicyViolation where the policy does not allow the value at the place that the edit changes."""
    owner = _FIELDS.get(tuple(map(str, edit.path[-2:])), proposal.action)
    action = policies.actions.get(owner)
    amount = quantities.parse(value)
    if quantities.parse(edit.value) is not None and amount is None:
        raise PolicyViolation(f"{value!r} is not a quantity; this change sets {edit.value}")
    if action is None or amount is None:
        return
    if not action.enabled:
        raise PolicyViolation(f"the policy disables {owner}, whose field this is")
    bounds, old_amount = action.bounds, quantities.parse(old)
    low, high = quantities.parse(bounds.minimum or None), quantities.parse(bounds.maximum or None)
    if high is not None and amount > high:
        raise PolicyViolation(f"{value} exceeds the maximum of {bounds.maximum} ({owner})")
    if low is not None and amount < low:
        raise PolicyViolation(f"{value} is below the minimum of {bounds.minimum} ({owner})")
    if bounds.max_factor and old_amount and amount > old_amount * Decimal(str(bounds.max_factor)):
        raise PolicyViolation(f"{value} is more than {bounds.max_factor:g} times the present {old} ({owner})")


def _rendered(proposal: Proposal, edits: tuple[Edit, ...], repository: Repository) -> tuple[str, ...]:
    """Return the changed fields, one line each; they must be the same that the first proposal changes."""
    try:
        after = repository.with_changes(changes(edits, repository.read))
        first = repository.with_changes(changes(proposal.edits, repository.read))
    except EditRefused as error:
        raise PolicyViolation(f"the edit was refused: {error}") from error
    if problems := repository.validate(after):
        raise PolicyViolation(f"the result is not valid: {problems[0].message}")
    differences = repository.difference(after)
    if not differences:
        raise PolicyViolation("nothing would change")
    expected = {(change.application, change.kind, change.name, change.path) for change in repository.difference(first)}
    for change in differences:
        if (change.application, change.kind, change.name, change.path) not in expected:
            raise PolicyViolation(
                f"it would also change {change.application}: {change.kind} {change.name} {format_path(change.path)}"
            )
    return tuple(
        f"{o.application}: {o.kind}/{o.name} {format_path(o.path)}: {o.before} → {o.after}" for o in differences[:40]
    )
