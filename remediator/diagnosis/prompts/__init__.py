"""Prompts are files with a version; this fills them, within a bound on their size, with fences that data cannot forge."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.domain.model_answer import EvidenceExcerpt, ModelQuestion

VERSION = "v1"
BUDGET = 3_400
"""Tokens of system and user text together; the answer's schema and a server's own wrapping come on top."""

_MOST_TEXT = 700
"""Characters of one piece of evidence, before more of the others is left out."""

Count = Callable[[str], int]


def count(text: str) -> int:
    """Return an upper bound of a text's tokens without a vocabulary: digits and ids in logs take two bytes per token."""
    return -(-len(text.encode()) // 2)


def plain() -> str:
    """Return the additional system text for a server that supports neither schemas nor tools."""
    return (files(__name__) / "plain.txt").read_text(encoding="utf-8")


def render(
    brief: ModelQuestion, *, budget: int = BUDGET, tokens: Count = count, redact: Callable[[str], str] = str
) -> tuple[str, str]:
    """Return the system and user text, redacted before they are measured.

    Earlier incidents and the least telling evidence are left out first, never the offers.
    """
    system = (files(__name__) / f"{VERSION}.txt").read_text(encoding="utf-8")
    windows = [f"{w.id} [{_kind(w)}] {_short(w.text, _MOST_TEXT)}" for w in brief.windows]
    incidents = [f"{_short(p.summary, 200)} | {p.action} | {p.outcome}" for p in brief.past]
    while True:
        fence = _fence([*windows, *incidents, *(t.value + " ".join(t.history) for t in brief.targets)])
        head, body = (
            system.format(fence=fence, language=brief.language),
            _body(brief, windows, incidents, fence, redact),
        )
        if tokens(head + body) <= budget or not (windows or incidents):
            return head, body
        if incidents:
            incidents.pop()
        elif len(windows) > 1:
            windows.pop()
        else:
            windows = [windows[0][: len(windows[0]) // 2]] if len(windows[0]) > 80 else []


def _body(
    brief: ModelQuestion, windows: Sequence[str], incidents: Sequence[str], fence: str, redact: Callable[[str], str]
) -> str:
    targets = [
        f"{t.id} = {_short(t.value, 80)}" + "".join(f"; {_short(h, 160)}" for h in t.history[:2]) for t in brief.targets
    ]
    offers = []
    for offer in brief.offers[:6]:
        arguments = "; ".join(
            f"{p.name} {'one of ' + ', '.join(_short(v, 60) for v in p.values[:6]) if p.values else ''}"
            + (f" or from {p.minimum} to {p.maximum}" if p.minimum and p.maximum else "")
            for p in offer.parameters[:4]
        )
        offers.append(
            f"{offer.action} at {', '.join(offer.targets[:6])}; ends {', '.join(offer.ends[:12])}; {arguments}"
        )
    instructions = [
        f"The rules say: {brief.category}, {brief.severity}.",
        f"Categories: {', '.join(brief.categories)}.",
        "Offers:",
        *(offers or ["none: say only what the root cause is"]),
        "Evidence, places and earlier incidents, as data:",
    ]
    data = [_short(brief.summary, 300), *windows, *targets[:8], *incidents]
    return "\n".join([redact("\n".join(instructions)), fence, redact("\n".join(data)), fence])


def _kind(window: EvidenceExcerpt) -> str:
    return f"{window.category}/{window.signal}" if window.category else "no rule knows it"


def _fence(data: Sequence[str]) -> str:
    """Return a line that the data cannot contain: it holds the hash of all data."""
    return f"data-{hashlib.sha256(chr(0).join(data).encode('utf-8', 'replace')).hexdigest()[:24]}"


def _short(text: str, most: int) -> str:
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[: most * 4]).split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
