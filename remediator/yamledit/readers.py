"""Read a plain scalar as a YAML 1.1 reader (PyYAML) and as a YAML 1.2 reader (ruamel.yaml) do.

The two disagree on `on`, `0644`, `1e3`, `12:30:45`, `0o17` and more, so a scalar that is written must
mean the same to both. The readers' own resolvers are asked, not a copy of their tables; only for words, decimals
and quantities, which no table holds otherwise, is ruamel.yaml not even loaded (a test holds it to that).
"""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

Value = str | int | float | bool | None | dict[str, "Value"] | list["Value"]

_PREFIX = "tag:yaml.org,2002:"
_READER_11 = Resolver()
_CONSTRUCTOR = SafeConstructor()
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)")
_WORD = re.compile(r"[abcdeghijklmpqrsuvwxzABCDEGHIJKLMPQRSUVWXZ_/][A-Za-z0-9_./@-]*|[0-9]+(?:Ki|Mi|Gi|Ti|m|k|M|G|T)")
"""Words whose first letter opens no typed scalar, and quantities: text to any reader."""


@lru_cache(maxsize=4096)
def tag_11(text: str) -> str:
    """Return the short tag (`str`, `int`, `bool` …) of a plain scalar in YAML 1.1."""
    tag: object = _READER_11.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return str(tag).removeprefix(_PREFIX)


@lru_cache(maxsize=4096)
def tag_12(text: str) -> str:
    """Return the short tag of a plain scalar in YAML 1.2."""
    if _WORD.fullmatch(text):
        return "str"
    if _DECIMAL.fullmatch(text):
        return "int"
    return ruamel_tag(text)


def ruamel_tag(text: str) -> str:
    """Return the same as `tag_12`, asked of ruamel.yaml whatever the text."""
    reader, node = _ruamel()
    return str(reader.resolve(node, text, (True, False))).removeprefix(_PREFIX)


@cache
def _ruamel() -> tuple[Any, Any]:
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.resolver import VersionedResolver

    return VersionedResolver(version=(1, 2)), ScalarNode


def construct(tag: str, text: str) -> Value:
    """Return the value of a scalar with a short tag, as YAML 1.1 reads it; dates and unknown tags stay text."""
    node = yaml.ScalarNode(_PREFIX + tag, text)
    try:
        match tag:
            case "null":
                return None
            case "bool":
                return bool(_CONSTRUCTOR.construct_yaml_bool(node))
            case "int":
                return int(_CONSTRUCTOR.construct_yaml_int(node))
            case "float":
                return float(_CONSTRUCTOR.construct_yaml_float(node))
    except (KeyError, IndexError, ValueError):
        return text
    return text


@lru_cache(maxsize=4096)
def agreed(text: str) -> bool:
    """Return whether both readers give this plain scalar the same type and value."""
    tag = tag_11(text)
    if tag != tag_12(text):
        return False
    if tag == "int":
        return bool(_DECIMAL.fullmatch(text))
    return tag in ("str", "null", "bool", "float")


def same(left: Value, right: Value) -> bool:
    """Return whether both are equal in type and value: 1 is not true, 1.0 is not 1, and not-a-number is itself."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return left == right
