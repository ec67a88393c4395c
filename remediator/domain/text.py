"""Find whole words in texts: one rule for names in messages, commands and variables.

`backup` is not mentioned by `backup-daily`, `api` not by `api.example.com`, although both are substrings. Which
characters join two words into one depends on what the word is, so the caller says it; letters and digits always do.
"""

from __future__ import annotations

import re

JOINERS = "-_"
"""Characters that continue a Kubernetes name or a variable's name."""
HOST_JOINERS = "-_."
"""Characters that continue a host name or a file name."""


def word_pattern(word: str, joiners: str = JOINERS, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Return a pattern that matches the word where neither a letter, a digit nor a joiner continues it.

    A dot after the word joins only when a letter or a digit follows it: otherwise it ends a sentence.
    """
    inner = joiners.replace(".", "")
    before = rf"[^\W_]|[{re.escape(joiners)}]" if joiners else r"[^\W_]"
    after = rf"[^\W_]|[{re.escape(inner)}]" if inner else r"[^\W_]"
    after += r"|\.\w" if "." in joiners else ""
    return re.compile(rf"(?<!{before}){re.escape(word)}(?!{after})", re.IGNORECASE if ignore_case else 0)


def contains_word(text: str, word: str, joiners: str = JOINERS) -> bool:
    """Return True where the text has this word as a word of its own; an empty word is in no text."""
    return bool(word) and word in text and word_pattern(word, joiners).search(text) is not None
