"""Edits of YAML text that change nothing but the value, each proved before it is given back.

Knows nothing of what the YAML is for. Documents count from 0; a path is keys, indexes and `ItemSelector`
choices, which `parse_path` reads from text. Every function takes and gives bytes, or raises
EditRefused and leaves the text as it was.
"""

from remediator.domain.yaml_paths import EditPath, EditStep, ItemSelector, format_path, parse_path
from remediator.yamledit.api import append, apply, delete, get, insert, insert_item, rename, set  # noqa: A004
from remediator.yamledit.edits import Append, Delete, Edit, Insert, InsertItem, Rename, Set
from remediator.yamledit.errors import EditRefused, PathMissing
from remediator.yamledit.readers import Value

__all__ = [
    "Append",
    "Delete",
    "Edit",
    "EditPath",
    "EditRefused",
    "EditStep",
    "Insert",
    "InsertItem",
    "ItemSelector",
    "PathMissing",
    "Rename",
    "Set",
    "Value",
    "append",
    "apply",
    "delete",
    "format_path",
    "get",
    "insert",
    "insert_item",
    "parse_path",
    "rename",
    "set",
]
