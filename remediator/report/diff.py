"""Unified differences as git writes them, so that what is shown can also be applied."""

from __future__ import annotations

import difflib
import re

_PLAIN_NAME = re.compile(r"[^\x00-\x1f\x7f\"\\]+")


def unified_diff(path: str, old: bytes | None, new: bytes | None, *, context: int = 3) -> str:
    """Return the difference of one file, empty where there is none; None stands for a file that does not exist."""
    if old == new:
        return ""
    old_name = "/dev/null" if old is None else _name(f"a/{path}")
    new_name = "/dev/null" if new is None else _name(f"b/{path}")
    old_lines, new_lines = _lines(old), _lines(new)
    if old_lines is None or new_lines is None:
        return f"Binary files {old_name} and {new_name} differ\n"
    out = [f"--- {old_name}\n", f"+++ {new_name}\n"]
    for line in list(difflib.unified_diff(old_lines, new_lines, n=context))[2:]:
        out += [line] if line.endswith("\n") else [f"{line}\n", "\\ No newline at end of file\n"]
    return "".join(out)


def changed_lines(diff: str) -> int:
    """Count the lines that a reviewer sees changed; a replaced line counts once."""
    body = diff.split("\n")[2:]
    added = sum(line.startswith("+") for line in body)
    removed = sum(line.startswith("-") for line in body)
    return max(added, removed)


def hunks(diff: str) -> list[str]:
    """Return the lines without the file's header, and without `@@` where there is only one hunk."""
    lines = diff.removesuffix("\n").split("\n")
    if lines[0].startswith("--- "):
        lines = lines[2:]
    places = sum(line.startswith("@@") for line in lines)
    return [line for line in lines if places > 1 or not line.startswith("@@")]


def _lines(content: bytes | None) -> list[str] | None:
    """Split at line feeds only: str.splitlines would also break at characters that YAML keeps in a scalar."""
    try:
        text = (content or b"").decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else re.findall(r"[^\n]*\n|[^\n]+", text)


def _name(path: str) -> str:
    """Quote names with quotes, backslashes or control characters as git does."""
    if _PLAIN_NAME.fullmatch(path):
        return path
    escapes = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    return (
        '"' + "".join(escapes.get(c) or (f"\\{ord(c):03o}" if ord(c) < 0x20 or c == "\x7f" else c) for c in path) + '"'
    )
