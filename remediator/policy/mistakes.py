"""Explains a user's mistakes and says what to write instead."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from remediator.policy.models import Category

_SECRET = re.compile(r"token|passw|secret|credential|api_?key", re.IGNORECASE)
_DURATION = "^[0-9]+(s|m|h|d)$"
_KINDS = {"actions": ("action", ("title", "ends")), "categories": ("category", ("title", "severity"))}

_WORDS = frozenset({"workload", "container", "image", "probe", "resource", "restarts"})
"""The placeholders that every summary may use, whatever its signals find."""


def empty_placeholders(categories: Iterable[Category]) -> Iterator[tuple[str, str]]:
    """Yield placeholders of summaries that no signal's named group fills, since the sentence would have a hole."""
    for category in categories:
        groups = {name for signal in category.signals for name in re.findall(r"\(\?P?<(\w+)>", signal.pattern)}
        placeholders = sorted(_WORDS | groups)
        summaries = (category.summary, *(signal.summary for signal in category.signals))
        for name in re.findall(r"\{(\w+)\}", " ".join(summaries)):
            if name not in placeholders:
                yield (
                    category.id,
                    f"{{{name}}} is given by no signal of this category; known are {', '.join(placeholders)}",
                )


def unknown_ids(user: Mapping[str, Any], shipped: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield ids that neither ship nor are fully defined, with the id that was probably meant."""
    for section, (noun, required) in _KINDS.items():
        for name, body in (user.get(section) or {}).items():
            if name in shipped[section] or all(key in body for key in required):
                continue
            near = difflib.get_close_matches(str(name), list(shipped[section]), n=1)
            suggestion = f"did you mean {near[0]}?" if near else f"a new one needs {' and '.join(required)}"
            yield (section, str(name)), f"no such {noun}; {suggestion}"


def explain_violation(error: Any, steps: Sequence[str | int]) -> str:
    """Return in words what the schema expected."""
    if error.validator == "pattern" and error.validator_value == _DURATION:
        return f"{error.instance!r} is no duration: write one such as 12h or 7d"
    if error.validator != "additionalProperties":
        return str(error.message)
    allowed = sorted(error.schema.get("properties", {}))
    text = f"{error.message}; known are {', '.join(allowed)}"
    strange = [key for key in error.instance if key not in allowed]
    if steps[:1] == ["targets"] and any(_SECRET.search(str(key)) for key in strange):
        return f"{text}; secrets come from the environment (such as REMEDIATOR_LOKI_TOKEN__NAME)"
    return text
