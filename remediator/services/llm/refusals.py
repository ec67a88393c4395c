"""The meaning of a server's refusal: the form of the question, one of its settings, or the question itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Meaning = Literal["form", "temperature", "max_tokens", "content", "unclear"]

_SETTINGS: tuple[tuple[Meaning, re.Pattern[str]], ...] = (
    ("max_tokens", re.compile(r"\bmax_(?:completion_|output_)?tokens\b|in the completion\b", re.IGNORECASE)),
    ("temperature", re.compile(r"\btemperature\b", re.IGNORECASE)),
)
_CONTENT = re.compile(
    r"context.{0,3}length|context.{0,3}window|maximum context|content.?(?:filter|management|policy)|"
    r"responsible.?ai|too (?:long|large|many tokens)|string_above_max_length|moderation",
    re.IGNORECASE,
)
_FORM = re.compile(
    r"response.?format|json.?schema|json.?mode|structured.?output|grammar|tool.?choice|\btools?\b|function.?call|"
    r"\bis not supported\b",
    re.IGNORECASE,
)


def meaning(body: Any) -> Meaning:
    """Return the meaning of a 400 or 422, by the error's `param` and `code` first, then by its words.

    Too long a question or a content filter says nothing about the form: another form would meet the same.
    """
    facts = body if isinstance(body, dict) else {}
    param, code = str(facts.get("param") or ""), f"{facts.get('code') or ''} {facts.get('type') or ''}"
    words = f"{code} {facts.get('message') or ''}" if facts.get("message") else f"{code} {body}"
    for setting, pattern in _SETTINGS:
        if pattern.search(param) or (not param and pattern.search(words)):
            return setting
    if _CONTENT.search(words):
        return "content"
    return "form" if _FORM.search(param) or _FORM.search(words) else "unclear"


def wait_of(headers: Mapping[str, str], now: datetime) -> float:
    """Return the seconds to wait: `retry-after-ms`, `Retry-After` in seconds or as an HTTP date."""
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    text = str(headers.get("Retry-After", "")).strip()
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text.strip()) else None


def short(error: Exception) -> str:
    """Return a vendor's error on one line."""
    return " ".join(str(error).split())[:200]
