"""Cuts the lines of an input into sections and reads each by its format; anything else is log or plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.evidence.command import Command, command_of
from remediator.evidence.draft import Draft
from remediator.evidence.formats import FORMATS, OPENS, Format, actions, logs
from remediator.evidence.formats.events import set_subject
from remediator.evidence.section import NO_COMMAND, Context, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.lines import Line

_INSIDE_LOGS = frozenset({"events", "argocd", "describe", "get"})
"""Formats that end a log when they open after a blank line; documents and single sentences are common inside logs."""


def _open(lines: Sequence[Line], start: int, command: Command) -> tuple[Format, int] | None:
    """Return the format whose section starts here, with its length in lines."""
    if not OPENS.match(lines[start].text):
        return None
    for form in FORMATS:
        if form.opens.match(lines[start].text) and (length := form.take(lines, start, command)):
            return form, length
    return None


def _log_end(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the end of the log that a command printed: the next command, after `--tail` lines, or where another output opens.

    Logs hold blank lines of their own, so one ends a log only if something known stands after it.
    """
    end, filled = start, 0
    while end < len(lines):
        line = lines[end]
        if line.blank:
            if command.tail and filled >= command.tail:
                return end
        elif command_of(line.text) is not None or (
            end > start
            and lines[end - 1].blank
            and (opening := _open(lines, end, NO_COMMAND))
            and opening[0].name in _INSIDE_LOGS
        ):
            return end
        else:
            filled += 1
        end += 1
    return end


def _log_base(command: Command, no: int) -> Draft:
    """Return the subject of a log, by the command that printed it."""
    draft = Draft(0, "log", namespace=command.namespace, container=command.container, section=no)
    kind, name = command.target
    if command.tool == "kubectl" and name and not name.startswith("-"):
        set_subject(draft, kind, name)
        if "-p" in command.flags or "--previous" in command.flags:
            draft.facts["previous"] = "true"
    elif command.tool != "kubectl":
        draft.channel = "text"
    return draft


def read_lines(lines: Sequence[Line], context: Context, command: Command = NO_COMMAND) -> Iterator[Draft]:
    """Yield the statements of an input, or of a window of a long one; `command` is the last one shown before it."""
    lines = actions.unwrap(lines)
    index, no = 0, 0
    if context.owner:
        yield from _log(lines, context.owner, context)
        return
    if command.is_log:
        index = _log_end(lines, 0, command)
        yield from _log(lines[:index], _log_base(command, no), context)
        command = NO_COMMAND
    while index < len(lines):
        line = lines[index]
        if line.blank:
            index += 1
            continue
        no += 1
        if (next_command := command_of(line.text)) is not None:
            command, index = next_command, index + 1
            context.application, context.app_facts = "", {}
            if command.is_log:
                end = _log_end(lines, index, command)
                yield from _log(lines[index:end], _log_base(command, no), context)
                command, index = NO_COMMAND, end
            continue
        if opening := _open(lines, index, command):
            form, length = opening
            if form.name != "argocd":
                context.application, context.app_facts = "", {}
            yield from form.read(Section(list(lines[index : index + length]), context, command, no))
            index += length
            continue
        end = _text_end(lines, index, command)
        yield from _text(lines[index:end], command, context, no)
        index = end


_SHORT = 60
"""Lines of a text that is kept whole."""


def _text_end(lines: Sequence[Line], start: int, command: Command) -> int:
    end = start + 1
    while end < len(lines):
        if not lines[end].blank and (command_of(lines[end].text) is not None or _open(lines, end, command)):
            break
        end += 1
    return end


def _log(lines: Sequence[Line], base: Draft, context: Context) -> Iterator[Draft]:
    if base.channel == "text":
        yield from _text(lines, NO_COMMAND, context, base.section)
        return
    for draft, _ in logs.entries(lines, base, context):
        yield draft


def _text(lines: Sequence[Line], command: Command, context: Context, no: int) -> Iterator[Draft]:
    """Yield statements from lines of no known format: pattern hits, severe lines, and those that name a pod in a wrapper.

    A short text is kept whole, since one of its lines may name the program that wrote it.
    """
    base = Draft(0, "text", namespace=command.namespace, section=no)
    for draft, _ in logs.entries(lines, base, context, quiet=len(lines) > _SHORT):
        yield draft
