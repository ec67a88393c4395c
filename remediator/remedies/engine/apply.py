"""Turn edits, which are data, into new file texts; `yamledit` makes the change in the bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from remediator import yamledit
from remediator.domain.change import Edit


def changes(edits: Sequence[Edit], read: Callable[[str], bytes]) -> dict[str, bytes | None]:
    """Return path → new text (None: the file is deleted) after all edits; a file gets all of its edits or none.

    Raises `yamledit.EditRefused` where an edit cannot be made without touching anything else.
    """
    result: dict[str, bytes | None] = {}
    for file in dict.fromkeys(edit.file for edit in edits):
        file_edits = [edit for edit in edits if edit.file == file]
        if whole_file := [edit for edit in file_edits if edit.op in ("write", "remove")]:
            last = whole_file[-1]
            result[file] = str(last.value).encode() if last.op == "write" else None
            continue
        text = read(file)
        new = yamledit.apply(text, [_operation(edit) for edit in file_edits])
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
