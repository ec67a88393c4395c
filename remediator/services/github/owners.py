"""CODEOWNERS as GitHub reads it: the last matching line names the owners of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediator.domain.base import Value

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Possible paths of the file; the first that exists counts."""


class Owners(Value):
    """The reviewers of a change: logins, and teams by their slug."""

    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


def owners(text: str, files: Sequence[str]) -> Owners:
    """Return the owners of all these files, in the order they are first named; e-mail addresses are left out."""
    rules = [rule for line in text.splitlines() if (rule := _rule(line))]
    names: dict[str, None] = {}
    for file in files:
        for pattern, logins in reversed(rules):
            if pattern.search(file):
                names.update(dict.fromkeys(logins))
                break
    people = tuple(name[1:] for name in names if "/" not in name)
    return Owners(people=people, teams=tuple(name.partition("/")[2] for name in names if "/" in name))


def _rule(line: str) -> tuple[re.Pattern[str], list[str]] | None:
    words = re.split(r"(?<!\\)\s+", line.partition(" #")[0].strip())
    if not words[0] or words[0].startswith("#"):
        return None
    return _pattern(words[0].replace("\\ ", " ")), [word for word in words[1:] if word.startswith("@")]


def _pattern(glob: str) -> re.Pattern[str]:
    """Compile a pattern by the rules of gitignore without `!` and `[]`, which GitHub does not read here."""
    anchored = "/" in glob.rstrip("/")
    body = glob.strip("/")
    pieces = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", body)
    inner = "".join(pieces.get(part, re.escape(part)) for part in parts)
    # `docs/*` owns the files of docs but not those further down; any other name owns what is below it.
    end = "/" if glob.endswith("/") else "$" if body.endswith("/*") else "(?:/|$)"
    return re.compile(("^" if anchored else "(?:^|/)") + inner + end)
