"""Spell, join and match the paths of files in a checkout."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=16384)
def clean(path: str) -> str:
    """Return a path relative to the root without `.`, doubled or leading slashes; `..` at its start means outside."""
    name = posixpath.normpath(path.replace("\\", "/").lstrip("/") or ".")
    return "" if name == "." else name


def printable(name: str) -> str:
    """Return the name with control characters escaped, so that it cannot break the line of a message."""
    return name if name.isprintable() else ascii(name)


def join(directory: str, path: str) -> str:
    """Return the path, relative to the root, that a file of that directory writes as `path`."""
    return clean(posixpath.join(directory, path)) if directory else clean(path)


@lru_cache(maxsize=512)
def pattern_of(glob: str) -> re.Pattern[str]:
    """Translate a doublestar pattern: `*` stays within a name, `**` spans directories, `{a,b}` are alternatives."""
    out = ""
    index = 0
    braces = 0
    while index < len(glob):
        char = glob[index]
        if glob.startswith("**/", index):
            out += "(?:[^/]+/)*"
            index += 3
            continue
        if glob.startswith("**", index):
            out += ".*"
            index += 2
            continue
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and "]" in glob[index + 1 :]:
            end = glob.index("]", index + 1)
            inner = glob[index + 1 : end]
            out += "[" + ("^" + inner[1:] if inner[:1] in ("!", "^") else inner).replace("\\", "\\\\") + "]"
            index = end
        elif char == "{" and "}" in glob[index:]:
            out += "(?:"
            braces += 1
        elif char == "}" and braces:
            out += ")"
            braces -= 1
        elif char == "," and braces:
            out += "|"
        else:
            out += re.escape(char)
        index += 1
    try:
        return re.compile(out + r"\Z", re.DOTALL)
    except re.error:
        return re.compile(fnmatch.translate(glob))


def matcher(glob: str) -> Callable[[str], bool]:
    """Return a function that tests names against a pattern."""
    pattern = pattern_of(clean(glob))
    return lambda name: pattern.match(name) is not None
