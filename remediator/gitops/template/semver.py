"""Compare versions as Sprig does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from remediator.gitops.template.conversions import as_string


def matches_constraint(constraint: Any, version: Any) -> bool:
    """Test a version against semver constraints: comparators, ^, ~, ranges with `-`, alternatives with `||`."""
    have = parse_version(as_string(version))
    return any(
        all(
            _satisfies(part, have)
            for part in re.findall(r"(?:[<>=!^~]+)?\s*v?[\w.*+-]+", alternative.replace(",", " "))
        )
        for alternative in as_string(constraint).split("||")
    )


def parse_version(text: str) -> tuple[int, int, int]:
    """Return major, minor and patch of a version; parts that are missing count as zero."""
    numbers = [int(part) for part in re.findall(r"\d+", text.lstrip("v").partition("-")[0].partition("+")[0])[:3]]
    return tuple([*numbers, 0, 0, 0][:3])  # type: ignore[return-value]


def _satisfies(part: str, have: tuple[int, int, int]) -> bool:
    match = re.match(r"([<>=!^~]*)\s*v?(.*)", part)
    operator, text = (match[1], match[2]) if match else ("", part)
    if text in ("*", "x", ""):
        return True
    want = parse_version(text)
    tests: dict[str, Callable[[], bool]] = {
        ">": lambda: have > want,
        ">=": lambda: have >= want,
        "<": lambda: have < want,
        "<=": lambda: have <= want,
        "!=": lambda: have != want,
        "^": lambda: have >= want and have[0] == want[0],
        "~": lambda: have >= want and have[:2] == want[:2],
    }
    if operator in tests:
        return tests[operator]()
    parts = len([piece for piece in re.split(r"[.]", text.partition("-")[0]) if piece.isdigit()])
    return have[: max(1, parts)] == want[: max(1, parts)]
