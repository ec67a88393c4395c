"""Removes what programs put before the error that they pass on; the meaning stands at the end."""

from __future__ import annotations

import re

_WRAPPERS = re.compile(
    r"(?:rpc error: code = \w+ desc = "
    r"|(?:Failed to load target state|ComparisonError|Manifest generation error(?: \(cached\))?): "
    r"|(?:Unable to|[Ff]ailed to) (?:create application|load \w+ state|generate manifests?(?: for source \d+ of \d+)?|get (?:app|git|repo)\w*[^:]{0,60}): "
    r"|`?(?:helm|kustomize|git|kubectl) [^`\n]{0,4000}?`? failed(?: exit status \d+| timeout after \S+)?: "
    r"|[Ee]rror(?: when \w+ \"[^\"]*\")?: (?=\S))"
)


def unwrapped(text: str) -> str:
    """Return the part of a message behind its last wrapper: `rpc error: … failed exit status 1: Error: X` is `X`."""
    end = 0
    for match in _WRAPPERS.finditer(text):
        end = match.end()
    return text[end:].strip() or text
