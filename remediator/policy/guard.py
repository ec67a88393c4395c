"""The guardrails, asked about the final difference and nothing else: intentions do not count."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from remediator.domain.base import Value
from remediator.domain.yaml_paths import MISSING
from remediator.policy.leaves import leaf_changes
from remediator.policy.models import Guardrails


class FileChange(Value):
    """A file before and after; None where it does not exist."""

    before: bytes | None
    after: bytes | None


class Ruling(Value):
    """The guardrails' verdict; every reason names the rule and the file."""

    allowed: bool
    reasons: tuple[str, ...] = ()


def check_changes(changes: Mapping[str, FileChange], guardrails: Guardrails) -> Ruling:
    """Judge a whole change; all objections are given, not only the first."""
    reasons: list[str] = []
    if not guardrails.enabled:
        reasons.append("the kill switch is on (guardrails.enabled: false)")
    if len(changes) > guardrails.max_files:
        reasons.append(f"changes {len(changes)} files, at most {guardrails.max_files} are allowed (max_files)")
    lines = sum(changed_lines(change) for change in changes.values())
    if lines > guardrails.max_lines:
        reasons.append(f"changes {lines} lines, at most {guardrails.max_lines} are allowed (max_lines)")
    for file, change in changes.items():
        reasons += _file_objections(file, guardrails)
        reasons += _content_objections(file, change, guardrails)
    return Ruling(allowed=not reasons, reasons=tuple(reasons))


def changed_lines(change: FileChange) -> int:
    """Added plus removed lines, as a reviewer counts them."""
    before = (change.before or b"").splitlines()
    after = (change.after or b"").splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return sum(
        (high1 - low1) + (high2 - low2) for tag, low1, high1, low2, high2 in matcher.get_opcodes() if tag != "equal"
    )


def matches_any(file: str, patterns: Iterable[str]) -> str:
    """The first glob that matches the file, or an empty string; `**` crosses directories, `*` does not."""
    return next((pattern for pattern in patterns if _glob(pattern).fullmatch(file)), "")


def _file_objections(file: str, guardrails: Guardrails) -> list[str]:
    if file != posixpath.normpath(file) or file.startswith(("/", "../")) or "\\" in file or "\0" in file:
        return [f"{file}: leaves the checkout"]
    if denied := matches_any(file, guardrails.deny_files):
        return [f"{file}: denied by {denied!r} (deny_files)"]
    if not matches_any(file, guardrails.allow_files):
        return [f"{file}: matches nothing in allow_files"]
    return []


def _content_objections(file: str, change: FileChange, guardrails: Guardrails) -> list[str]:
    differences = leaf_changes(change.before, change.after)
    if differences is None:
        return []  # one side is not YAML: the file and size rules above still hold
    reasons = []
    for leaf in differences:
        if leaf.kind in guardrails.deny_kinds:
            reasons.append(f"{file}: objects of kind {leaf.kind} are not changed (deny_kinds)")
        if denied := guardrails.denies_path(leaf.kind, leaf.dotted):
            reasons.append(f"{file}: {leaf.kind}:{leaf.dotted} is denied by {denied!r} (deny_paths)")
        value = "" if leaf.after is MISSING else str(leaf.after)
        reasons += [
            f"{file}: the new value of {leaf.dotted} is denied by {pattern!r} (deny_values)"
            for pattern in guardrails.deny_values
            if value and re.search(pattern, value)
        ]
    return list(dict.fromkeys(reasons))


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    out, position = "", 0
    while position < len(pattern):
        if pattern.startswith("**/", position):
            out, position = out + "(?:.*/)?", position + 3
        elif pattern.startswith("**", position):
            out, position = out + ".*", position + 2
        elif pattern[position] == "*":
            out, position = out + "[^/]*", position + 1
        elif pattern[position] == "?":
            out, position = out + "[^/]", position + 1
        else:
            out, position = out + re.escape(pattern[position]), position + 1
    return re.compile(out, re.DOTALL)
