"""The public functions: they take bytes and return the edited bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.yamledit.edits import Append, Delete, Edit, Insert, InsertItem, Rename, Set, perform
from remediator.yamledit.errors import EditRefused
from remediator.yamledit.events import BOM, Stream, WithoutGarbageCollector
from remediator.yamledit.locate import locate
from remediator.yamledit.values import read_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.yaml_paths import EditPath
    from remediator.yamledit.readers import Value


def set(  # noqa: A001
    text: bytes, document: int, path: EditPath, value: object, *, inside: EditPath = (), edit_anchor: bool = False
) -> bytes:
    """Give the value at `path` another one; the same value again changes nothing."""
    return apply(text, [Set(document, path, value, inside=inside, edit_anchor=edit_anchor)])


def insert(text: bytes, document: int, path: EditPath, value: object, *, inside: EditPath = ()) -> bytes:
    """Add a key that is not there yet with a scalar, mapping or list; missing mappings above it are made."""
    return apply(text, [Insert(document, path, value, inside=inside)])


def delete(text: bytes, document: int, path: EditPath, *, inside: EditPath = ()) -> bytes:
    """Take away a key with its value, or an item of a list."""
    return apply(text, [Delete(document, path, inside=inside)])


def append(text: bytes, document: int, path: EditPath, value: object, *, inside: EditPath = ()) -> bytes:
    """Add an item at the end of the list at `path`."""
    return apply(text, [Append(document, path, value, inside=inside)])


def insert_item(text: bytes, document: int, path: EditPath, value: object, *, inside: EditPath = ()) -> bytes:
    """Add an item before the one that the path's last element counts to."""
    return apply(text, [InsertItem(document, path, value, inside=inside)])


def rename(text: bytes, document: int, path: EditPath, new_key: str, *, inside: EditPath = ()) -> bytes:
    """Give the key at the path's end another name; its value and its place stay."""
    return apply(text, [Rename(document, path, new_key, inside=inside)])


def apply(text: bytes, edits: Sequence[Edit]) -> bytes:
    """Apply all edits one after the other, each proved and each seeing the ones before; or none and raise EditRefused."""
    mark, body = _decode(text)
    with WithoutGarbageCollector():
        for edit in edits:
            body = perform(Stream(body), edit)
    return mark + body.encode()


def get(text: bytes, document: int, path: EditPath, *, inside: EditPath = ()) -> Value:
    """Return the value at `path` as a YAML 1.1 reader has it; raise PathMissing (a KeyError too) where there is none.

    Dates and values with an application's own tag come as their text; an alias is followed.
    """
    _, body = _decode(text)
    try:
        with WithoutGarbageCollector():
            value = _read(body, document, path)
            if inside and not isinstance(value, str):
                reason = "the value is not a string that could hold YAML"
                raise EditRefused(reason, document, path)
            return _read(str(value), 0, inside) if inside else value
    except RecursionError as error:
        raise EditRefused("the value is nested too deeply", document, path) from error


def _read(text: str, document: int, path: EditPath) -> Value:
    stream = Stream(text)
    try:
        return read_value(stream, locate(stream, document, path, shared=True).at)
    except EditRefused as refusal:
        if refusal.document is None:
            refusal.document, refusal.path = document, path
        raise


def _decode(text: bytes) -> tuple[bytes, str]:
    """Return the byte order mark and the text; libyaml would read UTF-16 too, and its places would be wrong."""
    raw = BOM.encode()
    mark = raw if text.startswith(raw) else b""
    try:
        body = text[len(mark) :].decode()
    except UnicodeDecodeError as error:
        raise EditRefused(f"is not UTF-8 at byte {error.start + len(mark)}") from error
    if body.startswith(BOM):
        raise EditRefused("begins with two byte order marks")
    return mark, body
