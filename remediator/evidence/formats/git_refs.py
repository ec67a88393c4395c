"""Branches and tags that exist in a repository: `git ls-remote`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.command import command_of
from remediator.evidence.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

OPENS = re.compile(r"[0-9a-f]{40}\s+(?:refs/|HEAD\b)|From \S+(?:://|@\S+:)\S+\s*$")
_REF = re.compile(r"[0-9a-f]{40}\s+(?P<ref>refs/(?P<kind>heads|tags)/(?P<name>[^\s^]+)|\S+)")
_REPOSITORY = re.compile(r"(?:\w+://|\S+@\S+:)\S+")
_MOST = 300
"""Refs of a kind that are kept; more prove nothing about those that are missing."""


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the number of refs that stand together, with the line `From …` that git prints before them."""
    del command
    end = start + int(lines[start].text.startswith("From "))
    while end < len(lines) and _REF.match(lines[end].text) and command_of(lines[end].text) is None:
        end += 1
    return end - start if end > start + int(lines[start].text.startswith("From ")) else 0


def read(section: Section) -> Iterator[Draft]:
    """Yield one status with the branches and tags, and whether each list is whole: a filter leaves out what exists."""
    names: dict[str, dict[str, None]] = {"heads": {}, "tags": {}}
    repository = ""
    for line in section.lines:
        if line.text.startswith("From "):
            repository = line.text.split()[1]
        elif (match := _REF.match(line.text)) and match["kind"]:
            names[match["kind"]][match["name"]] = None
    command = section.command
    words = [word for word in command.words if _REPOSITORY.fullmatch(word)]
    repository = repository or (words[0] if words else "")
    patterns = [word for word in command.words if word != repository]
    draft = Draft(section.first, "status", reason="Refs", section=section.no, speaker="person")
    is_unfiltered = command.tool == "git" and not command.piped and not patterns
    flags_by_kind = {"heads": {"-h", "--heads", "--branches"}, "tags": {"-t", "--tags"}}
    limited = {kind for kind, flags in flags_by_kind.items() if flags & set(command.flags)}
    complete = [
        kind for kind in names if is_unfiltered and (kind in limited or not limited) and len(names[kind]) <= _MOST
    ]
    draft.facts |= {
        "refs_repository": repository,
        "branches": ", ".join(list(names["heads"])[:_MOST]),
        "tags": ", ".join(list(names["tags"])[:_MOST]),
        "refs_complete": ", ".join({"heads": "branches", "tags": "tags"}[kind] for kind in complete),
    }
    counted = f"{len(names['heads'])} branches and {len(names['tags'])} tags"
    draft.text = f"{repository or 'The repository'} has {counted}"
    yield draft
