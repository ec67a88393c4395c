"""Which existing name was meant: edit distance with the caution that a wrong guess costs trust."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def distance(a: str, b: str, *, bound: int = 99) -> int:
    """Damerau-Levenshtein distance (adjacent swaps count once); `bound + 1` once it is certain to be more."""
    if abs(len(a) - len(b)) > bound:
        return bound + 1
    before, row = [0] * (len(b) + 1), list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        older, before, row = before, row, [i] + [0] * len(b)
        for j, other in enumerate(b, 1):
            cost = char != other
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + cost)
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                row[j] = min(row[j], older[j - 2] + 1)
        if min(row) > bound:
            return bound + 1
    return row[-1]


def similarity(a: str, b: str) -> float:
    """1.0 for the same, 0.0 for nothing in common; case counts a little."""
    if a == b:
        return 1.0
    low_a, low_b = a.lower(), b.lower()
    longest = max(len(a), len(b), 1)
    score = 1 - distance(low_a, low_b) / longest
    return min(score, 0.99)


def is_typo(wrong: str, right: str) -> bool:
    """Few enough slips for their length that one was surely meant as the other."""
    if not wrong or not right or wrong == right:
        return False
    length = min(len(wrong), len(right))
    allowed = 1 if length < 7 else 2 if length < 16 else 3
    if length < 3 or (length == 3 and len(wrong) == len(right)):
        return False  # of three letters, another one makes another word
    slips = distance(wrong.lower(), right.lower(), bound=allowed)
    return slips <= allowed or _affix(wrong, right)


def _affix(wrong: str, right: str) -> bool:
    """A suffix or prefix too much or too little, cut at a separator: `cfg-v1` for `cfg`."""
    longer, shorter = (wrong, right) if len(wrong) > len(right) else (right, wrong)
    if len(shorter) < 4:
        return False
    rest = longer[len(shorter) :] if longer.startswith(shorter) else ""
    front = longer[: -len(shorter)] if longer.endswith(shorter) else ""
    return bool((rest and rest[0] in "-_.") or (front and front[-1] in "-_."))


def one_of(values: Iterable[object]) -> Callable[[object], bool]:
    """Whether an older value is one of these, as text: for the `accepts` of a fix."""
    known = {str(value) for value in values}
    return lambda old: str(old) in known


def nearest(wrong: str, candidates: Iterable[str]) -> str:
    """The one candidate that `wrong` is a typo of; empty when there is none, or when two are as near."""
    ranked = sorted(
        ((similarity(wrong, name), name) for name in dict.fromkeys(candidates) if is_typo(wrong, name)), reverse=True
    )
    if not ranked:
        return ""
    if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < 1e-9:
        return ""
    return ranked[0][1]
