"""The template functions of Go, Sprig and Helm that ApplicationSets and charts use, by their documentation.

Random, clock and network functions are left out: a template that depends on them is not rendered here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from remediator.gitops.template.conversions import (
    as_integer,
    as_string,
    from_yaml,
    indent,
    kind_of,
    normalize,
    printf,
    regex,
    snake,
    to_yaml,
    trunc,
)
from remediator.gitops.template.engine import is_true
from remediator.gitops.template.parse import UnrenderableTemplate
from remediator.gitops.template.semver import matches_constraint, parse_version


def _fail(message: Any) -> Any:
    raise UnrenderableTemplate(as_string(message))


def _required(message: Any, value: Any) -> Any:
    return _fail(message) if value is None or value == "" else value


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key if key in value else as_string(key))
        elif isinstance(value, (list, str)):
            if not 0 <= as_integer(key) < len(value):
                raise UnrenderableTemplate(f"index out of range: {key}")
            value = value[as_integer(key)]
        else:
            raise UnrenderableTemplate("index of a value that is neither list nor map")
    return value


def _merge(*maps: Any, overwrite: bool = False) -> Any:
    result = maps[0] if isinstance(maps[0], dict) else {}
    for overlay in maps[1:]:
        for key, value in (overlay or {}).items():
            if isinstance(result.get(key), dict) and isinstance(value, dict):
                result[key] = _merge(dict(result[key]), value, overwrite=overwrite)
            elif overwrite or not is_true(result.get(key)):
                result[key] = value
    return result


def _set(mapping: dict[str, Any], key: Any, value: Any) -> dict[str, Any]:
    mapping[as_string(key)] = value
    return mapping


def _unset(mapping: dict[str, Any], key: Any) -> dict[str, Any]:
    mapping.pop(as_string(key), None)
    return mapping


def _dig(*arguments: Any) -> Any:
    *keys, default, mapping = arguments
    for key in keys:
        if not isinstance(mapping, Mapping) or key not in mapping:
            return default
        mapping = mapping[key]
    return mapping


def _equal(first: Any, *candidates: Any) -> bool:
    return any(
        first == candidate and isinstance(first, bool) == isinstance(candidate, bool) for candidate in candidates
    )


def _until(count: Any) -> list[int]:
    if as_integer(count) > 100_000:
        raise UnrenderableTemplate("a list that is too long")
    return list(range(as_integer(count)))


def _slice(value: Any, *bounds: Any) -> Any:
    return value[slice(*[as_integer(bound) for bound in bounds])]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    # Go
    "not": lambda value: not is_true(value),
    "eq": _equal,
    "ne": lambda a, b: not _equal(a, b),
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "len": lambda value: len(value) if value is not None else 0,
    "index": _index,
    "slice": _slice,
    "print": lambda *values: "".join(as_string(value) for value in values),
    "println": lambda *values: " ".join(as_string(value) for value in values) + "\n",
    "printf": printf,
    "html": as_string,
    # text
    "quote": lambda *values: " ".join(
        json.dumps(as_string(value), ensure_ascii=False) for value in values if value is not None
    ),
    "squote": lambda *values: " ".join(f"'{as_string(value)}'" for value in values if value is not None),
    "lower": lambda text: as_string(text).lower(),
    "upper": lambda text: as_string(text).upper(),
    "title": lambda text: as_string(text).title(),
    "untitle": lambda text: as_string(text)[:1].lower() + as_string(text)[1:],
    "trim": lambda text: as_string(text).strip(),
    "trimAll": lambda chars, text: as_string(text).strip(as_string(chars)),
    "trimPrefix": lambda prefix, text: as_string(text).removeprefix(as_string(prefix)),
    "trimSuffix": lambda suffix, text: as_string(text).removesuffix(as_string(suffix)),
    "trunc": trunc,
    "abbrev": lambda size, text: (
        as_string(text) if len(as_string(text)) <= as_integer(size) else as_string(text)[: as_integer(size) - 3] + "..."
    ),
    "substr": lambda start, end, text: as_string(text)[
        as_integer(start) : as_integer(end) if as_integer(end) >= 0 else None
    ],
    "nospace": lambda text: re.sub(r"\s", "", as_string(text)),
    "replace": lambda old, new, text: as_string(text).replace(as_string(old), as_string(new)),
    "contains": lambda part, text: as_string(part) in as_string(text),
    "hasPrefix": lambda prefix, text: as_string(text).startswith(as_string(prefix)),
    "hasSuffix": lambda suffix, text: as_string(text).endswith(as_string(suffix)),
    "repeat": lambda count, text: as_string(text) * min(as_integer(count), 10_000),
    "cat": lambda *values: " ".join(as_string(value) for value in values if value is not None),
    "indent": indent,
    "nindent": lambda size, text: "\n" + indent(size, text),
    "snakecase": snake,
    "kebabcase": lambda text: snake(text).replace("_", "-"),
    "camelcase": lambda text: "".join(part.title() for part in re.split(r"[-_ ]", as_string(text))),
    "split": lambda separator, text: {
        f"_{index}": part for index, part in enumerate(as_string(text).split(as_string(separator)))
    },
    "splitList": lambda separator, text: as_string(text).split(as_string(separator)),
    "splitn": lambda separator, count, text: {
        f"_{i}": part for i, part in enumerate(as_string(text).split(as_string(separator), as_integer(count) - 1))
    },
    "join": lambda separator, items: as_string(separator).join(
        as_string(item) for item in (items if isinstance(items, list) else [items])
    ),
    "sortAlpha": lambda items: sorted(as_string(item) for item in items or []),
    "toString": as_string,
    "toStrings": lambda items: [as_string(item) for item in items or []],
    "normalize": normalize,
    "slugify": lambda *values: normalize(values[-1])[:50].strip("-"),
    "regexMatch": lambda pattern, text: regex(pattern).search(as_string(text)) is not None,
    "regexFind": lambda pattern, text: ((match := regex(pattern).search(as_string(text))) and match[0]) or "",
    "regexReplaceAll": lambda pattern, text, new: regex(pattern).sub(
        re.sub(r"\$\{?(\d+)\}?", r"\\\1", as_string(new)), as_string(text)
    ),
    "regexReplaceAllLiteral": lambda pattern, text, new: regex(pattern).sub(lambda _: as_string(new), as_string(text)),
    "regexSplit": lambda pattern, text, count: regex(pattern).split(as_string(text), max(0, as_integer(count) - 1)),
    # choice
    "default": lambda fallback, value=None: value if is_true(value) else fallback,
    "empty": lambda value: not is_true(value),
    "coalesce": lambda *values: next((value for value in values if is_true(value)), None),
    "ternary": lambda yes, no, condition: yes if is_true(condition) else no,
    "required": _required,
    "fail": _fail,
    "all": lambda *values: all(is_true(value) for value in values),
    "any": lambda *values: any(is_true(value) for value in values),
    # numbers
    "int": as_integer,
    "int64": as_integer,
    "float64": lambda value: float(value or 0),
    "atoi": as_integer,
    "add": lambda *values: sum(as_integer(value) for value in values),
    "add1": lambda value: as_integer(value) + 1,
    "sub": lambda a, b: as_integer(a) - as_integer(b),
    "mul": lambda *values: _product(list(values)),
    "div": lambda a, b: int(as_integer(a) / as_integer(b)),
    "mod": lambda a, b: as_integer(a) % as_integer(b),
    "max": lambda *values: max(as_integer(value) for value in values),
    "min": lambda *values: min(as_integer(value) for value in values),
    "floor": lambda value: float(int(float(value))),
    "ceil": lambda value: float(-int(-float(value) // 1)),
    "round": lambda value, digits: round(float(value), as_integer(digits)),
    "until": _until,
    "seq": lambda *values: " ".join(
        str(n) for n in range(as_integer(values[0]) if len(values) > 1 else 1, as_integer(values[-1]) + 1)
    ),
    # lists and maps
    "list": lambda *values: list(values),
    "tuple": lambda *values: list(values),
    "first": lambda items: items[0] if items else None,
    "last": lambda items: items[-1] if items else None,
    "rest": lambda items: items[1:],
    "initial": lambda items: items[:-1],
    "append": lambda items, item: [*(items or []), item],
    "prepend": lambda items, item: [item, *(items or [])],
    "concat": lambda *lists: [item for items in lists for item in items or []],
    "reverse": lambda items: list(reversed(items)),
    "uniq": lambda items: [item for index, item in enumerate(items) if item not in items[:index]],
    "without": lambda items, *excluded: [item for item in items if item not in excluded],
    "compact": lambda items: [item for item in items if is_true(item)],
    "has": lambda item, items: item in (items or []),
    "dict": lambda *pairs: {
        as_string(pairs[index]): pairs[index + 1] if index + 1 < len(pairs) else "" for index in range(0, len(pairs), 2)
    },
    "get": lambda mapping, key: (mapping or {}).get(key, ""),
    "set": _set,
    "unset": _unset,
    "hasKey": lambda mapping, key: key in (mapping or {}),
    "keys": lambda *maps: [key for mapping in maps for key in mapping or {}],
    "values": lambda mapping: list((mapping or {}).values()),
    "pick": lambda mapping, *keys: {key: mapping[key] for key in keys if key in mapping},
    "omit": lambda mapping, *keys: {key: value for key, value in mapping.items() if key not in keys},
    "merge": _merge,
    "mergeOverwrite": lambda *maps: _merge(*maps, overwrite=True),
    "mustMerge": _merge,
    "mustMergeOverwrite": lambda *maps: _merge(*maps, overwrite=True),
    "deepCopy": lambda value: json.loads(json.dumps(value)),
    "dig": _dig,
    # shapes
    "toYaml": to_yaml,
    "toYamlPretty": to_yaml,
    "fromYaml": from_yaml,
    "fromYamlArray": from_yaml,
    "toJson": lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True),
    "toRawJson": lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True),
    "toPrettyJson": lambda value: json.dumps(value, indent=2, sort_keys=True),
    "fromJson": lambda text: json.loads(as_string(text)),
    "b64enc": lambda text: base64.b64encode(as_string(text).encode()).decode(),
    "b64dec": lambda text: base64.b64decode(as_string(text)).decode(errors="replace"),
    "sha256sum": lambda text: hashlib.sha256(as_string(text).encode()).hexdigest(),
    "sha1sum": lambda text: hashlib.sha1(as_string(text).encode(), usedforsecurity=False).hexdigest(),
    "adler32sum": lambda text: str(zlib.adler32(as_string(text).encode())),
    "semverCompare": matches_constraint,
    "semver": lambda text: dict(zip(("Major", "Minor", "Patch"), parse_version(as_string(text)), strict=True)),
    "kindOf": kind_of,
    "typeOf": kind_of,
    "kindIs": lambda kind, value: kind_of(value) == kind,
    "typeIs": lambda kind, value: kind_of(value) == kind,
    "base": lambda path: posixpath.basename(as_string(path)),
    "dir": lambda path: posixpath.dirname(as_string(path)),
    "ext": lambda path: posixpath.splitext(as_string(path))[1],
    "clean": lambda path: posixpath.normpath(as_string(path)),
}


def _product(values: list[Any]) -> int:
    result = 1
    for value in values:
        result *= as_integer(value)
    return result


def with_must(functions: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Add Sprig's `mustX` twins, which differ only in how they fail."""
    twins = {f"must{name[0].upper()}{name[1:]}": function for name, function in functions.items()}
    return {**twins, **functions}
