"""The difference between two texts of one YAML file, leaf by leaf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from remediator.domain.yaml_paths import MISSING, YamlPath, leaves, unquoted_path

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class LeafChange:
    """One leaf that was set, changed or removed."""

    document: int
    kind: str
    name: str
    path: YamlPath
    before: Any
    after: Any

    @property
    def dotted(self) -> str:
        """The path as `deny_paths` patterns match it."""
        return unquoted_path(self.path)


def leaf_changes(before: bytes | None, after: bytes | None) -> list[LeafChange] | None:
    """Return every leaf that differs, by document index; None if one of the texts is not plain YAML."""
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
        flat_old, flat_new = _leaves_of(was), _leaves_of(now)
        changes += [
            LeafChange(index, kind, name, path, flat_old.get(path, MISSING), flat_new.get(path, MISSING))
            for path in dict.fromkeys((*flat_old, *flat_new))
            if flat_old.get(path, MISSING) != flat_new.get(path, MISSING)
        ]
    return changes


def _leaves_of(document: Any) -> dict[YamlPath, Any]:
    """Return the leaves of a document by path; an empty document has none."""
    return {} if document is None else dict(leaves(document))


def documents(text: bytes | None) -> list[Any] | None:
    """Return the documents of a text, none if there is no file; None if it is not plain YAML."""
    if text is None:
        return []
    try:
        return list(yaml.load_all(text, Loader=_LOADER))
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
