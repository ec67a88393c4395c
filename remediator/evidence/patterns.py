"""The categories' patterns, checked and compiled once into a set that tells which of them hit a line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEMORY = 64 << 20
"""Bytes for the automata; the default 8 MB makes sixty patterns fall back to the slow matcher."""

_TOKEN = re.compile(r'\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A category signal's expression in google-re2's syntax, with the id by which its hits are counted."""

    id: str
    regex: str


def _through_escapes(regex: str) -> str:
    r"""Return the expression with each literal quote also matching `\\"`, so that it finds messages inside JSON and logfmt."""
    return _TOKEN.sub(lambda token: r'\\?"' if token.group() == '"' else token.group(), regex)


def _options(re2: Any) -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.never_nl = True
    options.never_capture = True
    options.log_errors = False
    return options


class PatternMatcher:
    """All patterns together: `matching` returns those that hit a line; long inputs are searched for `sources`."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        import re2

        self.patterns = tuple(patterns)
        options = _options(re2)
        self._set = re2.Set.SearchSet(options)
        sources, plain = list[str](), list[str]()
        for pattern in self.patterns:
            relaxed = _through_escapes(pattern.regex)
            source = f"(?m:{relaxed})"
            try:
                re2.compile(pattern.regex, options)
                re2.compile(source, options)
                self._set.Add(source)
            except (re2.error, ValueError, TypeError) as bad:
                reason = bad.args[0].decode() if bad.args and isinstance(bad.args[0], bytes) else str(bad)
                raise ConfigError(f"pattern {pattern.id!r} is no valid google-re2 expression: {reason}") from bad
            sources.append(source)
            plain.append(relaxed)
        if sources:
            self._set.Compile()
        self.sources = tuple(plain)
        """The expressions as they are searched for: also through the escapes of JSON."""

    def matching(self, text: str | bytes) -> list[int]:
        """Return the indices of the patterns that hit a line."""
        return sorted(self._set.Match(text) or ()) if self.patterns else []
