"""Find what of a text would act on whoever reads it on GitHub: judged by a real parser, with GitHub's own habits beside it."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

_OURS = re.compile(r"</?(?:details|summary|sub|br|code)/?>|<!-- remediator:[\w-]+ [\w.-]+ -->")
_GITHUB = re.compile(
    r"(?<![\w/])@[A-Za-z0-9]"  # a mention
    r"|\b(?:https?|ftp)://|\bwww\.\w|\b[\w.+-]+@[\w-]+\.\w"  # GitHub links bare addresses
    r"|(?<![\w&])#\d|\bGH-\d|\b[\w.-]+/[\w.-]+#\d",  # references to issues
    re.IGNORECASE,
)
_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def acting(markdown: str) -> list[str]:
    """Links, images, foreign HTML, mentions, addresses, references; empty for a text that only says something."""
    bad = []
    for block in _PARSER.parse(markdown):
        for token in [block, *(block.children or ())]:
            if token.type in {"link_open", "image"}:
                bad.append(f"{token.type} {token.attrs}")
            elif token.type in {"html_inline", "html_block"} and "<" in _OURS.sub("", token.content):
                bad.append(token.content)
            elif token.type == "text" and (hit := _GITHUB.search(token.content)):
                bad.append(f"{hit[0]} in {token.content[:80]}")
    return bad
