"""The grammar of Go's text/template: from text to nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

_ACTION = re.compile(
    r"\{\{(-(?=\s))?\s*(/\*.*?\*/|(?:\"(?:\\.|[^\"\\])*\"|`[^`]*`|'(?:\\.|[^'\\])'|[^\"`'}]|\}(?!\}))*?)\s*((?<=\s)-)?\}\}",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"\s+|(?P<string>\"(?:\\.|[^\"\\])*\"|`[^`]*`)|(?P<char>'(?:\\.|[^'\\])')|(?P<number>[-+]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?))"
    r"|(?P<field>(?:\.[A-Za-z_][\w]*)+)|(?P<variable>\$\w*)|(?P<assign>:?=)|(?P<word>[A-Za-z_]\w*)|(?P<mark>[().|,])"
)

Token = tuple[str, str]


class UnrenderableTemplate(Exception):
    """The template uses something that this reader does not support, or it calls `fail`."""


@dataclass(slots=True)
class TemplateNode:
    """One node: `text`, `emit`, `if`, `with`, `range`, `template`, `break`, `continue`; pipelines are trees."""

    kind: str
    text: str = ""
    pipe: Any = None
    body: list[TemplateNode] = field(default_factory=list)
    otherwise: list[TemplateNode] = field(default_factory=list)
    names: tuple[str, ...] = ()


def pieces(source: str) -> Iterator[tuple[str, str]]:
    """Yield ("text", …) and ("action", …) with the trim markers applied."""
    position = 0
    trim = False
    for match in _ACTION.finditer(source):
        text = source[position : match.start()]
        if trim:
            text = text.lstrip()
        if match[1]:
            text = text.rstrip()
        yield "text", text
        yield "action", match[2] if match[2].startswith("/*") else match[2].strip()
        trim = bool(match[3])
        position = match.end()
    yield "text", source[position:].lstrip() if trim else source[position:]


@lru_cache(maxsize=2048)
def parse_cached(source: str) -> tuple[list[TemplateNode], dict[str, list[TemplateNode]]]:
    """Return a template's nodes and its definitions; nodes are never changed, so they can be shared."""
    defined: dict[str, list[TemplateNode]] = {}
    return parse(source, defined), defined


def tokens(action: str) -> list[Token]:
    """Return the words of one action."""
    result: list[Token] = []
    position = 0
    while position < len(action):
        match = _TOKEN.match(action, position)
        if match is None:
            raise UnrenderableTemplate(f"cannot read {action[position : position + 20]!r}")
        if match.lastgroup:
            spaced = position > 0 and result and match.lastgroup == "field" and action[position - 1].isspace()
            result.append(("argument" if spaced else match.lastgroup, match[0]))
        position = match.end()
    return result


def parse(source: str, defined: dict[str, list[TemplateNode]]) -> list[TemplateNode]:
    """Return the template's nodes; `define` and `block` bodies go into `defined`."""
    stack: list[tuple[TemplateNode, list[TemplateNode]]] = []
    current: list[TemplateNode] = []
    for kind, text in pieces(source):
        if kind == "text":
            if text:
                current.append(TemplateNode("text", text))
            continue
        if text.startswith("/*") or not text:
            continue
        word, _, arguments = text.partition(" ")
        if word in ("if", "with", "range", "define", "block"):
            node = _open_block(word, arguments)
            if word != "define":
                current.append(TemplateNode("template", node.text, node.pipe) if word == "block" else node)
            stack.append((node, current))
            current = node.body
        elif word == "else":
            current = _open_else(arguments.strip(), stack)
        elif word == "end":
            if not stack:
                raise UnrenderableTemplate("`end` without a beginning")
            current = _close(stack, defined)
        else:
            current.append(_plain_action(word, arguments, text))
    if stack:
        raise UnrenderableTemplate(f"`{stack[-1][0].kind}` has no end")
    return current


def _plain_action(word: str, arguments: str, text: str) -> TemplateNode:
    if word in ("break", "continue"):
        return TemplateNode(word)
    words = tokens(arguments if word == "template" else text)
    if word == "template":
        return TemplateNode("template", _unquote(words[0][1]), pipeline(words[1:]) if len(words) > 1 else None)
    names, pipe = _assignment(words)
    return TemplateNode("emit", "=" if names and ("assign", "=") in words[:2] else "", pipe, names=names)


def _open_block(word: str, arguments: str) -> TemplateNode:
    words = tokens(arguments)
    if word in ("define", "block"):
        return TemplateNode(word, _unquote(words[0][1]), pipeline(words[1:]) if len(words) > 1 else None)
    names, pipe = _assignment(words)
    return TemplateNode(word, pipe=pipe, names=names)


def _open_else(arguments: str, stack: list[tuple[TemplateNode, list[TemplateNode]]]) -> list[TemplateNode]:
    if not stack:
        raise UnrenderableTemplate("`else` without a beginning")
    node = stack[-1][0]
    if not arguments:
        return node.otherwise
    word, _, condition = arguments.partition(" ")
    chained = _open_block(word, condition)
    chained.text = "chained"
    node.otherwise.append(chained)
    stack.append((chained, node.otherwise))
    return chained.body


def _close(
    stack: list[tuple[TemplateNode, list[TemplateNode]]], defined: dict[str, list[TemplateNode]]
) -> list[TemplateNode]:
    node, outer = stack.pop()
    while node.text == "chained" and stack:
        node, outer = stack.pop()
    if node.kind in ("define", "block") and (node.kind == "define" or node.text not in defined):
        defined[node.text] = node.body
    return outer


def _assignment(words: list[Token]) -> tuple[tuple[str, ...], Any]:
    for index, (kind, _) in enumerate(words[:5]):
        if kind == "assign":
            return tuple(text for name, text in words[:index] if name == "variable"), pipeline(words[index + 1 :])
    return (), pipeline(words)


def pipeline(words: list[Token]) -> Any:
    """Return ("pipe", [commands]); each command is a list of operands."""
    commands: list[list[Any]] = [[]]
    index = 0
    while index < len(words):
        kind, text = words[index]
        if (kind, text) == ("mark", "|"):
            commands.append([])
        elif (kind, text) == ("mark", "("):
            end = _closing_bracket(words, index)
            commands[-1].append(pipeline(words[index + 1 : end]))
            index = end
        elif kind == "field" and commands[-1]:
            commands[-1][-1] = ("chain", commands[-1][-1], text[1:].split("."))
        elif kind in ("field", "argument"):
            commands[-1].append(("chain", ("dot",), text[1:].split(".")))
        elif (kind, text) == ("mark", "."):
            commands[-1].append(("dot",))
        elif kind == "variable":
            commands[-1].append(("variable", text))
        elif kind == "string":
            commands[-1].append(("value", _unquote(text)))
        elif kind == "char":
            commands[-1].append(("value", ord(_unquote('"' + text[1:-1] + '"'))))
        elif kind == "number":
            commands[-1].append(
                (
                    "value",
                    float(text)
                    if re.search(r"[.eE]", text) and not text.startswith("0x")
                    else int(text, 0)
                    if not re.match(r"[-+]?0\d", text)
                    else int(text),
                )
            )
        elif kind == "word":
            commands[-1].append(
                {"true": ("value", True), "false": ("value", False), "nil": ("value", None)}.get(text, ("call", text))
            )
        else:
            raise UnrenderableTemplate(f"unexpected {text!r}")
        index += 1
    return ("pipe", commands)


def _closing_bracket(words: list[Token], start: int) -> int:
    depth = 0
    for index in range(start, len(words)):
        if words[index] == ("mark", "("):
            depth += 1
        elif words[index] == ("mark", ")"):
            depth -= 1
            if not depth:
                return index
    raise UnrenderableTemplate("a bracket is not closed")


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def _unquote(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    return re.sub(
        r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)",
        lambda m: chr(int(m[1][1:], 16)) if m[1][0] in "xu" and len(m[1]) > 1 else _ESCAPES.get(m[1], m[1]),
        text[1:-1],
    )
