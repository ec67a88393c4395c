"""Logs of containers and components: without wrappers, stack traces in one piece, with levels and times."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.formats import loglines
from remediator.evidence.formats.loglines import LogEntry
from remediator.evidence.messages import SUBJECT_FACTS, message_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.draft import Draft
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Context

_TRACE_GOES_ON = re.compile(
    r"""\s+\S                                                    # indented: frames, carets, wrapped text
      | (?:Caused\ by|Suppressed|During\ handling|The\ above\ exception|Traceback|goroutine\ \d|\[signal|created\ by\ )
      | \.\.\.\ \d+\ more
      | (?P<verdict>(?:[A-Za-z_][\w.$]*\.)*[A-Z][\w.$]*
        (?:Error|Exception|Warning|Interrupt|Exit|Failure|Fault|Iteration|NotFound)\b)
      | (?:[a-z]\w*[./])*[\w.*()]+\(.*\)$                        # Go: main.run(...)
      | [}\])]+$
    """,
    re.VERBOSE,
)
_TRACE_STARTS = re.compile(
    r"""Traceback\ \(most\ recent\ call\ last\)|panic:|fatal\ error:|goroutine\ \d+\ \[
      | (?:Exception|Error)\ in\ thread|Unhandled\ (?:exception|rejection)|Uncaught\ |thread\ '[^']*'\ panicked
      | (?:[\w$]+\.)+[A-Z][\w$]*(?:Error|Exception)\b|^[A-Z]\w*(?:Error|Exception):""",
    re.VERBOSE,
)
_HEAD = 300
"""Characters of a line that tell whether it belongs to a trace; looking further would cost the square of a line's length."""

_ARGOCD = re.compile(r"argo-?cd|application-controller|applicationset|repo-server")
"""Names of the workloads whose lines are about Applications."""

_GRAVE = frozenset({"error", "err", "fatal", "critical", "crit", "panic", "emerg", "alert", "severe", "dpanic"})


def _group_lines(lines: Sequence[Line], most: int) -> Iterator[list[Line]]:
    """Yield lines that belong together: a message with its stack trace, all others one by one."""
    index = 0
    while index < len(lines):
        group = [lines[index]]
        index += 1
        if group[0].blank:
            continue
        tracing = bool(_TRACE_STARTS.search(group[0].text[:_HEAD]))
        while index < len(lines) and len(group) < most:
            line = lines[index]
            if line.blank:
                if not (tracing and index + 1 < len(lines) and _resumes(lines[index + 1].text)):
                    break
            elif not _continues(line.text, group[-1].text, tracing=tracing):
                break
            tracing = tracing or bool(_TRACE_STARTS.search(line.text[:_HEAD]))
            group.append(line)
            index += 1
        yield group


def _resumes(text: str) -> bool:
    return text.startswith(
        ("goroutine ", "Caused by", "During handling", "The above exception", "Traceback", "[signal", "main.", "\t")
    )


def _continues(text: str, previous: str, *, tracing: bool) -> bool:
    """Return True if a line continues the one before it; two exception lines in a row are two faults."""
    if tracing:
        match = _TRACE_GOES_ON.match(text[:_HEAD])
        if match is None or loglines.starts_entry(text):
            return False
        last = _TRACE_GOES_ON.match(previous[:_HEAD]) if match["verdict"] else None
        return not (last and last["verdict"])
    return text[:1] in {" ", "\t"} and bool(
        re.match(r"\s+(?:at |File \"|\.\.\. \d+ more|from \S+:\d+:in |\d+: 0x)", text)
    )


def entries(
    lines: Sequence[Line], base: Draft, context: Context, *, keep_all: bool = False, quiet: bool = False
) -> Iterator[tuple[Draft, Line]]:
    """Yield the statements of a log, each with its first line.

    These are the lines that a pattern hits, that have a severe level or that start a stack trace. The last other lines
    are kept too, because the lines right before a crash often explain it without any error word (not when `quiet`: such
    lines of an unknown program explain nothing).
    """
    groups = list(_group_lines(list(loglines.join_wrapped(lines)), context.limits.trace))
    spared = len(groups) - context.limits.log_lines
    for index, group in enumerate(groups):
        hit = any(line.no in context.hit_lines for line in group)
        if context.sparse and not hit and not keep_all:
            continue
        entry = loglines.read(group)
        entry.level = entry.level or group[0].level
        is_kept = (
            keep_all
            or hit
            or (index >= spared and (not quiet or entry.pod or entry.application or entry.name))
            or entry.level.lower() in _GRAVE
            or bool(_TRACE_STARTS.search(entry.text[:_HEAD]))
        )
        if is_kept and entry.text:
            yield _draft(entry, base, group[0]), group[0]


def _author(base: Draft, entry: LogEntry) -> str:
    """Return the known author of a line that names somebody else as its subject; empty where it speaks of itself."""
    author = base.pod or base.name
    if not author or not (entry.application or entry.pod or entry.name):
        return ""
    if entry.application or entry.name:
        return "" if _ARGOCD.search(author) else base.name or author
    is_elsewhere = bool(entry.namespace and base.namespace) and entry.namespace != base.namespace
    is_own = entry.pod.startswith((author, base.name or author)) and not is_elsewhere
    return "" if is_own else base.name or author


def _draft(entry: LogEntry, base: Draft, line: Line) -> Draft:
    draft = base.like(line=line.no, text=entry.text, level=entry.level, facts={**base.facts, **entry.facts})
    draft.first_seen = draft.last_seen = entry.time or line.time
    if (entry.structured or entry.pod or line.wrapped) and draft.channel == "text":
        draft.channel = "log"
    author = _author(base, entry)
    if author:
        draft.speaker = f"log:{author}"
    if entry.application or entry.name:
        draft.channel, draft.application = "sync", entry.application
        draft.kind, draft.name = entry.kind or "Application", entry.name or entry.application
        draft.pod, draft.container, draft.namespace = "", "", entry.namespace
    elif entry.pod and not author:
        draft.pod, draft.container = entry.pod, entry.container or draft.container
        draft.namespace = entry.namespace or draft.namespace
        draft.kind = draft.name = ""
    facts = message_facts(entry.text)
    subject = {key: facts.pop(key) for key in SUBJECT_FACTS if key in facts}
    for key, text in facts.items():
        draft.facts.setdefault(key, text)
    if not draft.pod and not draft.name and not draft.application:
        for key, text in subject.items():
            if not getattr(draft, key):
                setattr(draft, key, text)
    return draft.settle()
