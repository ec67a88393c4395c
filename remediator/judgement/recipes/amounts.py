"""The right value of a setting, in the spelling of the present one: `8m` stays `16m`, 4 stays a number."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from remediator.domain.yaml_paths import MISSING
from remediator.policy import RightValue

_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-zµ]*)\s*", re.ASCII)
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s|d)")
_SIZES = {"": 0, "b": 0, "byte": 0, "bytes": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SECONDS = {
    "": 1.0, "ms": 0.001, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "minutes": 60.0,
    "h": 3600.0, "d": 86400.0,
}  # fmt: skip
_NEAR = 0.08
"""Distance, as a share, by which two spellings of one limit may differ: 4MB and 4MiB are one."""


def split(value: Any) -> tuple[float, str] | None:
    """Return the number and its suffix, or None where the value is no quantity."""
    if isinstance(value, bool) or value is None or value is MISSING:
        return None
    match = _NUMBER.fullmatch(str(value).strip("\"'"))
    return (float(match[1]), match[2]) if match else None


def base_amount(value: Any, rule: RightValue, *, scaled: bool) -> float | None:
    """Return a quantity in base units: bytes, seconds, or the number itself; `scaled` for the setting's own text."""
    if rule.unit == "time" and isinstance(value, str) and len(_PARTS.findall(value)) > 1:
        return sum(float(number) * _SECONDS[suffix] for number, suffix in _PARTS.findall(value))
    parts = split(value)
    if parts is None:
        return None
    number, suffix = parts
    factor = _unit(suffix, rule)
    if factor is None:
        return None
    return number * factor * (rule.scale if scaled and not suffix else 1)


def _unit(suffix: str, rule: RightValue) -> float | None:
    if rule.unit == "time":
        return _SECONDS.get(suffix)
    if rule.unit == "size":
        stem = re.sub(r"i?b?$", "", suffix.lower()) if len(suffix) > 1 and suffix.lower() not in _SIZES else suffix
        power = _SIZES.get(stem.lower())
        return None if power is None else float(1024**power)
    return 1.0


def is_limit(value: Any, rule: RightValue, captured: Mapping[str, str]) -> bool:
    """Return False where the message states a limit and the setting holds another one."""
    if not rule.limit or not captured.get(rule.limit):
        return True
    stated, current = base_amount(captured[rule.limit], rule, scaled=False), base_amount(value, rule, scaled=True)
    return stated is None or (current is not None and abs(current - stated) <= _NEAR * max(current, stated))


class _Removed:
    def __str__(self) -> str:
        return "absent"


REMOVED: Any = _Removed()
"""Stands for a setting that should not be there, which MISSING, nothing to change, is not."""


def right_value(current: Any, rule: RightValue, captured: Mapping[str, str]) -> Any:
    """Return the value that the setting should have; MISSING where there is none or it stands there already."""
    value = _wanted(current, rule, captured)
    return MISSING if value is MISSING or _same(value, current) else value


def _wanted(current: Any, rule: RightValue, captured: Mapping[str, str]) -> Any:
    if rule.removed:
        return MISSING if current is MISSING else REMOVED
    if isinstance(rule.fixed, str):
        return re.sub(r"\{(\w+)\}", lambda group: captured.get(group[1], group[0]), rule.fixed)
    if rule.fixed is not None:
        return rule.fixed
    if rule.capture:
        return captured.get(rule.capture) or MISSING
    start = rule.default if current is MISSING or current is None else current
    if start is None and not rule.unit:
        start = captured.get(rule.limit)
    parts = split(start)
    if start is None or parts is None or not is_limit(start, rule, captured):
        return MISSING
    number, suffix = parts
    raised = number * rule.factor
    needed = base_amount(captured.get(rule.at_least), rule, scaled=False) if rule.at_least else None
    unit = _unit(suffix, rule)
    if needed is not None and unit:
        needed_number = needed / (unit * (rule.scale if not suffix else 1))
        if number >= needed_number:
            return MISSING  # what did not fit would fit: this is not the setting that was hit
        while raised < needed_number:
            raised *= rule.factor
    raised = max(raised, rule.minimum)
    raised = min(raised, rule.maximum) if rule.maximum else raised
    if raised <= number:
        return MISSING
    return _spelled(raised, suffix, start)


def _spelled(number: float, suffix: str, model: Any) -> Any:
    whole = math.ceil(number) if isinstance(model, int) or "." not in str(model) else number
    text = str(int(whole)) if float(whole).is_integer() else f"{whole:g}"
    if isinstance(model, str) or suffix:
        gap = " " if re.search(r"\d\s+[A-Za-z]", str(model)) else ""
        return f"{text}{gap if suffix else ''}{suffix}"
    return int(text) if float(whole).is_integer() else float(text)


def _same(value: Any, current: Any) -> bool:
    if isinstance(value, bool) or isinstance(current, bool):
        return str(value).lower() == str(current).lower()
    return str(value) == str(current)
