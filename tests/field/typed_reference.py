"""The reference of an incident in the terms of `try_change`: what someone who knows the right change would write."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from remediator.domain.yaml_paths import YamlPath, format_path
from remediator.gitops.yamlread import UnreadableYaml, documents
from tests.field.incident import FieldIncident

Edit = dict[str, Any]
_ABSENT: Any = object()


class Unwritable(Exception):
    """A reference that the tool has no words for; the message says which part."""


def reference_edits(incident: FieldIncident, root: Path) -> list[Edit]:
    """Return the edits of the reference; none for an incident to be declined. Raises `Unwritable`."""
    edits: list[Edit] = []
    for name, text in incident.apply_reference(root).items():
        before = (root / name).read_text(encoding="utf-8") if (root / name).is_file() else None
        if text is None:
            raise Unwritable(f"{name} is deleted")
        edits += [{"file": name, "new_text": text}] if before is None else _file_edits(name, before, text)
    return edits


def _file_edits(name: str, before: str, after: str) -> list[Edit]:
    try:
        old, new = documents(before.encode()), documents(after.encode())
    except UnreadableYaml:
        return [_lines(name, before, after)]
    if len(old) != len(new):
        raise Unwritable(f"{name} has another number of documents")
    return [
        {"file": name, "document": number, **edit}
        for number, (one, other) in enumerate(zip(old, new, strict=True))
        for edit in _differences(one, other, ())
    ]


def _lines(name: str, before: str, after: str) -> Edit:
    """Return the one span of lines outside which both texts are the same."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    blocks = [
        block for block in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes() if block[0] != "equal"
    ]
    first, last, new_first, new_last = blocks[0][1], blocks[-1][2], blocks[0][3], blocks[-1][4]
    if first == last:  # lines are only added: take one along that stays
        first, new_first = first - 1, new_first - 1
    return {"file": name, "from_line": first + 1, "to_line": last, "new_text": "".join(new[new_first:new_last])}


def _differences(old: Any, new: Any, path: YamlPath) -> Iterator[Edit]:
    if type(old) is type(new) and old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _of_mapping(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_list(old, new, path)
    elif isinstance(old, str) and isinstance(new, str) and (inner := _inner(old, new)):
        for edit in _differences(*inner, ()):
            yield {**edit, "path": format_path(path), "inside": edit["path"]}
    else:
        yield {"op": "set", "path": format_path(path), "value": new}


def _of_mapping(old: dict[Any, Any], new: dict[Any, Any], path: YamlPath) -> Iterator[Edit]:
    added = {key: value for key, value in new.items() if key not in old}
    for key, value in old.items():
        if key in new:
            yield from _differences(value, new[key], (*path, key))
            continue
        same = next((other for other, one in added.items() if one == value), _ABSENT)
        if same is _ABSENT:
            yield {"op": "delete", "path": format_path((*path, key))}
        else:
            del added[same]
            yield {"op": "rename", "path": format_path((*path, key)), "value": same}
    for key, value in added.items():
        yield {"op": "insert", "path": format_path((*path, key)), "value": value}


def _of_list(old: Sequence[Any], new: Sequence[Any], path: YamlPath) -> Iterator[Edit]:
    if len(new) > len(old) and new[: len(old)] == old:
        yield from ({"op": "append", "path": format_path(path), "value": item} for item in new[len(old) :])
    elif len(new) == len(old):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(one, other, (*path, number))
    elif len(new) < len(old) and (gone := _left_out(old, new)):
        yield from ({"op": "delete", "path": format_path((*path, number))} for number in reversed(gone))
    else:
        yield {"op": "set", "path": format_path(path), "value": list(new)}


def _left_out(old: Sequence[Any], new: Sequence[Any]) -> list[int]:
    """Return the positions of the old items that the new list leaves out, each once; none where it adds any."""
    kept, gone = list(new), []
    for number in reversed(range(len(old))):
        if kept and kept[-1] == old[number]:
            kept.pop()
        else:
            gone.insert(0, number)
    return [] if kept else gone


def _inner(old: str, new: str) -> tuple[Any, Any] | None:
    """Return what two texts hold as YAML, where both are a mapping or a list."""
    try:
        before, after = documents(old.encode()), documents(new.encode())
    except UnreadableYaml:
        return None
    if len(before) != 1 or len(after) != 1 or not isinstance(before[0], dict | list):
        return None
    return (before[0], after[0]) if type(before[0]) is type(after[0]) else None
