"""Cuts the lines of an input into sections and reads each by its format; anything else is log or plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from remediator.evidence.command import Command, command_of
from remediator.evidence.contain import contained, note_broken
from remediator.evidence.draft import Draft
from remediator.evidence.formats import FORMATS, OPENS, Format, actions, answers, custom_columns, documents, get, logs
from remediator.evidence.formats.events import set_subject
from remediator.evidence.section import NO_COMMAND, Context, Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from remediator.evidence.lines import Line


def _open(lines: Sequence[Line], start: int, command: Command) -> tuple[Format, int] | None:
    """Return the format whose section starts here, with its length in lines."""
    if not OPENS.match(lines[start].text):
        return None
    for form in FORMATS:
        if form.opens.match(lines[start].text) and (length := form.take(lines, start, command)):
            return form, length
    return None


def _log_end(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the end of the log that a command printed: the next command, or the blank line after `--tail` lines.

    No other format opens inside a log: whoever can make a program print a line could otherwise forge tables and documents.
    """
    end, filled = start, 0
    while end < len(lines):
        line = lines[end]
        if line.blank:
            if command.tail and filled >= command.tail:
                return end
        elif command_of(line.text) is not None:
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


def _doubted(drafts: Iterable[Draft], log: Draft | None) -> Iterator[Draft]:
    """Yield the statements, those about other objects in the name of the unbounded log before them.

    A program can print a prompt and a table below it. What they say of the program itself is its own testimony either way.
    """
    for draft in drafts:
        if log is not None and log.name:
            draft.settle()
            elsewhere = bool(draft.namespace and log.namespace) and draft.namespace != log.namespace
            if draft.name != log.name or elsewhere:
                draft.speaker = f"log:{log.name}"
                draft.facts["printed_in"] = log.namespace
        yield draft


def read_lines(lines: Sequence[Line], context: Context, command: Command = NO_COMMAND) -> Iterator[Draft]:
    """Yield the statements of an input, or of a window of a long one; `command` is the last one shown before it.

    What follows a command for a named context of kubectl bears that name.
    """
    for draft in _read_lines(lines, context, command):
        if context.kube_context:
            draft.facts.setdefault("kube_context", context.kube_context)
        yield draft


def _read_lines(lines: Sequence[Line], context: Context, command: Command) -> Iterator[Draft]:
    lines = actions.unwrap(lines)
    index, no = 0, 0
    if context.owner:
        yield from _log(lines, context.owner, context)
        return
    log: Draft | None = None
    answered = False
    if command.is_log:
        index = _log_end(lines, 0, command)
        yield from _log(lines[:index], base := _log_base(command, no), context)
        log = None if command.tail else base.settle()
        command = NO_COMMAND
    while index < len(lines):
        line = lines[index]
        if line.blank:
            index += 1
            continue
        no += 1
        if (next_command := command_of(line.text)) is not None:
            command, index, answered = next_command, index + 1, False
            context.kube_context = command.flags.get("--context", context.kube_context)
            context.application, context.app_facts = "", {}
            if command.is_log:
                end = _log_end(lines, index, command)
                base = _log_base(command, no).settle()
                yield from _doubted(_log(lines[index:end], base, context), log)
                log = log or (None if command.tail else base)
                command, index = NO_COMMAND, end
            continue
        if reader := _answer_reader(lines, index, command):
            end = _command_end(lines, index)
            yield from _doubted(reader(lines[index:end], command, no), log)
            index = end
            continue
        if opening := _open(lines, index, command):
            form, length = opening
            if form.name != "argocd":
                context.application, context.app_facts = "", {}
            section = Section(list(lines[index : index + length]), context, command, no)
            read = contained(form.read(section), context, section.first, f"a text of the format {form.name!r}")
            yield from _doubted(read, log)
            index += length
            answered = form.name in _WHOLE_ANSWERS
            continue
        if answered and lines[index - 1].blank:
            command = Command(namespace=command.namespace)  # the table was the answer, and this is something else
        end = _text_end(lines, index, command)
        if documents.is_strange(line.text):
            note_broken(context, line.no, "a JSON document of no known shape was read as mere text")
        yield from _doubted(_text(lines[index:end], command, context, no), log)
        index = end


_AnswerReader = Callable[[Sequence["Line"], Command, int], "Iterator[Draft]"]


def _answer_reader(lines: Sequence[Line], start: int, command: Command) -> _AnswerReader | None:
    """Return the reader of an output that the command alone frames: columns of its choice, or single values."""
    if not answers.is_asked(command):
        return None
    if custom_columns.is_table(lines[start : start + 1], command):
        return custom_columns.read
    return None if get.OPENS.match(lines[start].text) else answers.read


def _command_end(lines: Sequence[Line], start: int) -> int:
    """Return the end of an output that no format frames: a blank line or the next command."""
    end = start + 1
    while end < len(lines) and not lines[end].blank and command_of(lines[end].text) is None:
        end += 1
    return end


_WHOLE_ANSWERS = frozenset({"get", "rows", "events", "event rows"})
"""Formats after which a command has nothing more to say: what follows a blank line is another paste."""
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


_OF_RELEASE = frozenset({"upgrade", "install", "template", "rollback", "status", "history"})
"""Verbs of helm whose first argument is a release: Argo CD names it after the Application."""


def _set_target(draft: Draft, command: Command) -> None:
    """Set the object that a command asks about, where it names one."""
    kind, name = command.target
    if command.tool == "argocd" and command.verb.startswith("app ") and command.words:
        draft.kind, draft.name = "Application", command.words[0].rpartition("/")[2]
        draft.application = draft.name
    elif command.tool == "kubectl" and command.verb in {"get", "describe", "rollout", "exec", "debug"} and name:
        set_subject(draft, kind, name)
        draft.container = command.container
    elif command.tool == "helm" and command.verb in _OF_RELEASE and command.words:
        draft.kind, draft.name = "Application", command.words[0]
        draft.application = draft.name


def _text(lines: Sequence[Line], command: Command, context: Context, no: int) -> Iterator[Draft]:
    """Yield statements from lines of no known format: pattern hits, severe lines, and those that name a pod in a wrapper.

    A short text is kept whole, since one of its lines may name the program that wrote it.
    """
    base = Draft(0, "text", namespace=command.namespace, section=no)
    if command.tool and not command.is_log:
        base.speaker = "person"
        _set_target(base, command)
    if command.tool in _RENDERERS:
        lines = list(_with_causes(lines))
    for draft, _ in logs.entries(lines, base, context, quiet=len(lines) > _SHORT):
        yield draft


_RENDERERS = frozenset({"helm", "kustomize"})
"""Programs that end with `Error:`, and list its causes in the lines below."""


def _with_causes(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield the lines, an error in one piece with the causes listed below it."""
    error: Line | None = None
    for line in lines:
        if error is not None and not line.blank and not line.text.startswith("Error:"):
            error = replace(error, text=f"{error.text}\n{line.text}"[:_CAUSES])
            continue
        if error is not None:
            yield error
        error = line if line.text.startswith("Error:") else None
        if error is None:
            yield line
    if error is not None:
        yield error


_CAUSES = 4_000
"""Characters of an error with its causes."""
