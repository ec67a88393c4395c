"""The operations: each takes a parsed text and returns the edited text, proved, or refuses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from remediator.yamledit.delete import delete_plans
from remediator.yamledit.errors import EditRefused
from remediator.yamledit.events import ScalarEvent, Stream
from remediator.yamledit.insert import append_plans, insert_plans
from remediator.yamledit.locate import deepest, locate, locate_child
from remediator.yamledit.proof import EditPlan, carry_out
from remediator.yamledit.replace import rename_plans, set_plans
from remediator.yamledit.scalars import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.domain.yaml_paths import EditPath


@dataclass(frozen=True, slots=True)
class _Position:
    """The place of an edit: a path in a document, and the path inside the YAML that a string there holds."""

    document: int
    path: EditPath
    inside: EditPath = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Set(_Position):
    """Give the value at `path` another one; `edit_anchor` allows a value that aliases share."""

    value: object
    edit_anchor: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Insert(_Position):
    """Add a key that is not there yet, the missing mappings above it too."""

    value: object


@dataclass(frozen=True, slots=True)
class Delete(_Position):
    """Take away a key with its value, or an item of a list."""


@dataclass(frozen=True, slots=True)
class Append(_Position):
    """Add an item at the end of the list at `path`."""

    value: object


@dataclass(frozen=True, slots=True)
class InsertItem(_Position):
    """Add an item before the one that the path's last element counts to."""

    value: object


@dataclass(frozen=True, slots=True)
class Rename(_Position):
    """Give the key at the path's end another name."""

    new_key: str


Edit = Set | Insert | Delete | Append | InsertItem | Rename


def perform(stream: Stream, edit: Edit) -> str:
    """Return the text that one edit makes of a parsed stream: the first of its plans that the proof accepts."""
    try:
        if edit.inside:
            return _inside(stream, edit)
        return _first_proved(stream, _plans(stream, edit))
    except EditRefused as refusal:
        if refusal.document is None:
            refusal.document, refusal.path = edit.document, edit.path
        raise
    except (IndexError, KeyError, RecursionError, StopIteration, OverflowError) as error:
        raise EditRefused(
            f"the text is laid out in a way that is not understood ({type(error).__name__})", edit.document, edit.path
        ) from error


def _first_proved(stream: Stream, plans: Iterator[EditPlan | None]) -> str:
    failure: EditRefused | None = None
    for plan in plans:
        if plan is None:
            return stream.text
        try:
            return carry_out(stream, plan)
        except EditRefused as refusal:
            failure = failure or refusal
    raise EditRefused(f"no way to make the edit could be proved: {failure.reason if failure else 'none is known'}")


def _plans(stream: Stream, edit: Edit) -> Iterator[EditPlan | None]:
    match edit:
        case Set():
            place = locate(stream, edit.document, edit.path, shared=edit.edit_anchor)
            return set_plans(stream, place, normalise(edit.value))
        case Insert():
            return insert_plans(stream, deepest(stream, edit.document, edit.path), normalise(edit.value))
        case Delete():
            return delete_plans(stream, locate_child(stream, edit.document, edit.path))
        case Append():
            return append_plans(stream, locate(stream, edit.document, edit.path), normalise(edit.value))
        case InsertItem():
            return _insert_item(stream, edit)
        case Rename():
            return rename_plans(stream, locate_child(stream, edit.document, edit.path), _key(edit.new_key))


def _key(name: object) -> str:
    if not isinstance(name, str):
        raise EditRefused("the new key is not a string")
    return str(normalise(name))


def _insert_item(stream: Stream, edit: InsertItem) -> Iterator[EditPlan | None]:
    if not edit.path or not isinstance(edit.path[-1], int):
        raise EditRefused("the path does not end in the index of a list")
    place = locate(stream, edit.document, edit.path[:-1])
    return append_plans(stream, place, normalise(edit.value), edit.path[-1])


def _inside(stream: Stream, edit: Edit) -> str:
    """Edit the YAML that a string holds: the string is edited as a text of its own, then set."""
    outer = locate(stream, edit.document, edit.path, shared=isinstance(edit, Set) and edit.edit_anchor)
    event = stream.events[outer.at]
    if event.__class__ is not ScalarEvent or event.implicit[0]:
        raise stream.refuse("the value is not a string that could hold YAML", outer.at)
    inner = replace(edit, document=0, path=edit.inside, inside=())
    try:
        text = perform(Stream(event.value), inner)
    except EditRefused as refusal:
        raise EditRefused(f"inside the string: {refusal}", edit.document, edit.path, stream.line(outer.at)) from refusal
    return perform(stream, Set(edit.document, edit.path, text, edit_anchor=isinstance(edit, Set) and edit.edit_anchor))
