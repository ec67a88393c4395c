"""Find the existing path or object that a misspelt name means.

`stagng` may mean `staging`, but `staging` never means `prod`, and `web-1` never means `web-2`: siblings that differ in
an environment or in a number differ on purpose, and a fix that confuses them does harm.
"""

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
"""Words that distinguish siblings on purpose; none of them is a misspelling of another."""
_SAME = (
    {"prod", "prd", "production"},
    {"stage", "staging", "stg"},
    {"dev", "develop", "development"},
    {"test", "testing", "tst"},
)
"""Words among them that name the same environment."""


def surely_meant(wrong: str, candidates: Iterable[str]) -> str:
    """Return the only candidate of which `wrong` is a misspelling; empty where there is none or two are as near."""
    ranked = sorted(
        ((similarity(wrong, name), name) for name in dict.fromkeys(candidates) if is_slip(wrong, name)), reverse=True
    )
    if not ranked or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < 1e-9):
        return ""
    return ranked[0][1]


def is_slip(wrong: str, right: str) -> bool:
    """Return True for a misspelling that changes no number and no word that distinguishes siblings."""
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
    return _same_siblings(wrong, right) and distance(wrong.lower(), right.lower(), bound=2) <= (
        1 if len(wrong) < 10 else 2
    )


def is_shortened(wrong: str, right: str) -> bool:
    """Return True where one name is the other plus a word at its end that does not distinguish siblings."""
    longer, shorter = sorted((wrong, right), key=len, reverse=True)
    return (
        longer.startswith(shorter)
        and longer[len(shorter) : len(shorter) + 1] in ("-", "_", ".")
        and _same_siblings(wrong, right)
    )


def _stem(name: str) -> str:
    return re.sub(r"\.(?:ya?ml|json)$", "", name)


def _word_slip(a: str, b: str) -> bool:
    """Return True where two words have the same digits and differ by a slip, unless both distinguish siblings.

    In a short word another letter makes another word (`api`, `app`); swapped, dropped or doubled letters are slips.
    """
    if _DIGITS.findall(a) != _DIGITS.findall(b):
        return False
    first, second = a.lower(), b.lower()
    if first in _ENVIRONMENTS and second in _ENVIRONMENTS:
        return any({first, second} <= words for words in _SAME)
    shortest = min(len(first), len(second))
    if shortest < 3 or (shortest < 5 and len(first) == len(second)):
        return sorted(first) == sorted(second)
    return distance(first, second, bound=2) <= (1 if shortest < 6 else 2)


def _same_siblings(wrong: str, right: str) -> bool:
    """Return True where no number differs and no additional word of either name distinguishes siblings."""
    ours, theirs = _SPLIT.split(wrong.lower()), _SPLIT.split(right.lower())
    extra = [word for word in ours if word not in theirs] + [word for word in theirs if word not in ours]
    return _DIGITS.findall(wrong) == _DIGITS.findall(right) and not any(word in _ENVIRONMENTS for word in extra)
