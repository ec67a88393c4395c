"""Objects that the API server refuses: set the field to the value that its message demands.

The rules are tried from the most certain one to the least certain one, and the first that knows a value ends the
search. Where no rule knows a value, only an older value from the history is proposed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import MISSING, get
from remediator.remedies.engine.acceptable_values import different_scalar
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.spelling import nearest
from remediator.remedies.objects.invalid_relations import repair_related_field
from remediator.remedies.objects.refusal import FieldRepair, Refusal, fix_of, refusals
from remediator.remedies.objects.undecodable import fix_value_type
from remediator.remedies.objects.unknown_fields import rename_unknown_field

_ONLY = re.compile(r'only "(?P<value>[^"]+)" (?:is|are) supported\b')
_MUST_BE = re.compile(r"^must be (?P<value>\d+|true|false)(?: for [a-z ]+)?$")
_MAY_NOT = re.compile(r"(?i)may not be (?:specified|used|set) when|must not be (?:set|specified)|may not be set when")
_REMOVABLE = (
    "rollingUpdate",
    "nodePort",
    "externalTrafficPolicy",
    "healthCheckNodePort",
    "loadBalancerSourceRanges",
    "loadBalancerClass",
    "allocateLoadBalancerNodePorts",
)
"""Fields without an effect where the API server refuses them, so that their removal changes nothing else."""


def fix_invalid_field(case: RemedyContext) -> Iterator[Fix]:
    """Set the refused field to the value that the message demands; an acceptable older value is tried first."""
    for refusal in refusals(case, "object_invalid"):
        yield from (fix_of(case, refusal, repair) for repair in _repairs(case, refusal))
    yield from rename_unknown_field(case)
    yield from fix_value_type(case)


def _repairs(case: RemedyContext, refusal: Refusal) -> list[FieldRepair]:
    """Return what the first rule that knows a value proposes, else the field's older values."""
    for repairs in (
        _supported_value(refusal),
        repair_related_field(case, refusal),
        _demanded_value(refusal),
        _only_value(refusal),
        _forbidden_field(refusal),
        _duplicate_item(refusal),
    ):
        if candidates := list(repairs):
            return candidates
    return list(_older_value(refusal))


def _supported_value(refusal: Refusal) -> Iterator[FieldRepair]:
    """Repair `Unsupported value: "x": supported values: "a", "b"` with the value spelt alike, or with the only one."""
    current = refusal.current
    if refusal.problem != "Unsupported value" or isinstance(current, dict | list) or str(current) != refusal.value:
        return
    values = re.findall(r'"([^"]+)"', refusal.detail)
    same_letters = [value for value in values if value.lower() == refusal.value.lower()]
    new = same_letters[0] if same_letters else nearest(refusal.value, values) or (values[0] if len(values) == 1 else "")
    field = str(refusal.path[-1])
    title = f"set {field} of `{refusal.name}` to {new}"
    reason = f"The API server does not accept `{refusal.value}` for {field}; it accepts {', '.join(values)}."
    yield FieldRepair(
        refusal.path, new or current, title, reason, score=0.8 if new else 0.0, accepts=lambda old: str(old) in values
    )


def _only_value(refusal: Refusal) -> Iterator[FieldRepair]:
    """Repair `only "Never" is supported when …`: the one value that goes with what else the object says."""
    match = _ONLY.match(refusal.detail)
    if match is None or str(refusal.current) != refusal.value:
        return
    title = f"set {refusal.path[-1]} of `{refusal.name}` to {match['value']}"
    reason = f"The API server does not accept {refusal.value} here: {refusal.detail.rstrip('.')}."
    yield FieldRepair(
        refusal.path, match["value"], title, reason, score=0.95, accepts=lambda old: str(old) == match["value"]
    )


def _demanded_value(refusal: Refusal) -> Iterator[FieldRepair]:
    """Repair `must be 1`: only one value is accepted."""
    current, match = refusal.current, _MUST_BE.match(refusal.detail.rstrip(". "))
    if match is None or current is MISSING or isinstance(current, dict | list):
        return
    if str(current).lower() != refusal.value.lower():
        return
    text = match["value"]
    value: Any = int(text) if text.isdigit() else text == "true"
    title = f"set {refusal.path[-1]} of `{refusal.name}` to {text}"
    reason = f"The API server accepts one value only: it {refusal.detail}."
    yield FieldRepair(refusal.path, value, title, reason, score=0.75, accepts=lambda old: str(old).lower() == text)


def _forbidden_field(refusal: Refusal) -> Iterator[FieldRepair]:
    """Repair `may not be specified when …` by removing a setting that has no effect there."""
    field = str(refusal.path[-1]) if refusal.path else ""
    if not _MAY_NOT.search(refusal.detail) or refusal.current is MISSING or field not in _REMOVABLE:
        return
    title = f"remove {field} from `{refusal.name}`"
    reason = f"The API server refuses the field: {field} {refusal.detail}."
    yield FieldRepair(refusal.path, MISSING, title, reason, score=0.65)


def _duplicate_item(refusal: Refusal) -> Iterator[FieldRepair]:
    """Remove an item that equals an earlier one; an item that only shares its name is left to the history."""
    if refusal.problem != "Duplicate value":
        return
    path = refusal.path
    at = next((index for index in range(len(path) - 1, -1, -1) if isinstance(path[index], int)), None)
    if at is None:
        return
    parent, position = get(refusal.manifest.body, path[:at]), path[at]
    items = parent if isinstance(parent, list) else []
    if not isinstance(position, int) or position >= len(items) or items[position] not in items[:position]:
        return
    title = f"remove the second `{refusal.value}` from {path[at - 1]} of `{refusal.name}`"
    reason = f"`{refusal.value}` is listed twice with the same content, which the API server refuses."
    yield FieldRepair(path[: at + 1], MISSING, title, reason, score=0.7)


def _older_value(refusal: Refusal) -> Iterator[FieldRepair]:
    """Ask for an older value of the field, if the refused value is still the current one."""
    current = refusal.current
    if current is MISSING or isinstance(current, dict | list):
        return
    if refusal.value and refusal.value != str(current):
        return
    title = f"restore {refusal.path[-1]} of `{refusal.name}`"
    reason = f"The API server refuses `{current}`: {refusal.detail or refusal.problem}."
    yield FieldRepair(refusal.path, current, title, reason, accepts=different_scalar(current))
