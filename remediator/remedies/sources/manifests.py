"""Files that do not parse: repair the one line that prevents it.

The history comes first: the line as it was when the file last parsed. Otherwise small repairs near the reported line
are tried, and one is proposed only if it is the only one with which the file parses and the Application renders.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.incident import Evidence
from remediator.errors import ConfigError
from remediator.gitops import Application, Problem, Repository, history
from remediator.policy.leaves import documents
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.older_values import LOOK_BACK
from remediator.remedies.sources.repairs import repairs
from remediator.remedies.views.application_field import complaints, counterpart, with_shared_applications

_TRIES = 16
"""Number of texts that are rendered before the file is left to a person."""
_TEMPLATE = re.compile(r"\b(?P<chart>[\w.-]+)/(?P<file>(?:charts/[\w.-]+/)*templates/[\w./-]+\.(?:ya?ml|tpl|txt))")


def restore_file(case: RemedyContext) -> Iterator[Fix]:
    """Repair the line that prevents a file from parsing: from the history, else by the only repair that works."""
    handled: set[str] = set()
    for application, evidence in complaints(case, *case.action.ends):
        for broken_file in _broken_files(case, application, evidence):
            if broken_file.file not in handled:
                handled.add(broken_file.file)
                yield from _repaired(case, application, broken_file, evidence)


def _broken_files(case: RemedyContext, application: Application, evidence: Evidence) -> Iterator[Problem]:
    """Yield the files that do not parse and that the message is about, or the template that the message names."""
    problems = case.repository.problems_of(application)
    files = {problem.file for problem in problems if problem.kind == "parse"}
    for problem in problems:
        is_named = posixpath.basename(problem.file) in evidence.text
        only = len(files) == 1 and not re.search(r"[\w-]+\.ya?ml", evidence.text)
        if problem.kind == "parse" and problem.file and (is_named or only):
            yield problem
    if not files and any(problem.kind == "render" for problem in problems):
        for source in application.sources:
            for match in _TEMPLATE.finditer(evidence.text):
                file = f"{source.path}/{match['file']}" if source.path else match["file"]
                if source.local and case.repository.store.is_file(file):
                    yield Problem("render", "the chart does not render with it", file=file)


def _is_template(broken_file: Problem) -> bool:
    """Return True for a chart's template, which is checked by rendering and not by parsing."""
    return broken_file.kind == "render"


def _repaired(case: RemedyContext, application: Application, broken_file: Problem, evidence: Evidence) -> Iterator[Fix]:
    try:
        text = case.repository.read(broken_file.file).decode()
    except (ConfigError, UnicodeDecodeError):
        return
    for new, sentence in _from_history(case, broken_file, text):
        if fix := _fix(case, application, broken_file, evidence, text, new, sentence):
            yield fix
            break
    tries = _TRIES
    for group in repairs(text, broken_file.line, template=_is_template(broken_file)):
        results: dict[str, str] = {}
        for new in group:
            parsed = None if _is_template(broken_file) else documents(new.encode())
            if _is_template(broken_file) or (parsed is not None and _mostly_mappings(parsed)):
                results.setdefault(new if _is_template(broken_file) else repr(parsed), new)
        tries -= len(results)
        if tries < 0:
            return
        fixes = [
            fix for new in results.values() if (fix := _fix(case, application, broken_file, evidence, text, new, ""))
        ]
        if len(fixes) == 1:
            yield fixes[0]
        if fixes:
            return


def _mostly_mappings(parsed: list[Any]) -> bool:
    return bool(parsed) and all(isinstance(item, dict) or item is None for item in parsed) and any(parsed)


def _fix(
    case: RemedyContext,
    application: Application,
    broken_file: Problem,
    evidence: Evidence,
    old: str,
    new: str,
    sentence: str,
) -> Fix | None:
    """Return the fix with this text, if the Application then has one fault less and no new one."""
    file = broken_file.file
    after = case.repository.with_changes({file: new.encode()})
    fresh = counterpart(after, application)
    if fresh is None or not _is_repaired(case.repository, after, application, fresh, broken_file):
        return None
    line, old_line, now = _changed_line(old, new)
    place = Place(file=file, value=old_line, why=f"line {line} of the file, which does not parse")
    place = with_shared_applications(place, case.repository, after, application)
    return Fix(
        title=f"repair line {line} of {posixpath.basename(file)}",
        reason=f"{f'{sentence}. ' if sentence else ''}`{file}` does not parse ({broken_file.message}); line {line} changes from `{old_line.strip()}` to `{now.strip()}`.",
        evidence=case.cite(evidence),
        edits=(Edit(op="write", file=file, value=new),),
        places=(place,),
        applications=_touched(case.repository, after, application),
        parameters={"file": file, "line": str(line)},
        score=0.95 if sentence else 0.75,
        rollback=sentence,
    )


def _is_repaired(
    original: Repository, after: Repository, application: Application, fresh: Application, broken_file: Problem
) -> bool:
    """Return True where this fault is gone and no new one appeared."""
    problems = [problem for problem in after.problems_of(fresh) if problem.fault]
    old_messages = {problem.message for problem in original.problems_of(application)}
    same_fault = (
        problem.kind == "render"
        if _is_template(broken_file)
        else problem.kind == "parse" and problem.file == broken_file.file
        for problem in problems
    )
    return (
        not any(same_fault)
        and all(problem.message in old_messages for problem in problems)
        and not original.validate(after)
    )


def _touched(original: Repository, after: Repository, application: Application) -> tuple[Application, ...]:
    names = {change.application for change in original.difference(after)} | {application.name}
    return tuple(
        dict.fromkeys(
            application for application in (*original.applications, *after.applications) if application.name in names
        )
    )


def _changed_line(old: str, new: str) -> tuple[int, str, str]:
    """Return (number, old line, new line) of the first line that differs."""
    ours, theirs = old.splitlines(), new.splitlines()
    for index in range(max(len(ours), len(theirs))):
        a = ours[index] if index < len(ours) else ""
        b = theirs[index] if index < len(theirs) else ""
        if a != b:
            return index + 1, a, b
    return 0, "", ""


def _from_history(case: RemedyContext, broken_file: Problem, text: str) -> Iterator[tuple[str, str]]:
    """Yield (text, the commit in a sentence) with only the broken lines as they were when the file last parsed."""
    if not case.policies.actions["roll_back"].enabled:
        return
    root, file = case.repository.root, broken_file.file
    for commit in history.commits_touching(root, [file], limit=LOOK_BACK).commits:
        raw = history.file_at(root, f"{commit.commit}^", file)
        if raw is None:
            continue
        older = raw.decode(errors="replace")
        if _is_template(broken_file) or documents(raw) is not None:
            sentence = f"{file} stopped parsing with {commit.commit[:7]} ({commit.subject!r}, {commit.when[:10]})"
            candidates = _reverted(text, older, broken_file.line)
            fit = (new for new in candidates if _is_template(broken_file) or documents(new.encode()) is not None)
            yield from ((new, sentence) for new in islice(fit, _TRIES))
            return


def _reverted(text: str, good: str, line: int) -> Iterator[str]:
    """Yield the text with one changed line restored, nearest to the fault first; then one hunk; then the old text."""
    now, then = text.splitlines(keepends=True), good.splitlines(keepends=True)
    hunks = [code for code in SequenceMatcher(None, now, then, autojunk=False).get_opcodes() if code[0] != "equal"]
    single = [
        (low + offset, low + offset + 1, then[low_then + offset : low_then + offset + 1])
        for tag, low, high, low_then, high_then in hunks
        if tag == "replace" and high - low == high_then - low_then
        for offset in range(high - low)
    ]
    hunk_texts = [(low, high, then[low_then:high_then]) for _, low, high, low_then, high_then in hunks]
    for start, end, lines in (
        *sorted(single, key=lambda part: abs(part[0] + 1 - line)),
        *sorted(hunk_texts, key=lambda part: abs(part[0] + 1 - line)),
    ):
        yield "".join((*now[:start], *lines, *now[end:]))
    yield good
