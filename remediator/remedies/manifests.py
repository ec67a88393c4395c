"""Files that do not parse: the one line that keeps them from it, mended."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.incident import Evidence
from remediator.errors import ConfigError
from remediator.gitops import Application, Problem, Repository, history
from remediator.policy.leaves import documents
from remediator.remedies.application_text import complained, same, shared
from remediator.remedies.case import Case, Fix
from remediator.remedies.past import LOOK_BACK

_COMMITS = 30
_BEFORE, _AFTER = 8, 1
"""A parser complains at the fault or some lines later, seldom earlier."""


def restore_file(case: Case) -> Iterator[Fix]:
    """Mend the line that keeps a file from parsing: as the history had it, else by the only local repair there is."""
    done: set[str] = set()
    for application, one in complained(case, *case.action.ends):
        for problem in case.repository.problems_of(application):
            if (
                problem.kind != "parse"
                or not problem.file
                or problem.file in done
                or not _told(case, one, problem, application)
            ):
                continue
            done.add(problem.file)
            yield from _mended(case, application, problem, one)


def _told(case: Case, one: Evidence, problem: Problem, application: Application) -> bool:
    """Whether the message is about this file; where it names none, the only broken one."""
    if posixpath.basename(problem.file) in one.text:
        return True
    broken = {other.file for other in case.repository.problems_of(application) if other.kind == "parse"}
    return len(broken) == 1 and not re.search(r"[\w-]+\.ya?ml", one.text)


def _mended(case: Case, application: Application, problem: Problem, one: Evidence) -> Iterator[Fix]:
    try:
        text = case.repository.read(problem.file).decode()
    except (ConfigError, UnicodeDecodeError):
        return
    for new, said in _from_history(case, problem, text):
        if fix := _fix(case, application, problem, one, text, new, said):
            yield fix
            break
    for group in _local(text, problem.line):
        results: dict[str, str] = {}
        for new in group:
            parsed = documents(new.encode())
            if parsed is not None and _mostly_mappings(parsed):
                results.setdefault(repr(parsed), new)
        fixes = [fix for new in results.values() if (fix := _fix(case, application, problem, one, text, new, ""))]
        if len(fixes) == 1:
            yield fixes[0]
        if fixes:
            return


def _mostly_mappings(parsed: list[Any]) -> bool:
    return bool(parsed) and all(isinstance(item, dict) or item is None for item in parsed) and any(parsed)


def _fix(
    case: Case, application: Application, problem: Problem, one: Evidence, old: str, new: str, said: str
) -> Fix | None:
    """The fix with this text, if the Application has one fault less by it and no new one."""
    file = problem.file
    after = case.repository.with_changes({file: new.encode()})
    fresh = same(after, application)
    if fresh is None or not _sound(case.repository, after, application, fresh, file):
        return None
    line, before, now = _changed_line(old, new)
    place = Place(file=file, value=before, why=f"line {line} of the file, which does not parse")
    place = shared(place, case.repository, after, application)
    return Fix(
        title=f"mend line {line} of {posixpath.basename(file)}",
        reason=f"{f'{said}. ' if said else ''}`{file}` does not parse ({problem.message}); line {line} read `{before.strip()}` and becomes `{now.strip()}`.",
        evidence=case.cite(one),
        edits=(Edit(op="write", file=file, value=new),),
        places=(place,),
        applications=_touched(case.repository, after, application),
        parameters={"file": file, "line": str(line)},
        score=0.95 if said else 0.75,
        rollback=said,
    )


def _sound(before: Repository, after: Repository, application: Application, fresh: Application, file: str) -> bool:
    problems = [problem for problem in after.problems_of(fresh) if problem.fault]
    known = {problem.message for problem in before.problems_of(application)}
    if any(problem.kind == "parse" and problem.file == file for problem in problems):
        return False
    if any(problem.message not in known for problem in problems):
        return False
    return not before.validate(after)


def _touched(before: Repository, after: Repository, application: Application) -> tuple[Application, ...]:
    names = {change.application for change in before.difference(after)} | {application.name}
    return tuple(dict.fromkeys(one for one in (*before.applications, *after.applications) if one.name in names))


def _changed_line(old: str, new: str) -> tuple[int, str, str]:
    """(number, before, after) of the first line that differs."""
    ours, theirs = old.splitlines(), new.splitlines()
    for index in range(max(len(ours), len(theirs))):
        a = ours[index] if index < len(ours) else ""
        b = theirs[index] if index < len(theirs) else ""
        if a != b:
            return index + 1, a, b
    return 0, "", ""


def _from_history(case: Case, problem: Problem, text: str) -> Iterator[tuple[str, str]]:
    """(text, what is told) with just the broken lines as the last version had them that parsed."""
    if not case.policies.actions["roll_back"].enabled:
        return
    root, file = case.repository.root, problem.file
    seen = 0
    for commit in history.recent(root, limit=_COMMITS, before=""):
        if file not in commit.files:
            continue
        seen += 1
        raw = history.file_at(root, f"{commit.commit}^", file)
        parsed = documents(raw) if raw is not None else None
        if raw is not None and parsed is not None:
            said = f"{file} stopped parsing with {commit.commit[:7]} ({commit.subject!r}, {commit.when[:10]})"
            yield from ((new, said) for new in _reverted(text, raw.decode(errors="replace"), problem.line))
            return
        if seen >= LOOK_BACK:
            return


def _reverted(text: str, good: str, line: int) -> Iterator[str]:
    """The text with one changed line as it was, nearest to the fault first; else one hunk; else all of it."""
    now, then = text.splitlines(keepends=True), good.splitlines(keepends=True)
    hunks = [code for code in SequenceMatcher(None, now, then, autojunk=False).get_opcodes() if code[0] != "equal"]
    single = [
        (low + offset, low + offset + 1, then[low_then + offset : low_then + offset + 1])
        for tag, low, high, low_then, high_then in hunks
        if tag == "replace" and high - low == high_then - low_then
        for offset in range(high - low)
    ]
    whole = [(low, high, then[low_then:high_then]) for _, low, high, low_then, high_then in hunks]
    for start, end, lines in (
        *sorted(single, key=lambda part: abs(part[0] + 1 - line)),
        *sorted(whole, key=lambda part: abs(part[0] + 1 - line)),
    ):
        new = "".join((*now[:start], *lines, *now[end:]))
        if documents(new.encode()) is not None:
            yield new
    yield good


# Local repairs: each group is a way of slipping; the first group with one sound result decides.

_COLON = re.compile(r"^(\s*(?:- +)*)([A-Za-z_][\w./-]*):([^\s/:].*)$")
_NO_COLON = re.compile(r"^(\s*(?:- +)*)([A-Za-z_][\w./-]*) +(\S.*)$")
_BARE_KEY = re.compile(r"^(\s*(?:- +)*)([A-Za-z_][\w./-]*)\s*$")
_VALUE = re.compile(r"^(\s*(?:- +)*(?:[A-Za-z_][\w./-]*: +)?)(\S.*?)(\s*(?: #.*)?)$")
_DASH = re.compile(r"^(\s*)-([A-Za-z_\"'].*)$")


def _local(text: str, line: int) -> Iterator[list[str]]:
    """Candidate texts, group by group."""
    lines = text.splitlines(keepends=True)
    window = range(max(0, line - 1 - _BEFORE), min(len(lines), line + _AFTER)) if line else range(len(lines))

    def with_line(index: int, new: str) -> str:
        end = "\r\n" if lines[index].endswith("\r\n") else "\n" if lines[index].endswith("\n") else ""
        return "".join((*lines[:index], new + end, *lines[index + 1 :]))

    for repairs in (_spaces, _marks, _words):
        yield [with_line(index, new) for index in window for new in repairs(lines[index].rstrip("\r\n"))]
    yield [with_line(index, new) for index in window for new in _indents(lines, index)]


def _spaces(line: str) -> Iterator[str]:
    """A space that is missing after a colon or dash; tabs in the indentation."""
    if found := _COLON.match(line):
        yield f"{found[1]}{found[2]}: {found[3]}"
    if found := _DASH.match(line):
        yield f"{found[1]}- {found[2]}"
    if "\t" in line:
        for width in (2, 4, 8):
            yield line.replace("\t", " " * width)


def _marks(line: str) -> Iterator[str]:
    """A quote or bracket that is not closed, a value that must be quoted."""
    for quote in "\"'":
        if line.count(quote) % 2 == 1:
            yield f"{line}{quote}"
            if found := _VALUE.match(line):
                yield f"{found[1]}{quote}{found[2]}{found[3]}"
    for opening, closing in ("[]", "{}"):
        if line.count(opening) == line.count(closing) + 1 and "{{" not in line:
            yield line + closing
    found = _VALUE.match(line)
    if (found and found[1].strip() and found[2][0] in "*@`%&!") or (
        found and ": " in found[2] and found[2][0] not in "\"'[{"
    ):
        yield f'{found[1]}"{found[2]}"{found[3]}'


def _words(line: str) -> Iterator[str]:
    """A colon that is missing altogether."""
    if ":" not in line:
        if found := _BARE_KEY.match(line):
            yield f"{found[1]}{found[2]}:"
        if found := _NO_COLON.match(line):
            yield f"{found[1]}{found[2]}: {found[3]}"


def _indents(lines: list[str], index: int) -> Iterator[str]:
    """A line that stands too far left or right, moved to where its neighbours stand."""
    line = lines[index].rstrip("\r\n")
    body = line.lstrip(" ")
    present = len(line) - len(body)
    around = [other for other in (*lines[max(0, index - 3) : index], *lines[index + 1 : index + 3]) if other.strip()]
    depths = {len(other) - len(other.lstrip(" ")) for other in around}
    wanted = {depth for depth in depths if abs(depth - present) <= 3} | {
        depth + 2 for depth in depths if abs(depth + 2 - present) == 1
    }
    for depth in sorted(wanted - {present}, key=lambda depth: abs(depth - present)):
        if body:
            yield " " * depth + body
