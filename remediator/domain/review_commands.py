"""The commands that people may give on a pull request or in a terminal: parsed with a table, never evaluated."""

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


EFFECTS: dict[str, str] = {
    "use N": "propose option N instead, in the same pull request",
    "set PATH=VALUE": "propose another value for a setting of this change, within the policy's limits",
    "retry": "build the same option again on the current base",
    "explain": "show the reasons for this option, with its evidence",
    "verify": "after the merge: check again whether the incident is over",
    "confirm": "after the merge: say that it is over",
    "revert": "after the merge: propose to revert the change",
    "ignore DURATION": "decline, and stay quiet for this time (`12h`, `7d`)",
    "close REASON": "decline; the reason is recorded",
}
"""Each command as a person writes it, and what it does; both faces show this table."""

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
"""The argument of each verb, in words, for an error message."""


def missing_argument(words: str) -> str:
    """Return what a command that begins with a verb still needs; empty where it is complete, or begins with no verb."""
    verb, argument = [*words.split(None, 1), "", ""][:2]
    if parse_command(words) or verb.lower() not in NEEDS:
        return ""
    needs = next(needs for name, needs in NEEDS.items() if name == verb.lower())
    return f"{verb.lower()} needs {needs}" + (f", not {argument.strip()!r}" if argument.strip() else "")


def parse_command(words: str) -> ReviewCommand | None:
    """Return the command in a line; None where no verb has such an argument."""
    verb, argument = [*words.split(None, 1), "", ""][:2]
    for name, shape in _SHAPES.items():
        if verb.lower() == name and (match := re.fullmatch(shape, argument.strip())):
            return ReviewCommand(verb=name, argument=match[1] if match.groups() else "")
    return None
