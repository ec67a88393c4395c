"""Where a value is: keys, list indexes, and list items chosen by what they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """The list item whose key `name` reads `equals`: Kubernetes lists are addressed by name, not by place."""

    name: str
    equals: str


Element = str | int | Key
Path = Sequence[Element]

_BARE = re.compile(r"""[^.\[\]"'\s=](?:[^.\[\]"'=]*[^.\[\]"'\s=])?""")
_INDEX = re.compile(r"\[(\d+)\]")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_KEY = re.compile(rf"\[({_QUOTED})\]")
_SELECT = re.compile(rf"\[({_QUOTED}|[^\[\]\"=]+)=({_QUOTED}|[^\[\]\"]*)\]")


def parse_path(text: str) -> tuple[Element, ...]:
    r"""Read `spec.containers[name=app].env[0]["a.b"]`; a ValueError says where it stops making sense.

    A bare word is a key, `[0]` an index, `["…"]` a key quoted as in JSON, `[name=app]` the list item
    with that key. The empty text is the document's root.
    """
    path: list[Element] = []
    at = 0
    while at < len(text):
        if text[at] == "[":
            element, at = _bracket(text, at)
        else:
            if path:
                if text[at] != ".":
                    raise ValueError(f"expected '.' or '[' at character {at} of the path {text!r}")
                at += 1
            match = _BARE.match(text, at)
            if not match:
                raise ValueError(f"expected a key at character {at} of the path {text!r}")
            element, at = match.group(), match.end()
        path.append(element)
    return tuple(path)


def _bracket(text: str, at: int) -> tuple[Element, int]:
    if match := _INDEX.match(text, at):
        return int(match[1]), match.end()
    if match := _KEY.match(text, at):
        return _unquote(match[1]), match.end()
    if match := _SELECT.match(text, at):
        return Key(_unquote(match[1]), _unquote(match[2])), match.end()
    raise ValueError(f'expected [0], ["key"] or [name=value] at character {at} of the path {text!r}')


def _unquote(text: str) -> str:
    return str(json.loads(text, strict=False)) if text.startswith('"') else text


def format_path(path: Path) -> str:
    """Write a path so that `parse_path` reads the same again."""
    out = ""
    for element in path:
        if isinstance(element, Key):
            out += f"[{_select_word(element.name)}={_select_word(element.equals)}]"
        elif isinstance(element, int):
            out += f"[{element}]"
        elif _BARE.fullmatch(element):
            out += f".{element}" if out else element
        else:
            out += f"[{json.dumps(element, ensure_ascii=False)}]"
    return out


def _select_word(text: str) -> str:
    return text if re.fullmatch(r'[^\[\]"=]+', text) else json.dumps(text, ensure_ascii=False)
