"""The formats that are understood, one module each: how a section opens, how far it goes, what it says.

To add a format: write a module with `OPENS`, `take` and `read`, and add its line to `FORMATS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from remediator.evidence.command import Command
from remediator.evidence.draft import Draft
from remediator.evidence.formats import (
    argocd,
    argocd_notes,
    chat_alerts,
    condition_blocks,
    describe,
    describe_cut,
    documents,
    events,
    get,
    git_refs,
    listeners,
    rollout,
    rows,
)
from remediator.evidence.formats.patterns import alternatives
from remediator.evidence.lines import Line
from remediator.evidence.section import Section


@dataclass(frozen=True, slots=True)
class Format:
    """One format: `opens` fits its first line, `take` says how many lines are its own (0: none after all), `read` reads them."""

    name: str
    opens: re.Pattern[str]
    take: Callable[[Sequence[Line], int, Command], int]
    read: Callable[[Section], Iterator[Draft]]


FORMATS: tuple[Format, ...] = (
    Format("events", events.OPENS, events.take, events.read),
    Format("argocd", argocd.OPENS, argocd.take, argocd.read),
    Format("describe", describe.OPENS, describe.take, describe.read),
    Format("describe without its head", describe_cut.OPENS, describe_cut.take, describe_cut.read),
    Format("get", get.OPENS, get.take, get.read),
    Format("documents", documents.OPENS, documents.take, documents.read),
    Format("rows", rows.OPENS, rows.take, rows.read),
    Format("event rows", events.ROWS, events.take_rows, events.read_rows),
    Format("listeners", listeners.OPENS, listeners.take, listeners.read),
    Format("git refs", git_refs.OPENS, git_refs.take, git_refs.read),
    Format("chat alerts", chat_alerts.OPENS, chat_alerts.take, chat_alerts.read),
    Format("argocd condition", argocd_notes.ROW_OPENS, argocd_notes.take_row, argocd_notes.read_row),
    Format("argocd notes", argocd_notes.OPENS, argocd_notes.take, argocd_notes.read),
    Format("conditions", condition_blocks.OPENS, condition_blocks.take, condition_blocks.read),
    Format("rollout", rollout.OPENS, rollout.take, rollout.read),
)
"""The formats in order of precedence; `remediator.evidence.sections` reads everything else as log or plain text."""

OPENS = re.compile(alternatives(form.opens.pattern for form in FORMATS))
"""One test per line for all formats."""
