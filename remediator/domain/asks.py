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
class Ask:
    """One command; `argument` is a number for `use`, PATH=VALUE for `set`, a time for `ignore`, words for `close`."""

    verb: Verb
    argument: str = ""


def asked(words: str) -> Ask | None:
    """The command that these words are, on one line; None where no verb has such an argument."""
    verb, argument = [*words.split(None, 1), "", ""][:2]
    for known, shape in _SHAPES.items():
        if verb.lower() == known and (found := re.fullmatch(shape, argument.strip())):
            return Ask(verb=known, argument=found[1] if found.groups() else "")
    return None
