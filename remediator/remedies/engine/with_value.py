"""A proposal with a value that a reviewer names: another number at the same place, inside the same bounds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from remediator.domain.yaml_paths import format_path
from remediator.errors import PolicyViolation
from remediator.remedies.engine import quantities
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
"""Whose bounds hold for a field, whichever action sets it."""


def with_value(proposal: Proposal, path: str, value: str, repository: Repository, policies: Policies) -> Proposal:
    """Located, rendered and validated as the first one was; PolicyViolation says what is allowed instead."""
    edit = _edit(proposal, path)
    old = next((p.value for p in proposal.places if (p.file, p.path) == (edit.file, edit.path)), None)
    new = _typed(edit.value, value)
    _within(proposal, edit, old, value, policies)
    edits = tuple(one.model_copy(update={"value": new}) if one is edit else one for one in proposal.edits)
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
    """The one edit that the path names, whole or by its end."""
    fit = [edit for edit in proposal.edits if edit.op in {"set", "insert"} and not isinstance(edit.value, dict | list)]
    named = [edit for edit in fit if f".{format_path(edit.path)}".endswith(f".{path.lstrip('.')}")]
    if len(named) == 1:
        return named[0]
    known = ", ".join(dict.fromkeys(format_path(edit.path) for edit in named or fit)) or "none"
    raise PolicyViolation(f"{path!r} {'could mean several' if named else 'is no value of this change'}: {known}")


def _typed(old: Any, text: str) -> Any:
    """As the value that it replaces: a number stays a number, a text stays a text."""
    if isinstance(old, bool):
        if text.lower() not in {"true", "false"}:
            raise PolicyViolation(f"{text!r} must be true or false")
        return text.lower() == "true"
    if isinstance(old, int):
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise PolicyViolation(f"{text!r} must be a whole number")
        return int(text)
    return text


def _within(proposal: Proposal, edit: Edit, old: Any, value: str, policies: Policies) -> None:
    owner = _FIELDS.get(tuple(map(str, edit.path[-2:])), proposal.action)
    action = policies.actions.get(owner)
    amount = quantities.parse(value)
    if quantities.parse(edit.value) is not None and amount is None:
        raise PolicyViolation(f"{value!r} is no quantity; this change sets {edit.value}")
    if action is None or amount is None:
        return
    if not action.enabled:
        raise PolicyViolation(f"the policy disables {owner}, whose field this is")
    bounds, before = action.bounds, quantities.parse(old)
    low, high = quantities.parse(bounds.minimum or None), quantities.parse(bounds.maximum or None)
    if high is not None and amount > high:
        raise PolicyViolation(f"{value} exceeds the maximum of {bounds.maximum} ({owner})")
    if low is not None and amount < low:
        raise PolicyViolation(f"{value} is below the minimum of {bounds.minimum} ({owner})")
    if bounds.max_factor and before and amount > before * Decimal(str(bounds.max_factor)):
        raise PolicyViolation(f"{value} is more than {bounds.max_factor:g} times the present {old} ({owner})")


def _rendered(proposal: Proposal, edits: tuple[Edit, ...], repository: Repository) -> tuple[str, ...]:
    """What changes in the objects; it must be the same fields that the first proposal changes."""
    try:
        wanted = repository.with_changes(changes(edits, repository.read))
        first = repository.with_changes(changes(proposal.edits, repository.read))
    except EditRefused as error:
        raise PolicyViolation(f"the edit was refused: {error}") from error
    if problems := repository.validate(wanted):
        raise PolicyViolation(f"the result is not valid: {problems[0].message}")
    found = repository.difference(wanted)
    if not found:
        raise PolicyViolation("nothing would change")
    known = {(one.application, one.kind, one.name, one.path) for one in repository.difference(first)}
    for one in found:
        if (one.application, one.kind, one.name, one.path) not in known:
            raise PolicyViolation(
                f"it would also change {one.application}: {one.kind} {one.name} {format_path(one.path)}"
            )
    return tuple(
        f"{o.application}: {o.kind}/{o.name} {format_path(o.path)}: {o.before} → {o.after}" for o in found[:40]
    )
