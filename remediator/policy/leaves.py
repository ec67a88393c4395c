"""What differs between two texts of one YAML file, leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Absent:
    """Marks a leaf that is not there; `None` is a value in YAML."""

    def __repr__(self) -> str:
        return "absent"

    def __bool__(self) -> bool:
        return False


ABSENT = _Absent()


@dataclass(frozen=True)
class LeafChange:
    """One leaf that was set, changed or removed."""

    document: int
    kind: str
    name: str
    path: tuple[str | int, ...]
    before: Any
    after: Any

    @property
    def dotted(self) -> str:
        """The path as people write it."""
        return dotted(self.path)


def dotted(path: tuple[str | int, ...]) -> str:
    """`("a", 0, "b")` as `a[0].b`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def leaf_changes(before: bytes | None, after: bytes | None) -> list[LeafChange] | None:
    """Every leaf that differs, by document index; None where one of the texts is not plain YAML."""
    old, new = documents(before), documents(after)
    if old is None or new is None:
        return None
    changes: list[LeafChange] = []
    for index in range(max(len(old), len(new))):
        was = old[index] if index < len(old) else None
        now = new[index] if index < len(new) else None
        if was == now:
            continue
        head = now if isinstance(now, dict) else was if isinstance(was, dict) else {}
        metadata = head.get("metadata")
        name = str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
        kind = str(head.get("kind", ""))
        flat_old, flat_new = dict(leaves(was)), dict(leaves(now))
        changes += [
            LeafChange(index, kind, name, path, flat_old.get(path, ABSENT), flat_new.get(path, ABSENT))
            for path in dict.fromkeys((*flat_old, *flat_new))
            if flat_old.get(path, ABSENT) != flat_new.get(path, ABSENT)
        ]
    return changes


def leaves(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every scalar (and empty collection) below `node` with its path."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*path, key if isinstance(key, int) else str(key)))
    elif isinstance(node, list) and node:
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))
    elif path or node is not None:
        yield path, node


def documents(text: bytes | None) -> list[Any] | None:
    """The documents of a text, none where there is no file; None where it is not plain YAML."""
    if text is None:
        return []
    try:
        return list(yaml.load_all(text, Loader=_LOADER))
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
