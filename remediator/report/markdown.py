"""Markdown from text that nobody vouches for: logs, names, file names, commit subjects, a model's words.

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
"""The same in Markdown's source, where a reviewer can see it."""

_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "$": "&#36;"}
"""`|` would end a table's cell even inside code; `$` opens a formula."""

_SPECIAL = re.compile(r"[&<>|$\\`*\[\]~^]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK_START = re.compile(r"^(?:[#=+:-]|\d{1,9}(?=[.)]))")
"""What would make a heading, list, rule or table of a line; the text may be put at a line's start."""

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
    """At most that many characters, the cut marked; done before escaping, so that no escape is halved."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _head(text: str, most: int) -> str:
    """Enough of a long text to fill `most` characters, so that a megabyte is not escaped for a line of it."""
    return text[: 8 * most]


def visible(text: str, *, keep: str = "\t\n") -> str:
    """Control, direction and zero-width characters as escapes: what a reviewer cannot see must not be there."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char, keep) for char in text)


def _shown(char: str, keep: str) -> str:
    if char in keep or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
        return char
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def one_line(text: str) -> str:
    """Runs of white space as one space each, so that no block can begin; the invisible made visible."""
    return visible(_SPACE.sub(" ", text).strip(), keep="")


def linkable(url: str) -> bool:
    """Whether an address of the forge's own answer may stand as it is: nothing in it could end or bend the link."""
    return url.startswith("https://") and not set(url) & set(" <>()[]\"'`\\\n\r\t|")


def prose(text: str, most: int = 1200) -> str:
    """One line of safe Markdown. Text in single backticks becomes code; everything else stands for itself."""
    pieces: list[str] = []
    end = 0
    line = clip(one_line(_head(text, most)), most)
    for span in _SPAN.finditer(line):
        pieces += _literal(line[end : span.start()], start=end == 0), code(span[1])
        end = span.end()
    pieces.append(_literal(line[end:], start=end == 0))
    return "".join(pieces)


def _literal(text: str, *, start: bool) -> str:
    broken = _REFERENCES.sub(lambda match: match[0] + ZERO_WIDTH_SPACE, text)
    block = _BLOCK_START.match(broken) if start else None
    if block:
        # A backslash does not escape a digit, but it does what stands behind the number.
        at = block.end() if block[0].isdigit() else 0
        head, mark, tail = broken[:at], broken[at], broken[at + 1 :]
        return f"{head}\\{mark}{_escaped(tail)}"
    return _escaped(broken)


def _escaped(text: str) -> str:
    escaped = _SPECIAL.sub(lambda match: _ENTITY.get(match[0]) or f"\\{match[0]}", text)
    return escaped.replace(ZERO_WIDTH_SPACE, _GAP)


def code(text: str, most: int = 300) -> str:
    """Inline code that holds in a paragraph and in a table's cell, whatever is in it."""
    line = clip(defused(visible(_head(text, most), keep="")).strip(), most)
    if not line:
        return "–"
    if "`" in line or "|" in line:
        return f"<code>{_literal(line, start=False)}</code>"
    return f"`{line}`"


def fence(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    lines = [visible(line.rstrip("\r"), keep="\t") for line in defused(text).rstrip("\n").split("\n")]
    body = "\n".join(lines)
    ticks = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(body)), default=0))
    return f"{ticks}{language}\n{body}\n{ticks}"


def defused(text: str) -> str:
    """Without the words that act on a forge even in raw text: a squash merge may take a body as its message."""
    closing = _CLOSING_WORD.sub(lambda match: match[1] + "\\", text)
    return _SKIP_WORD.sub(r"[\\", closing)


def plain(text: str, most: int = 200) -> str:
    """One line for a title or a commit message: not Markdown, yet mentions, references and `[skip ci]` act there."""
    line = _SKIP_WORD.sub("[" + ZERO_WIDTH_SPACE, one_line(_head(text, most)))
    return clip(_REFERENCES.sub(lambda match: match[0] + ZERO_WIDTH_SPACE, line), most)


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ("", "")) -> str:
    """A table of cells that are already safe Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" if any(cells) else "|" + " |" * len(cells) for cells in lines)


def details(summary: str, body: str) -> str:
    """A folded part: a summary in our own words, since no Markdown counts there, over safe Markdown."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def quotation(text: str) -> str:
    """Somebody's own words, said to be so; each line is escaped, none can leave the quotation."""
    return "\n".join(f"> {prose(line)}".rstrip() for line in text.strip().splitlines()[:20])


def marker(kind: str, incident_id: str) -> str:
    """An invisible line by which our own text is found again; only ever the first line of one."""
    return f"<!-- remediator:{kind} {re.sub(r'[^A-Za-z0-9._-]', '', incident_id)} -->"
