"""What a model concluded, read with suspicion: what cites nothing that exists is dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from remediator.domain.base import Value
from remediator.judgement.model.facts import FactBook, shown

MOST_TRIED = 3
_MOST_WORDS = 900


class Conclusion(Value):
    """A conclusion as far as it holds."""

    told: bool
    """False where the model could not tell."""
    cause: str = ""
    category: str = ""
    cites: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    confidence: float = 0.0
    confirm: str = ""
    """What would confirm it."""
    why: str = ""
    look_at: str = ""
    dropped: int = 0


class ConclusionMistake(Exception):
    """A conclusion that cannot be taken; the message says what is missing."""


def concluded(
    arguments: Mapping[str, Any], facts: FactBook, tried: Sequence[str], categories: Sequence[str]
) -> Conclusion:
    """Return the conclusion; `ConclusionMistake` where it cites nothing or names changes that were not proved."""
    ids = _texts(arguments, "cites")
    cites = facts.known(ids)
    if not cites:
        raise ConclusionMistake("cites must name facts that exist, such as E1 or L14; else use cannot_tell")
    wanted = _texts(arguments, "tried")
    unknown = [name for name in wanted if name not in tried]
    if unknown:
        raise ConclusionMistake(
            f"no proved change has the id {unknown[0][:40]!r}; proved: {', '.join(tried) or 'none, so try_change first'}"
        )
    cause = _sentence(arguments, "cause")
    if not cause:
        raise ConclusionMistake("cause must say what is wrong, in a sentence")
    category = str(arguments.get("category") or "")
    known = category in categories
    confidence = arguments.get("confidence")
    return Conclusion(
        told=True,
        cause=cause,
        category=category if known else "",
        cites=cites,
        tried=tuple(dict.fromkeys(wanted))[:MOST_TRIED],
        confidence=min(max(float(confidence), 0.0), 1.0) if isinstance(confidence, int | float) else 0.0,
        confirm=_sentence(arguments, "what_would_confirm"),
        dropped=len(set(ids)) - len(cites) + int(not known),
    )


def untold(arguments: Mapping[str, Any]) -> Conclusion:
    """Return the conclusion of a model that cannot tell."""
    return Conclusion(told=False, why=_sentence(arguments, "why"), look_at=_sentence(arguments, "look_at"))


def _texts(arguments: Mapping[str, Any], name: str) -> list[str]:
    value = arguments.get(name)
    value = [value] if isinstance(value, str) else value
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _sentence(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    return shown(value, _MOST_WORDS) if isinstance(value, str) else ""
