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
    document, path, inside = edit.document, edit.path, edit.inside
    match edit.op:
        case "set":
            return yamledit.Set(document, path, edit.value, inside=inside)
        case "insert":
            return yamledit.Insert(document, path, edit.value, inside=inside)
        case "append":
            return yamledit.Append(document, path, edit.value, inside=inside)
        case "insert_item":
            return yamledit.InsertItem(document, path, edit.value, inside=inside)
        case "delete":
            return yamledit.Delete(document, path, inside=inside)
        case "rename":
            return yamledit.Rename(document, path, str(edit.value), inside=inside)
        case _:
            raise ValueError(f"{edit.op} is no edit inside a file")
