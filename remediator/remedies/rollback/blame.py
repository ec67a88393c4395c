"""Whether the evidence points at just this change: by a word of its own, or by the way the field was turned.

That something changed lately proves nothing: most commits are innocent. A change is suspected only where the
evidence says a word that tells it from others, or where the fault is known to come from this very field and the
change went the way that brings the fault about (a limit lowered before memory ran out, never one raised).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path
from remediator.gitops import ObjectChange
from remediator.remedies.engine import quantities
from remediator.remedies.engine.case import RemedyContext
from remediator.remedies.rollback.differences import Difference

_COMMON = frozenset({
    "value", "values", "name", "key", "data", "type", "kind", "spec", "path", "port", "ports", "image",
    "host", "command", "args", "labels", "annotations", "env", "replicas", "memory", "cpu", "template",
    "selector", "metadata", "resources", "requests", "limits", "state", "status", "default", "true", "false",
    "null", "none", "yes",
})  # fmt: skip
"""Names of fields and values that half of all messages say, whatever they are about."""
_ALLOWED_LIST = re.compile(r"for fields other than .*? are forbidden|supported values: .*|must be one of .*", re.DOTALL)
"""What a message lists as permitted is not what it complains of."""
_CAPACITY = re.compile(
    r"(?i)mem|heap|xm[xs]|java|jvm|opts|worker|thread|concurren|parallel|cache|buffer|pool|batch|queue|max"
)
_WIDE = frozenset({"spec", "metadata", "data", "rules"})


_NEED_A_WORD = {"crashloop", "network_error", "application_error", "permission_denied", "sync_error"}
"""Faults that can come from so many fields that the evidence must name the one."""
_NAME_THE_FIELD = ("object_invalid", "object_undecodable", "unknown_field", "field_immutable")
"""Complaints of the API server, which says what it objects to."""
_NAME_AN_IMAGE = {"image_not_found", "image_invalid_name", "image_platform"}


def suspected(
    case: RemedyContext, difference: Difference, owner: str, effects: Sequence[ObjectChange], mentioned: bool, known_fields: bool
) -> bool:  # fmt: skip
    """Whether the evidence points at this change among all that happened.

    `owner` is the name of the item that a changed value belongs to; `known_fields` tells that the fault comes from
    few fields, and that this is one of them.
    """
    category, signals = case.diagnosis.category, {one.signal for one in case.diagnosis.evidence}
    if complaints := case.signals(*_NAME_THE_FIELD):
        return any(_complained(one, difference, effect, mentioned) for one in complaints for effect in effects)
    if category in _NEED_A_WORD:
        return mentioned
    measured = all(
        "resources" in effect.path for effect in effects
    )  # a quantity is told by its direction, not by its figure
    if category in ("oom", "resource_exhausted"):
        raised = any(gives_more(effect, "limits") or less_capacity(effect, owner) for effect in effects)
        return raised or (mentioned and not measured)
    if signals & {"insufficient_resource", "quota_exceeded"}:
        sides = ("requests", "limits") if "quota_exceeded" in signals else ("requests",)
        fewer = any(asks_less(effect, case.facts("resource"), sides) or _scaled_up(effect) for effect in effects)
        return fewer or (mentioned and not measured)
    if mentioned:
        return True
    if category == "probe_failure":
        return difference.op != "changed" and isinstance(difference.old or difference.new, dict | list)
    return known_fields and not signals & _NAME_AN_IMAGE


def _complained(one: Evidence, difference: Difference, effect: ObjectChange, mentioned: bool) -> bool:
    """Whether the API server complains of just this object, and of this field or in words of this change."""
    kind, name = one.facts.get("invalid_kind", effect.kind), one.facts.get("invalid_name", effect.name)
    if (effect.kind, effect.name) != (kind, name):
        return False
    retyped = difference.op != "changed" or type(difference.old) is not type(difference.new)
    if one.signal == "object_undecodable" and not retyped:
        return False
    return mentioned or on_field(effect.path, one.facts.get("field", ""))


def _scaled_up(effect: ObjectChange) -> bool:
    counts = (effect.before, effect.after)
    return effect.path[-1:] == ("replicas",) and all(isinstance(one, int) for one in counts) and counts[0] > counts[1]


def telling(words: Iterable[str], identities: Iterable[str]) -> list[str]:
    """The words that no message about this object says anyway."""
    known = {*_COMMON, *identities}
    return [word for word in words if word.lower() not in known and len(word) > 2]


def spoken(texts: Iterable[str]) -> str:
    """What messages complain of."""
    return " ".join(_ALLOWED_LIST.sub(" ", text) for text in texts)


def amounts(effect: ObjectChange) -> Iterator[tuple[YamlPath, Any, Any]]:
    """The single values that an effect changes: path, as it stands, as it would stand."""
    yield from _pairs(effect.path, effect.before, effect.after)


def _pairs(path: YamlPath, before: Any, after: Any) -> Iterator[tuple[YamlPath, Any, Any]]:
    if isinstance(before, dict) or isinstance(after, dict):
        one, two = (side if isinstance(side, dict) else {} for side in (before, after))
        for key in dict.fromkeys((*one, *two)):
            yield from _pairs((*path, key), one.get(key, MISSING), two.get(key, MISSING))
    elif before != after:
        yield path, before, after


def gives_more(effect: ObjectChange, part: str) -> bool:
    """Whether taking the change back lifts one of these bounds (`limits`, `requests`), or takes it away."""
    for path, before, after in amounts(effect):
        now, then = quantities.parse(before), quantities.parse(after) if after is not MISSING else None
        if part in path and now is not None and (after is MISSING if then is None else then > now):
            return True
    return False


def asks_less(effect: ObjectChange, resources: Iterable[str], sides: Sequence[str] = ("requests",)) -> bool:
    """Whether taking the change back asks the cluster for less of these resources; of any, where none is named."""
    wanted = set(resources)
    for path, before, after in amounts(effect):
        now, then = quantities.parse(before), Decimal(0) if after is MISSING else quantities.parse(after)
        if now is None or then is None or then >= now or (wanted and str(path[-1]) not in wanted):
            continue
        if any(side in path for side in sides) or "/" in str(path[-1]):
            return True
    return False


def less_capacity(effect: ObjectChange, name: str) -> bool:
    """Whether a setting that makes a program use more memory was raised by the change."""
    if "resources" in effect.path or not _CAPACITY.search(f"{name} {format_path(effect.path)} {effect.before}"):
        return False
    before, after = re.split(r"(\d+)", str(effect.before)), re.split(r"(\d+)", str(effect.after))
    numbers = list(zip(before[1::2], after[1::2], strict=False))
    return before[::2] == after[::2] and bool(numbers) and any(int(now) > int(then) for now, then in numbers)


def on_field(path: YamlPath, field: str) -> bool:
    """Whether a rendered path lies on the field that the API server names, or below or above it."""
    named = re.sub(r"(emplate)\.(labels|annotations)\b", r"\1.metadata.\2", field.strip("[]. "))
    if named in _WIDE or not named:
        return False
    indexed = "[" in named
    one, two = _steps(format_path(path), indexed), _steps(named, indexed)
    shorter = min(len(one), len(two))
    return shorter > 1 and one[:shorter] == two[:shorter]


def _steps(text: str, indexed: bool) -> list[str]:
    found = re.findall(r"\[\"?([^\]\"]+)\"?\]|([^.\[\]]+)", text)
    return [inner or plain for inner, plain in found if indexed or not (inner and inner.isdigit())]
