"""Edits as data turned into new file texts; the bytes themselves are yamledit's business."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from remediator import yamledit
from remediator.domain.change import Edit


def changes(edits: Sequence[Edit], read: Callable[[str], bytes]) -> dict[str, bytes | None]:
    """Path → new text (None: the file goes) after all edits, each file's atomically.

    Raises `yamledit.EditRefused` where an edit cannot be made without touching anything else.
    """
    result: dict[str, bytes | None] = {}
    for file in dict.fromkeys(edit.file for edit in edits):
        own = [edit for edit in edits if edit.file == file]
        if whole := [edit for edit in own if edit.op in ("write", "remove")]:
            last = whole[-1]
            result[file] = str(last.value).encode() if last.op == "write" else None
            continue
        text = read(file)
        new = yamledit.apply(text, [_operation(edit) for edit in own])
        if new != text:
            result[file] = new
    return result


def _operation(edit: Edit) -> yamledit.Edit:
    at = {"document": edit.document, "path": _path(edit.path), "inside": _path(edit.inside)}
    match edit.op:
        case "set":
            return yamledit.Set(value=edit.value, **at)
        case "insert":
            return yamledit.Insert(value=edit.value, **at)
        case "append":
            return yamledit.Append(value=edit.value, **at)
        case "insert_item":
            return yamledit.InsertItem(value=edit.value, **at)
        case "delete":
            return yamledit.Delete(**at)
        case "rename":
            return yamledit.Rename(new_key=str(edit.value), **at)
        case _:
            raise ValueError(f"{edit.op} is no edit inside a file")


def _path(path: tuple[str | int, ...]) -> tuple[str | int | yamledit.Key, ...]:
    """`name=app` steps select the list item whose key has that value."""
    return tuple(path)
