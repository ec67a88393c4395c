"""`kubectl describe pod` without its head: people paste from the containers on, or from the middle of one.

The pod is named by the events below, where they name it; else the rest of the input tells whose part it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.command import command_of
from remediator.evidence.draft import Draft
from remediator.evidence.formats import describe_pod, events
from remediator.evidence.formats.tree import nodes
from remediator.evidence.lines import Line, next_filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.section import Section

OPENS = re.compile(r"(?:Init )?Containers:\s*$| {2,8}(?:Last )?State:\s+(?:Waiting|Running|Terminated)\s*$")
_STATE = re.compile(r" {2,10}(?:Last )?State:\s+(?:Waiting|Running|Terminated)\s*$")
_PART = re.compile(r"\s|(?:Init Containers|Containers|Conditions|Volumes|QoS Class|Node-Selectors|Tolerations|Events):")
_UNNAMED = "?"
"""Stands for the name of a container whose first lines were cut."""


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of the part: as far as its lines are indented or are keys of a pod; 0 where no state is told."""
    del command
    end = start
    while end < len(lines) and command_of(lines[end].text) is None:
        if lines[end].blank:
            following = next_filled(lines, end)
            if following >= len(lines) or not _PART.match(lines[following].text):
                break
        elif not _PART.match(lines[end].text):
            break
        end += 1
    return end - start if any(_STATE.match(line.text) for line in lines[start:end]) else 0


def read(section: Section) -> Iterator[Draft]:
    """Yield the containers' states and the events, about the pod that a sentence of the events names."""
    lines = section.lines
    cut = next((i for i, line in enumerate(lines) if line.text.startswith("Events:")), len(lines))
    kind, name = section.command.target if section.command.verb == "describe" else ("", "")
    base = Draft(section.first, "status", namespace=section.command.namespace, section=section.no)
    told = list(describe_pod.states(nodes(_headed(lines[:cut])), base))
    for draft in told:
        draft.container = draft.container.removeprefix(_UNNAMED)
    if below := [line for line in lines[cut + 1 :] if not line.blank]:
        told += events.table(below, namespace=base.namespace, kind=kind or "Pod", name=name, section=section.no)
    events.share_pod(told, kind)
    boxes = {draft.container for draft in told if draft.container}
    for draft in told:
        if draft.channel == "status" and not draft.container and len(boxes) == 1:
            draft.container = next(iter(boxes))
    yield from told


def _headed(lines: Sequence[Line]) -> list[Line]:
    """Return the lines; where the head of a container was cut, below a stand-in for it."""
    first = lines[0]
    if not first.text.startswith(" "):
        return list(lines)
    return [Line(first.no, "Containers:"), Line(first.no, f" {_UNNAMED}:"), *lines]
