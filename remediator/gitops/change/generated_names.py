"""Names that kustomize makes of a generator's name and a hash of its content: a new content has a new name.

The object of the old name and that of the new one are one object to a reader, and what refers to it follows by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from remediator.gitops.model import Manifest

_HASHED = re.compile(r"(?P<stem>.+)-[bcdfghkmt2456789]{10}")
"""The alphabet of kustomize's hashes: hexadecimal digits with those replaced that could spell words."""

_GENERATED = frozenset({"ConfigMap", "Secret"})
"""Kinds that kustomize generates."""

Identity = tuple[object, ...]


def is_follow_up(before: Any, after: Any) -> bool:
    """Return True where one text is the other with another hash: a reference that follows its generated object."""
    return isinstance(before, str) and isinstance(after, str) and before != after and stem(before) == stem(after) != ""


def stem(name: str) -> str:
    """Return the name without its hash; empty where it has none."""
    match = _HASHED.fullmatch(name)
    return match["stem"] if match else ""


def successors(old: Mapping[Identity, Manifest], new: Mapping[Identity, Manifest]) -> dict[Identity, Identity]:
    """Return, by the identity of each generated object that is gone, the identity of the one that takes its place."""
    gone = {identity: item for identity, item in old.items() if identity not in new and _is_generated(item)}
    made = {identity: item for identity, item in new.items() if identity not in old and _is_generated(item)}
    pairs = {
        identity: [other for other, candidate in made.items() if _is_same(item, candidate)]
        for identity, item in gone.items()
    }
    return {identity: others[0] for identity, others in pairs.items() if len(others) == 1}


def _is_generated(item: Manifest) -> bool:
    return item.kind in _GENERATED and bool(stem(item.name))


def _is_same(first: Manifest, second: Manifest) -> bool:
    return (first.kind, first.namespace, stem(first.name)) == (second.kind, second.namespace, stem(second.name))
