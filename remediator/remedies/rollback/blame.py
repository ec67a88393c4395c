"""Decide if the evidence points at a change: by a distinctive word, or by the direction of the change.

A recent change proves nothing by itself: most commits are harmless. A change is suspected only where the evidence
contains a word that distinguishes it from others, or where the fault is known to come from this field and the change
went in the direction that causes the fault (a limit lowered before memory ran out, never one raised).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path
from remediator.gitops import ObjectChange
from remediator.remedies.engine.case import RemedyContext
from remediator.remedies.rollback.differences import Difference

_COMMON = frozenset({
    "value", "values", "name", "key", "data", "type", "kind", "spec", "path", "port", "ports", "image",
    "host", "command", "args", "labels", "annotations", "env", "replicas", "memory", "cpu", "template",
    "selector", "metadata", "resources", "requests", "limits", "state", "status", "default", "true", "false",
    "null", "none", "yes",
})  # fmt: skip
"""Names of fields and values that are too frequent in messages to point at a change."""
_ALLOWED_LIST = re.compile(r"for fields other than .*? are forbidden|supported values: .*|must be one of .*", re.DOTALL)
"""The permitted values in a message: they are not what it complains about."""
_CAPACITY = re.compile(
    r"(?i)mem|heap|xm[xs]|java|jvm|opts|worker|thread|concurren|parallel|cache|buffer|pool|batch|queue|max"
)
_BROAD_FIELDS = frozenset({"spec", "metadata", "data", "rules"})


_NEED_A_WORD = {"crashloop", "network_error", "application_error", "permission_denied", "sync_error"}
"""Faults that can come from so many fields that the evidence must name the field."""
NAME_THE_FIELD = ("object_invalid", "object_undecodable", "unknown_field", "field_immutable")
"""Refusals of the API server, which name the refused field."""
_NAME_AN_IMAGE = {"image_not_found", "image_invalid_name", "image_platform"}


def is_suspected(
    case: RemedyContext, difference: Difference, owner: str, effects: Sequence[ObjectChange], mentioned: bool, known_fields: bool
) -> bool:  # fmt: skip
    """Return True where the evidence points at this change.

    `owner` is the name of the item that a changed value belongs to; `known_fields` is True where the fault comes from
    few fields, and this is one of them.
    """
    category, signals = case.diagnosis.category, {piece.signal for piece in case.diagnosis.evidence}
    if complaints := case.signals(*NAME_THE_FIELD):
        return any(
            _is_refused_change(piece, difference, effect, mentioned) for piece in complaints for effect in effects
        )
    if category in _NEED_A_WORD:
        return mentioned
    resources_only = all(
        "resources" in effect.path for effect in effects
    )  # a quantity is judged by its direction, not by its number
    if category in ("oom", "resource_exhausted"):
        raised = any(gives_more(effect, "limits") or less_capacity(effect, owner) for effect in effects)
        return raised or (mentioned and not resources_only)
    if signals & {"insufficient_resource", "quota_exceeded"}:
        sides = ("requests", "limits") if "quota_exceeded" in signals else ("requests",)
        asks_for_less = any(
            asks_less(effect, case.facts("resource"), sides) or _scaled_up(effect) for effect in effects
        )
        return asks_for_less or (mentioned and not resources_only)
    if mentioned:
        return True
    if category == "probe_failure":
        return difference.op != "changed" and isinstance(difference.old or difference.new, dict | list)
    return known_fields and not signals & _NAME_AN_IMAGE


def _is_refused_change(piece: Evidence, difference: Difference, effect: ObjectChange, mentioned: bool) -> bool:
    """Return True where the API server refuses this object, and names this field or words of this change."""
    kind, name = piece.facts.get("invalid_kind", effect.kind), piece.facts.get("invalid_name", effect.name)
    if (effect.kind, effect.name) != (kind, name):
        return False
    retyped = difference.op != "changed" or type(difference.old) is not type(difference.new)
    if piece.signal == "object_undecodable" and not retyped:
        return False
    return mentioned or on_field(effect.path, piece.facts.get("field", ""))


def _scaled_up(effect: ObjectChange) -> bool:
    counts = (effect.before, effect.after)
    return (
        effect.path[-1:] == ("replicas",) and all(isinstance(count, int) for count in counts) and counts[0] > counts[1]
    )


def distinctive_words(words: Iterable[str], identities: Iterable[str]) -> list[str]:
    """Return the words that are not in every message about this object."""
    common = {*_COMMON, *identities}
    return [word for word in words if word.lower() not in common and len(word) > 2]


def complaint_text(texts: Iterable[str]) -> str:
    """Return the messages as one text, without the values that they list as permitted."""
    return " ".join(_ALLOWED_LIST.sub(" ", text) for text in texts)


def changed_values(effect: ObjectChange) -> Iterator[tuple[YamlPath, Any, Any]]:
    """Yield the single values that an effect changes: path, current value, value after the rollback."""
    yield from _value_pairs(effect.path, effect.before, effect.after)


def _value_pairs(path: YamlPath, current: Any, restored: Any) -> Iterator[tuple[YamlPath, Any, Any]]:
    if isinstance(current, dict) or isinstance(restored, dict):
        old, new = (side if isinstance(side, dict) else {} for side in (current, restored))
        for key in dict.fromkeys((*old, *new)):
            yield from _value_pairs((*path, key), old.get(key, MISSING), new.get(key, MISSING))
    elif current != restored:
        yield path, current, restored


def gives_more(effect: ObjectChange, part: str) -> bool:
    """Return True where the rollback raises or removes one of these bounds (`limits`, `requests`)."""
    for path, current, restored in changed_values(effect):
        now, older = quantities.parse(current), quantities.parse(restored) if restored is not MISSING else None
        if part in path and now is not None and (restored is MISSING if older is None else older > now):
            return True
    return False


def asks_less(effect: ObjectChange, resources: Iterable[str], sides: Sequence[str] = ("requests",)) -> bool:
    """Return True where the rollback requests less of these resources; of any resource, where none is named."""
    names = set(resources)
    for path, current, restored in changed_values(effect):
        now, older = quantities.parse(current), Decimal(0) if restored is MISSING else quantities.parse(restored)
        if now is None or older is None or older >= now or (names and str(path[-1]) not in names):
            continue
        if any(side in path for side in sides) or "/" in str(path[-1]):
            return True
    return False


def less_capacity(effect: ObjectChange, name: str) -> bool:
    """Return True where the change raised a setting that makes a program use more memory."""
    if "resources" in effect.path or not _CAPACITY.search(f"{name} {format_path(effect.path)} {effect.before}"):
        return False
    current, restored = re.split(r"(\d+)", str(effect.before)), re.split(r"(\d+)", str(effect.after))
    numbers = list(zip(current[1::2], restored[1::2], strict=False))
    return current[::2] == restored[::2] and bool(numbers) and any(int(now) > int(older) for now, older in numbers)


def on_field(path: YamlPath, field: str) -> bool:
    """Return True where a rendered path is the field that the API server names, or is below or above it."""
    name = re.sub(r"(emplate)\.(labels|annotations)\b", r"\1.metadata.\2", field.strip("[]. "))
    if name in _BROAD_FIELDS or not name:
        return False
    indexed = "[" in name
    steps, field_steps = _steps(format_path(path), indexed), _steps(name, indexed)
    shorter = min(len(steps), len(field_steps))
    return shorter > 1 and steps[:shorter] == field_steps[:shorter]


def _steps(text: str, indexed: bool) -> list[str]:
    pairs = re.findall(r"\[\"?([^\]\"]+)\"?\]|([^.\[\]]+)", text)
    return [inner or plain for inner, plain in pairs if indexed or not (inner and inner.isdigit())]
