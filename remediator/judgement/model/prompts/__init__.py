"""The instructions to the model; a file for each version, so that a recorded investigation stays readable."""

from __future__ import annotations

from importlib.resources import files

VERSION = "v3"


def system_text(*, tool_calls: int, tokens: int, language: str) -> str:
    """Return the instructions; the same bounds and language give the same text, which servers cache."""
    text = (files(__name__) / f"{VERSION}.txt").read_text(encoding="utf-8")
    return text.format(tool_calls=tool_calls, tokens=f"{tokens:,}", language=language)
