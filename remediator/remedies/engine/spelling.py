"""Find the existing name that a misspelt name means, by edit distance.

A wrong guess costs more trust than no guess, so the allowed distance grows with the length of the name, and two
candidates that are equally near give no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable


def distance(a: str, b: str, *, bound: int = 99) -> int:
    """Return the Damerau-Levenshtein distance (an adjacent swap counts once), or `bound + 1` where it is larger."""
    if abs(len(a) - len(b)) > bound:
        return bound + 1
    previous, row = [0] * (len(b) + 1), list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        older, previous, row = previous, row, [i] + [0] * len(b)
        for j, other_char in enumerate(b, 1):
            cost = char != other_char
            row[j] = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + cost)
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other_char:
                row[j] = min(row[j], older[j - 2] + 1)
        if min(row) > bound:
            return bound + 1
    return row[-1]


def similarity(a: str, b: str) -> float:
    """Return 1.0 for equal texts and 0.0 for texts with nothing in common; case counts a little."""
    if a == b:
        return 1.0
    low_a, low_b = a.lower(), b.lower()
    longest = max(len(a), len(b), 1)
    score = 1 - distance(low_a, low_b) / longest
    return min(score, 0.99)


def is_typo(wrong: str, right: str) -> bool:
    """Return True where the names differ by so few letters for their length that one must mean the other."""
    if not wrong or not right or wrong == right:
        return False
    length = min(len(wrong), len(right))
    allowed = 1 if length < 7 else 2 if length < 16 else 3
    if length < 3 or (length == 3 and len(wrong) == len(right)):
        return False  # of three letters, another one makes another word
    slips = distance(wrong.lower(), right.lower(), bound=allowed)
    return slips <= allowed or _affix(wrong, right)


def _affix(wrong: str, right: str) -> bool:
    """Return True where one name is the other plus a suffix or prefix at a separator: `cfg-v1` and `cfg`."""
    longer, shorter = (wrong, right) if len(wrong) > len(right) else (right, wrong)
    if len(shorter) < 4:
        return False
    tail = longer[len(shorter) :] if longer.startswith(shorter) else ""
    front = longer[: -len(shorter)] if longer.endswith(shorter) else ""
    return bool((tail and tail[0] in "-_.") or (front and front[-1] in "-_."))


def one_of(values: Iterable[object]) -> Callable[[object], bool]:
    """Return a condition that is true for these values, compared as text: for the `accepts` of a fix."""
    texts = {str(value) for value in values}
    return lambda old: str(old) in texts


def nearest(wrong: str, candidates: Iterable[str]) -> str:
    """Return the only candidate of which `wrong` is a typo; empty where there is none or two are as near."""
    ranked = sorted(
        ((similarity(wrong, name), name) for name in dict.fromkeys(candidates) if is_typo(wrong, name)), reverse=True
    )
    if not ranked:
        return ""
    if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < 1e-9:
        return ""
    return ranked[0][1]
