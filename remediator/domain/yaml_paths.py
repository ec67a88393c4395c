"""Paths into YAML: what a step is, how a path is walked, compared, written and read.

A path is a tuple of keys and list indexes. Two further spellings choose a list item by what it holds, since
Kubernetes addresses lists by name: the text step `name=app` in a `YamlPath` (plain data, so it can be stored), and
`ItemSelector` where a mapping's key could hold an equals sign and the two must be told apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PathStep = str | int
YamlPath = tuple[PathStep, ...]


@dataclass(frozen=True, slots=True)
class ItemSelector:
    """The list item whose key `name` reads `equals`: Kubernetes lists are addressed by name, not by place."""

    name: str
    equals: str


EditStep = PathStep | ItemSelector
EditPath = Sequence[EditStep]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Any = _Missing()
"""Stands for `there is no such field`, which null is not."""


def child(node: Any, step: PathStep) -> Any:
    """Return the value one step down, or MISSING."""
    if isinstance(node, dict):
        return node.get(step if step in node else str(step), MISSING)
    if isinstance(node, list):
        index = position(node, step)
        return node[index] if index is not None else MISSING
    return MISSING


def position(items: list[Any], step: PathStep) -> int | None:
    """Return the index that a step means in a list: a number, or `key=value` of the item."""
    if isinstance(step, int) or step.lstrip("-").isdigit():
        index = int(step)
        return index if -len(items) <= index < len(items) else None
    key, _, value = step.partition("=")
    for index, item in enumerate(items):
        if isinstance(item, dict) and str(item.get(key, MISSING)) == value:
            return index
    return None


def mapping_at(node: Any, key: str) -> dict[str, Any]:
    """Return the mapping under a key; empty for anything else."""
    value = node.get(key) if isinstance(node, Mapping) else None
    return value if isinstance(value, dict) else {}


def list_at(node: Any, key: str) -> list[Any]:
    """Return the list under a key; empty for anything else."""
    value = node.get(key) if isinstance(node, Mapping) else None
    return value if isinstance(value, list) else []


def get(node: Any, path: YamlPath) -> Any:
    """Return the value at a path, or MISSING."""
    for step in path:
        node = child(node, step)
        if node is MISSING:
            return MISSING
    return node


def resolve(node: Any, path: YamlPath) -> YamlPath:
    """Return the same path with every item that exists named by its index."""
    steps: list[PathStep] = []
    for step in path:
        if isinstance(node, list):
            index = position(node, step)
            steps.append(step if index is None else index)
        else:
            steps.append(step)
        node = child(node, step)
    return tuple(steps)


def depth(node: Any, path: YamlPath) -> int:
    """Count the leading steps of the path that exist."""
    count = 0
    for step in path:
        node = child(node, step)
        if node is MISSING:
            break
        count += 1
    return count


def with_value(node: Any, path: YamlPath, value: Any) -> Any:
    """Return a copy with the value set, copied along the path only; mappings that are missing are created."""
    if not path:
        return value
    step, deeper = path[0], path[1:]
    if isinstance(node, list):
        items = list(node)
        index = position(items, step)
        if index is None:
            items.append(with_value(_new_item(step, deeper), deeper, value))
        else:
            items[index] = with_value(items[index], deeper, value)
        return items
    mapping = dict(node) if isinstance(node, dict) else {}
    if step not in mapping and str(step) in mapping:
        step = str(step)
    mapping[step] = with_value(mapping.get(step, _blank(deeper)), deeper, value)
    return mapping


def _blank(path: YamlPath) -> Any:
    return [] if path and (isinstance(path[0], int) or path[0].startswith("name=")) else {}


def _new_item(step: PathStep, path: YamlPath) -> Any:
    """Return what a list item that does not exist starts as: `name=x` is its name."""
    if isinstance(step, str) and step.startswith("name="):
        return {"name": step[5:]}
    return _blank(path)


def leaves(node: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, Any]]:
    """Yield every scalar and every empty container, with its path."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list) and node:
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))
    else:
        yield path, node


def mappings(node: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, dict[str, Any]]]:
    """Yield every mapping with its path, outermost first."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from mappings(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from mappings(value, (*path, index))


def value_differences(old: Any, new: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, Any, Any]]:
    """Yield the paths at which two values differ, as deep as possible; a missing side is MISSING."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from value_differences(old.get(key, MISSING), new.get(key, MISSING), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            old_item = old[index] if index < len(old) else MISSING
            new_item = new[index] if index < len(new) else MISSING
            yield from value_differences(old_item, new_item, (*path, index))
    elif old is not new and (type(old) is not type(new) or old != new):
        yield path, old, new


_BARE = re.compile(r"""[^.\[\]"'\s=](?:[^.\[\]"'=]*[^.\[\]"'\s=])?""")
_PLAIN = re.compile(r"[\w/$:*@~+-]+")
"""A key that is written without quotes: stricter than what is read so, since no reader should stumble over it."""
_INDEX = re.compile(r"\[(\d+)\]")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_KEY = re.compile(rf"\[({_QUOTED})\]")
_SELECT = re.compile(rf"\[({_QUOTED}|[^\[\]\"=]+)=({_QUOTED}|[^\[\]\"]*)\]")


def parse_path(text: str) -> tuple[EditStep, ...]:
    r"""Read `spec.containers[name=app].env[0]["a.b"]`; a ValueError says at which character it stops making sense.

    A bare word is a key, `[0]` an index, `["…"]` a key quoted as in JSON, `[name=app]` the list item
    with that key. The empty text is the document's root.
    """
    path: list[EditStep] = []
    at = 0
    while at < len(text):
        if text[at] == "[":
            step, at = _bracket(text, at)
        else:
            if path:
                if text[at] != ".":
                    raise ValueError(f"expected '.' or '[' at character {at} of the path {text!r}")
                at += 1
            match = _BARE.match(text, at)
            if not match:
                raise ValueError(f"expected a key at character {at} of the path {text!r}")
            step, at = match.group(), match.end()
        path.append(step)
    return tuple(path)


def _bracket(text: str, at: int) -> tuple[EditStep, int]:
    if match := _INDEX.match(text, at):
        return int(match[1]), match.end()
    if match := _KEY.match(text, at):
        return _unquote(match[1]), match.end()
    if match := _SELECT.match(text, at):
        return ItemSelector(_unquote(match[1]), _unquote(match[2])), match.end()
    raise ValueError(f'expected [0], ["key"] or [name=value] at character {at} of the path {text!r}')


def _unquote(text: str) -> str:
    return str(json.loads(text, strict=False)) if text.startswith('"') else text


def format_path(path: EditPath) -> str:
    """Write a path for people, `spec.containers[0].image`, so that `parse_path` reads the same path again."""
    text = ""
    for step in path:
        if isinstance(step, ItemSelector):
            text += f"[{_select_word(step.name)}={_select_word(step.equals)}]"
        elif isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(key := str(step)):  # YAML has keys that are no text: null, a date
            text += f".{key}" if text else key
        else:
            text += f"[{json.dumps(key, ensure_ascii=False)}]"
    return text


def _select_word(text: str) -> str:
    return text if re.fullmatch(r'[^\[\]"=]+', text) else json.dumps(text, ensure_ascii=False)


def unquoted_path(path: YamlPath) -> str:
    """Write a path with dots and indexes and never a quote: the spelling that `deny_paths` patterns match."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text
