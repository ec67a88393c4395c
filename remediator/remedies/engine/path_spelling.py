"""Which existing path or object was meant: spelling slips yes, another environment or number no."""

from __future__ import annotations

import re
from collections.abc import Iterable

from remediator.remedies.engine.spelling import distance, similarity

_SPLIT = re.compile(r"[-_./]")
_DIGITS = re.compile(r"\d+")
_ENVIRONMENTS = frozenset(
    [
        "dev",
        "develop",
        "development",
        "test",
        "testing",
        "tst",
        "qa",
        "uat",
        "stage",
        "staging",
        "stg",
        "preprod",
        "preproduction",
        "prod",
        "prd",
        "production",
        "live",
        "sandbox",
        "demo",
        "perf",
        "load",
        "local",
        "canary",
        "blue",
        "green",
        "base",
        "common",
        "shared",
        "default",
        "global",
        "primary",
        "secondary",
        "replica",
        "leader",
        "follower",
        "master",
        "main",
        "read",
        "write",
        "us",
        "eu",
        "ap",
        "uk",
        "de",
        "fr",
        "in",
        "jp",
        "au",
        "br",
        "ca",
        "asia",
        "emea",
        "apac",
        "na",
        "sa",
        "east",
        "west",
        "north",
        "south",
        "central",
        "int",
        "ext",
        "internal",
        "external",
        "public",
        "private",
    ]
)
"""Words that tell two siblings apart on purpose; one of them is never a slip for another."""
_SAME = (
    {"prod", "prd", "production"},
    {"stage", "staging", "stg"},
    {"dev", "develop", "development"},
    {"test", "testing", "tst"},
)
"""Words of those for the same environment."""


def surely_meant(wrong: str, candidates: Iterable[str]) -> str:
    """The one candidate of which `wrong` is a misspelling; empty where none is, or two are as near."""
    ranked = sorted(
        ((similarity(wrong, name), name) for name in dict.fromkeys(candidates) if is_slip(wrong, name)), reverse=True
    )
    if not ranked or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < 1e-9):
        return ""
    return ranked[0][1]


def is_slip(wrong: str, right: str) -> bool:
    """A misspelling that leaves every number and every telling word as it is."""
    if not wrong or not right or wrong == right:
        return False
    if wrong.lower() == right.lower() or _stem(wrong) == _stem(right):
        return True
    ours, theirs = _SPLIT.split(wrong), _SPLIT.split(right)
    if len(ours) == len(theirs):
        changed = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
        return len(changed) <= 2 and all(_word_slip(a, b) for a, b in changed)
    if "".join(ours) == "".join(theirs):
        return True  # a separator too much or too little
    return _kept(wrong, right) and distance(wrong.lower(), right.lower(), bound=2) <= (1 if len(wrong) < 10 else 2)


def is_shortened(wrong: str, right: str) -> bool:
    """Whether one is the other with a word more at its end, one that does not tell siblings apart."""
    longer, shorter = sorted((wrong, right), key=len, reverse=True)
    return (
        longer.startswith(shorter)
        and longer[len(shorter) : len(shorter) + 1] in ("-", "_", ".")
        and _kept(wrong, right)
    )


def _stem(name: str) -> str:
    return re.sub(r"\.(?:ya?ml|json)$", "", name)


def _word_slip(a: str, b: str) -> bool:
    """One word for another: the same digits, a slip in its letters, and not one telling word for another.

    In a short word one letter for another makes a different word (`api`, `app`); letters swapped, dropped or doubled
    are slips.
    """
    if _DIGITS.findall(a) != _DIGITS.findall(b):
        return False
    one, other = a.lower(), b.lower()
    if one in _ENVIRONMENTS and other in _ENVIRONMENTS:
        return any({one, other} <= words for words in _SAME)
    shortest = min(len(one), len(other))
    if shortest < 3 or (shortest < 5 and len(one) == len(other)):
        return sorted(one) == sorted(other)
    return distance(one, other, bound=2) <= (1 if shortest < 6 else 2)


def _kept(wrong: str, right: str) -> bool:
    """Where one has words more than the other: none of the additional words tells siblings apart."""
    ours, theirs = _SPLIT.split(wrong.lower()), _SPLIT.split(right.lower())
    extra = [word for word in ours if word not in theirs] + [word for word in theirs if word not in ours]
    return _DIGITS.findall(wrong) == _DIGITS.findall(right) and not any(word in _ENVIRONMENTS for word in extra)
