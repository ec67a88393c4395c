"""What the library is measured against: one bare parse, and the usual round trip tuned as well as it can be."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, ScalarString, SingleQuotedScalarString

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(text: bytes) -> None:
    """One pass over PyYAML's C events: the least that a tool which looks at YAML can do."""
    for _ in yaml.parse(text, Loader=yaml.CLoader):
        pass


def round_trip(text: bytes, document: int, path: Sequence[str | int], value: Any) -> bytes:
    """Set a value by ruamel.yaml's round trip, with quotes, width and the file's own indentation kept."""
    source = text.decode("utf-8-sig")
    editor = YAML(typ="rt")
    editor.preserve_quotes = True
    editor.width = 1 << 16
    mapping, sequence, offset = _indentation(source)
    editor.indent(mapping=mapping, sequence=sequence, offset=offset)
    editor.explicit_start = source.startswith("---") or None
    documents = list(editor.load_all(source))
    _put(documents[document], path, value)
    out = io.StringIO()
    editor.dump_all(documents, out)
    return _ends(source, out.getvalue()).encode()


def _put(tree: Any, path: Sequence[str | int], value: Any) -> None:
    for element in path[:-1]:
        tree = tree[element]
    old = tree[path[-1]]
    if isinstance(value, str) and isinstance(old, ScalarString):
        value = type(old)(value)
    elif isinstance(value, str) and re.fullmatch(
        r"[\d.:eExXoO_+-]*|true|false|null|yes|no|on|off|~", value, re.IGNORECASE
    ):
        quoted = SingleQuotedScalarString if isinstance(old, SingleQuotedScalarString) else DoubleQuotedScalarString
        value = quoted(value)
    tree[path[-1]] = value


def _indentation(source: str) -> tuple[int, int, int]:
    """The step of mappings, and of lists the step and the dash's offset, as most lines have them."""
    steps = [
        len(after) - len(before)
        for before, after in re.findall(r"^( *)[^\s#-][^\n]*:\n( +)[^\s#-]", source, re.MULTILINE)
    ]
    offsets = [
        len(after) - len(before) for before, after in re.findall(r"^( *)[^\s#-][^\n]*:\n( *)- ", source, re.MULTILINE)
    ]
    step = max(set(steps), key=steps.count) if steps else 2
    offset = max(set(offsets), key=offsets.count) if offsets else 0
    return max(step, 1), max(offset, 0) + 2, max(offset, 0)


def _ends(source: str, edited: str) -> str:
    """Line ends and the last line as the source has them."""
    if not source.endswith("\n"):
        edited = edited.rstrip("\n")
    return edited.replace("\n", "\r\n") if "\r\n" in source else edited
