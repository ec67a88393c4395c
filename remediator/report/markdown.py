"""Markdown from untrusted text: logs, names, file names, commit subjects, the answers of a model.

Everything in a report goes through `prose`, `code` or `fence`, so that nothing in it can become a link, an
image, a mention, an issue reference, HTML, or leave its code block. GitHub looks for mentions, references
and emoji after Markdown is rendered, where a backslash has long gone: those are broken by a zero-width space.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ZERO_WIDTH_SPACE = "\u200b"
_GAP = "&#8203;"
"""The zero-width space as an entity, so that a reviewer can see it in the Markdown source."""

_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "$": "&#36;"}
"""`|` would end a table's cell even inside code; `$` opens a formula."""

_SPECIAL = re.compile(r"[&<>|$\\`*\[\]~^]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK_START = re.compile(r"^(?:[#=+:-]|\d{1,9}(?=[.)]))")
"""Characters that make a line a heading, list, rule or table; the text may be put at the start of a line."""

_REFERENCES = re.compile(
    r"""(?P<at>@)
      | (?P<hash>\#)(?=\w)
      | (?P<gh>\bGH-)(?=\d)
      | (?P<scheme>:)(?=//)
      | (?P<www>\bwww)(?=\.)
      | (?P<emoji>:)(?=[\w+-]+:)""",
    re.VERBOSE | re.IGNORECASE,
)
_CLOSING_WORD = re.compile(
    r"\b((?:close|fix|resolve)(?:s|d|es|ed)?(?::\s*|\s+)\S*?)(?=\#\d|GH-\d|https?://)",
    re.IGNORECASE,
)
_SKIP_WORD = re.compile(r"\[(?=(?:skip|ci|no|actions)[ -])", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")
_SPAN = re.compile(r"`([^`\n]+)`")
_SPACE = re.compile(r"\s+")


def clip(text: str, most: int) -> str:
    """Return at most `most` characters and mark the cut; call this before escaping, so that no escape is halved."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _head(text: str, most: int) -> str:
    """Return enough of a long text to fill `most` characters, so that a megabyte is not escaped for one line of it."""
    return text[: 8 * most]


def visible(text: str, *, keep: str = "\t\n") -> str:
    """Escape control, direction and zero-width characters: a reviewer must see every character."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_character(char, keep) for char in text)


def _visible_character(char: str, keep: str) -> str:
    if char in keep or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
        return char
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def one_line(text: str) -> str:
    """Replace runs of white space by one space, so that no block can begin, and make invisible characters visible."""
    return visible(_SPACE.sub(" ", text).strip(), keep="")


def linkable(url: str) -> bool:
    """Return whether an address from the forge is safe as a link: no character in it could end or change the link."""
    return url.startswith("https://") and not set(url) & set(" <>()[]\"'`\\\n\r\t|")


def prose(text: str, most: int = 1200) -> str:
    """Return one line of safe Markdown. Text in single backticks becomes code; everything else is escaped."""
    pieces: list[str] = []
    end = 0
    line = clip(one_line(_head(text, most)), most)
    for span in _SPAN.finditer(line):
        pieces += _literal(line[end : span.start()], start=end == 0), code(span[1])
        end = span.end()
    pieces.append(_literal(line[end:], start=end == 0))
    return "".join(pieces)


def _literal(text: str, *, start: bool) -> str:
    unlinked = _REFERENCES.sub(lambda match: match[0] + ZERO_WIDTH_SPACE, text)
    block = _BLOCK_START.match(unlinked) if start else None
    if block:
        # A backslash does not escape a digit, but it escapes the character after the number.
        at = block.end() if block[0].isdigit() else 0
        head, mark, tail = unlinked[:at], unlinked[at], unlinked[at + 1 :]
        return f"{head}\\{mark}{_escaped(tail)}"
    return _escaped(unlinked)


def _escaped(text: str) -> str:
    escaped = _SPECIAL.sub(lambda match: _ENTITY.get(match[0]) or f"\\{match[0]}", text)
    return escaped.replace(ZERO_WIDTH_SPACE, _GAP)


def code(text: str, most: int = 300) -> str:
    """Return inline code that is safe in a paragraph and in a table cell, whatever the text is."""
    line = clip(defused(visible(_head(text, most), keep="")).strip(), most)
    if not line:
        return "–"
    if "`" in line or "|" in line:
        return f"<code>{_literal(line, start=False)}</code>"
    return f"`{line}`"


def fence(text: str, language: str = "") -> str:
    """Return a code block whose fence is longer than any run of backticks inside."""
    lines = [visible(line.rstrip("\r"), keep="\t") for line in defused(text).rstrip("\n").split("\n")]
    body = "\n".join(lines)
    ticks = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(body)), default=0))
    return f"{ticks}{language}\n{body}\n{ticks}"


def defused(text: str) -> str:
    """Break the words that act on a forge even in raw text: a squash merge may use the body as its message."""
    closing = _CLOSING_WORD.sub(lambda match: match[1] + "\\", text)
    return _SKIP_WORD.sub(r"[\\", closing)


def plain(text: str, most: int = 200) -> str:
    """Return one line for a title or a commit message, where mentions, references and `[skip ci]` act although it is no Markdown."""
    line = _SKIP_WORD.sub("[" + ZERO_WIDTH_SPACE, one_line(_head(text, most)))
    return clip(_REFERENCES.sub(lambda match: match[0] + ZERO_WIDTH_SPACE, line), most)


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ("", "")) -> str:
    """Return a table of cells that are already safe Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" if any(cells) else "|" + " |" * len(cells) for cells in lines)


def details(summary: str, body: str) -> str:
    """Return a folded section over safe Markdown; the summary is our own text, since Markdown is not rendered there."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def quotation(text: str) -> str:
    """Return a text as a quotation; each line is escaped, so that none can leave the quotation."""
    return "\n".join(f"> {prose(line)}".rstrip() for line in text.strip().splitlines()[:20])


def marker(kind: str, incident_id: str) -> str:
    """Return the invisible line by which our own text is found again; it is always the first line."""
    return f"<!-- remediator:{kind} {re.sub(r'[^A-Za-z0-9._-]', '', incident_id)} -->"
