"""Texts for the model: objects as trimmed YAML, values on one line, pages, and fences that data cannot forge."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import yaml

from remediator.domain.yaml_paths import MISSING
from remediator.judgement.model.facts import shown

PAGE = 3_800
"""Characters of one page of a tool's answer; its last line says how to read on."""
_NOISE = frozenset({"status", "managedFields", "creationTimestamp", "resourceVersion", "uid", "generation"})
_QUIET_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration", "checksum/")
_SECRET_KINDS = frozenset({"Secret", "SealedSecret"})


class _BlockDumper(yaml.SafeDumper):
    """Writes strings of several lines as blocks and never an alias."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_BlockDumper.add_representer(str, _string)


def as_yaml(value: Any) -> str:
    """Return a value as YAML, its keys in their own order, so that the same value gives the same text."""
    plain = json.loads(json.dumps(value, default=str))
    return str(yaml.dump(plain, Dumper=_BlockDumper, sort_keys=False, width=200, allow_unicode=True)).rstrip("\n")


def object_yaml(kind: str, body: Mapping[str, Any], *, most_text: int = 1_500) -> str:
    """Return a rendered object as YAML without noise; a Secret keeps its keys alone."""
    return as_yaml(_trimmed(body, secret=kind in _SECRET_KINDS, most_text=most_text))


def _trimmed(node: Any, *, secret: bool, most_text: int) -> Any:
    if isinstance(node, dict):
        out = {}
        for key, value in node.items():
            if key in _NOISE or any(str(key).startswith(prefix) for prefix in _QUIET_ANNOTATIONS):
                continue
            if secret and key in ("data", "stringData", "encryptedData") and isinstance(value, dict):
                out[key] = dict.fromkeys(value, "[not shown]")
                continue
            out[key] = _trimmed(value, secret=secret, most_text=most_text)
        return out
    if isinstance(node, list):
        return [_trimmed(item, secret=secret, most_text=most_text) for item in node]
    if isinstance(node, str) and len(node) > most_text:
        return f"{node[:most_text]}… ({len(node) - most_text} more characters)"
    return node


def value_text(value: Any, most: int = 160) -> str:
    """Return a value on one line; `absent` for a field that does not exist."""
    if value is MISSING:
        return "absent"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return shown(text, most) if text else '""'


def changed_part(before: Any, after: Any) -> tuple[Any, Any]:
    """Return two values, of two texts of several lines the lines that differ alone: the rest would hide them."""
    if not (isinstance(before, str) and isinstance(after, str) and "\n" in before and "\n" in after):
        return before, after
    old, new = before.splitlines(), after.splitlines()
    codes = [code for code in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"]
    sides = (
        [line for _, low, high, _, _ in codes for line in old[low:high]],
        [line for *_, low, high in codes for line in new[low:high]],
    )
    first, second = (" / ".join(line.strip() for line in side) for side in sides)
    return first, second


def page(lines: Sequence[str], number: int) -> str:
    """Return one page of some lines, counted from 1, and what to ask for to read on."""
    pages: list[list[str]] = [[]]
    size = 0
    for line in lines:
        if pages[-1] and size + len(line) + 1 > PAGE:
            pages.append([])
            size = 0
        pages[-1].append(line[:PAGE])
        size += len(line[:PAGE]) + 1
    if not 1 <= number <= len(pages):
        return f"There is no page {number}, only 1 to {len(pages)}."
    text = "\n".join(pages[number - 1])
    return text if len(pages) == 1 else f"{text}\n(page {number} of {len(pages)}; page={number + 1} reads on)"


def fenced(data: str) -> str:
    """Return data between two lines that no part of it can hold: they are made of its hash."""
    fence = f"data-{hashlib.sha256(data.encode('utf-8', 'replace')).hexdigest()[:24]}"
    return f"{fence}\n{data}\n{fence}"
