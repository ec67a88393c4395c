"""What people may ask of an incident, on a pull request or a terminal: read by a table, never evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Verb = Literal["use", "set", "retry", "explain", "verify", "confirm", "revert", "ignore", "close", "help"]

_SHAPES: dict[Verb, str] = {
    "use": r"#?(\d{1,3})",
    "set": r"([^\s=]+\s*=\s*\S.{0,200})",
    "retry": "()",
    "explain": "()",
    "verify": "()",
    "confirm": "()",
    "revert": "()",
    "ignore": r"(\d{1,3}[hd])",
    "close": r"(.{0,500})",
    "help": ".*",
}


@dataclass(frozen=True)
class ReviewCommand:
    """One command; `argument` is a number for `use`, PATH=VALUE for `set`, a time for `ignore`, words for `close`."""

    verb: Verb
    argument: str = ""


NEEDS: dict[Verb, str] = {
    "use": "the number of an option, such as `use 2`",
    "set": "PATH=VALUE, such as `set limits.memory=1Gi`",
    "retry": "nothing after it",
    "explain": "nothing after it",
    "verify": "nothing after it",
    "confirm": "nothing after it",
    "revert": "nothing after it",
    "ignore": "a duration such as 12h or 7d",
    "close": "a reason of at most 500 characters",
}
"""What each verb takes, in words, for whoever left it out."""


def lacking(words: str) -> str:
    """What a command that begins with a verb still needs; empty where it is whole, or begins with no verb."""
    verb, argument = [*words.split(None, 1), "", ""][:2]
    if asked(words) or verb.lower() not in NEEDS:
        return ""
    needs = next(needs for known, needs in NEEDS.items() if known == verb.lower())
    return f"{verb.lower()} needs {needs}" + (f", not {argument.strip()!r}" if argument.strip() else "")


def asked(words: str) -> ReviewCommand | None:
    """The command that these words are, on one line; None where no verb has such an argument."""
    verb, argument = [*words.split(None, 1), "", ""][:2]
    for known, shape in _SHAPES.items():
        if verb.lower() == known and (found := re.fullmatch(shape, argument.strip())):
            return ReviewCommand(verb=known, argument=found[1] if found.groups() else "")
    return None
