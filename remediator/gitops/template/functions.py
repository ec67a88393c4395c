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

from remediator.gitops.template.engine import is_true, text_of
from remediator.gitops.template.parse import UnrenderableTemplate


def _string(value: Any) -> str:
    return text_of(value) if value is not None else ""


def _integer(value: Any) -> int:
    try:
        return int(float(value)) if value not in (None, "") else 0
    except ValueError:
        return 0


def to_yaml(value: Any) -> str:
    """Return YAML as Go writes it: keys sorted, no line folding, no anchors."""
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        def ignore_aliases(self, _: Any) -> bool:
            return True

    return (
        str(yaml.dump(value, Dumper=Dumper, default_flow_style=False, allow_unicode=True, width=10**9))
        .removesuffix("\n...\n")
        .rstrip("\n")
    )


def _from_yaml(text: Any) -> Any:
    from remediator.gitops import yamlread

    documents = yamlread.documents(_string(text))
    return documents[0] if documents and documents[0] is not None else {}


def _fail(message: Any) -> Any:
    raise UnrenderableTemplate(_string(message))


def _required(message: Any, value: Any) -> Any:
    return _fail(message) if value is None or value == "" else value


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key if key in value else _string(key))
        elif isinstance(value, (list, str)):
            if not 0 <= _integer(key) < len(value):
                raise UnrenderableTemplate(f"index out of range: {key}")
            value = value[_integer(key)]
        else:
            raise UnrenderableTemplate("index of something that has none")
    return value


def _printf(template: Any, *values: Any) -> str:
    arguments = list(values)

    def one(match: re.Match[str]) -> str:
        if match[0].endswith("%"):
            return "%"
        value = arguments.pop(0) if arguments else "%!(MISSING)"
        verb = match[0][-1]
        if verb == "d":
            return (match[0][:-1] + "d") % _integer(value)
        if verb in "fge":
            return match[0] % float(value or 0)
        if verb == "q":
            return json.dumps(_string(value), ensure_ascii=False)
        if verb == "t":
            return _string(bool(value))
        if verb in "xX" and isinstance(value, int):
            return match[0] % value
        return (match[0][:-1] + "s") % _string(value)

    return re.sub(r"%[-+#0 ]?\d*(?:\.\d+)?[a-zA-Z%]", one, _string(template))


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
    mapping[_string(key)] = value
    return mapping


def _unset(mapping: dict[str, Any], key: Any) -> dict[str, Any]:
    mapping.pop(_string(key), None)
    return mapping


def _dig(*arguments: Any) -> Any:
    *keys, default, mapping = arguments
    for key in keys:
        if not isinstance(mapping, Mapping) or key not in mapping:
            return default
        mapping = mapping[key]
    return mapping


def _semver_matches(constraint: Any, version: Any) -> bool:
    """Test a version against semver constraints: comparators, ^, ~, ranges with `-`, alternatives with `||`."""
    have = _version(_string(version))
    return any(
        all(
            _satisfies(part, have)
            for part in re.findall(r"(?:[<>=!^~]+)?\s*v?[\w.*+-]+", alternative.replace(",", " "))
        )
        for alternative in _string(constraint).split("||")
    )


def _version(text: str) -> tuple[int, int, int]:
    numbers = [int(part) for part in re.findall(r"\d+", text.lstrip("v").partition("-")[0].partition("+")[0])[:3]]
    return tuple([*numbers, 0, 0, 0][:3])  # type: ignore[return-value]


def _satisfies(part: str, have: tuple[int, int, int]) -> bool:
    match = re.match(r"([<>=!^~]*)\s*v?(.*)", part)
    operator, text = (match[1], match[2]) if match else ("", part)
    if text in ("*", "x", ""):
        return True
    want = _version(text)
    tests: dict[str, Callable[[], bool]] = {
        ">": lambda: have > want,
        ">=": lambda: have >= want,
        "<": lambda: have < want,
        "<=": lambda: have <= want,
        "!=": lambda: have != want,
        "^": lambda: have >= want and have[0] == want[0],
        "~": lambda: have >= want and have[:2] == want[:2],
    }
    if operator in tests:
        return tests[operator]()
    parts = len([piece for piece in re.split(r"[.]", text.partition("-")[0]) if piece.isdigit()])
    return have[: max(1, parts)] == want[: max(1, parts)]


def _trunc(size: Any, text: Any) -> str:
    return _string(text)[: _integer(size)] if _integer(size) >= 0 else _string(text)[_integer(size) :]


def _indent(size: Any, text: Any) -> str:
    pad = " " * _integer(size)
    return pad + _string(text).replace("\n", "\n" + pad)


def _kind(value: Any) -> str:
    names: list[tuple[type, str]] = [
        (bool, "bool"),
        (str, "string"),
        (int, "int"),
        (float, "float64"),
        (dict, "map"),
        (list, "slice"),
    ]
    return next((name for type_, name in names if isinstance(value, type_)), "invalid")


def _equal(first: Any, *candidates: Any) -> bool:
    return any(
        first == candidate and isinstance(first, bool) == isinstance(candidate, bool) for candidate in candidates
    )


def _normal(text: Any) -> str:
    """Return the text as Argo CD's `normalize` does: as a name that is valid in DNS."""
    return re.sub(r"[^-a-z0-9.]+", "-", _string(text).lower())[:253].strip("-.")


def _regex(pattern: Any) -> re.Pattern[str]:
    if len(_string(pattern)) > 500:
        raise UnrenderableTemplate("a pattern that is too long")
    return re.compile(_string(pattern))


def _until(count: Any) -> list[int]:
    if _integer(count) > 100_000:
        raise UnrenderableTemplate("a list that is too long")
    return list(range(_integer(count)))


def _snake(text: Any) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", _string(text)).lower().replace("-", "_").replace(" ", "_")


def _slice(value: Any, *bounds: Any) -> Any:
    return value[slice(*[_integer(bound) for bound in bounds])]


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
    "print": lambda *values: "".join(_string(value) for value in values),
    "println": lambda *values: " ".join(_string(value) for value in values) + "\n",
    "printf": _printf,
    "html": _string,
    # text
    "quote": lambda *values: " ".join(
        json.dumps(_string(value), ensure_ascii=False) for value in values if value is not None
    ),
    "squote": lambda *values: " ".join(f"'{_string(value)}'" for value in values if value is not None),
    "lower": lambda text: _string(text).lower(),
    "upper": lambda text: _string(text).upper(),
    "title": lambda text: _string(text).title(),
    "untitle": lambda text: _string(text)[:1].lower() + _string(text)[1:],
    "trim": lambda text: _string(text).strip(),
    "trimAll": lambda chars, text: _string(text).strip(_string(chars)),
    "trimPrefix": lambda prefix, text: _string(text).removeprefix(_string(prefix)),
    "trimSuffix": lambda suffix, text: _string(text).removesuffix(_string(suffix)),
    "trunc": _trunc,
    "abbrev": lambda size, text: (
        _string(text) if len(_string(text)) <= _integer(size) else _string(text)[: _integer(size) - 3] + "..."
    ),
    "substr": lambda start, end, text: _string(text)[_integer(start) : _integer(end) if _integer(end) >= 0 else None],
    "nospace": lambda text: re.sub(r"\s", "", _string(text)),
    "replace": lambda old, new, text: _string(text).replace(_string(old), _string(new)),
    "contains": lambda part, text: _string(part) in _string(text),
    "hasPrefix": lambda prefix, text: _string(text).startswith(_string(prefix)),
    "hasSuffix": lambda suffix, text: _string(text).endswith(_string(suffix)),
    "repeat": lambda count, text: _string(text) * min(_integer(count), 10_000),
    "cat": lambda *values: " ".join(_string(value) for value in values if value is not None),
    "indent": _indent,
    "nindent": lambda size, text: "\n" + _indent(size, text),
    "snakecase": _snake,
    "kebabcase": lambda text: _snake(text).replace("_", "-"),
    "camelcase": lambda text: "".join(part.title() for part in re.split(r"[-_ ]", _string(text))),
    "split": lambda separator, text: {
        f"_{index}": part for index, part in enumerate(_string(text).split(_string(separator)))
    },
    "splitList": lambda separator, text: _string(text).split(_string(separator)),
    "splitn": lambda separator, count, text: {
        f"_{i}": part for i, part in enumerate(_string(text).split(_string(separator), _integer(count) - 1))
    },
    "join": lambda separator, items: _string(separator).join(
        _string(item) for item in (items if isinstance(items, list) else [items])
    ),
    "sortAlpha": lambda items: sorted(_string(item) for item in items or []),
    "toString": _string,
    "toStrings": lambda items: [_string(item) for item in items or []],
    "normalize": _normal,
    "slugify": lambda *values: _normal(values[-1])[:50].strip("-"),
    "regexMatch": lambda pattern, text: _regex(pattern).search(_string(text)) is not None,
    "regexFind": lambda pattern, text: ((match := _regex(pattern).search(_string(text))) and match[0]) or "",
    "regexReplaceAll": lambda pattern, text, new: _regex(pattern).sub(
        re.sub(r"\$\{?(\d+)\}?", r"\\\1", _string(new)), _string(text)
    ),
    "regexReplaceAllLiteral": lambda pattern, text, new: _regex(pattern).sub(lambda _: _string(new), _string(text)),
    "regexSplit": lambda pattern, text, count: _regex(pattern).split(_string(text), max(0, _integer(count) - 1)),
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
    "int": _integer,
    "int64": _integer,
    "float64": lambda value: float(value or 0),
    "atoi": _integer,
    "add": lambda *values: sum(_integer(value) for value in values),
    "add1": lambda value: _integer(value) + 1,
    "sub": lambda a, b: _integer(a) - _integer(b),
    "mul": lambda *values: _product(list(values)),
    "div": lambda a, b: int(_integer(a) / _integer(b)),
    "mod": lambda a, b: _integer(a) % _integer(b),
    "max": lambda *values: max(_integer(value) for value in values),
    "min": lambda *values: min(_integer(value) for value in values),
    "floor": lambda value: float(int(float(value))),
    "ceil": lambda value: float(-int(-float(value) // 1)),
    "round": lambda value, digits: round(float(value), _integer(digits)),
    "until": _until,
    "seq": lambda *values: " ".join(
        str(n) for n in range(_integer(values[0]) if len(values) > 1 else 1, _integer(values[-1]) + 1)
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
        _string(pairs[index]): pairs[index + 1] if index + 1 < len(pairs) else "" for index in range(0, len(pairs), 2)
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
    "fromYaml": _from_yaml,
    "fromYamlArray": _from_yaml,
    "toJson": lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True),
    "toRawJson": lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True),
    "toPrettyJson": lambda value: json.dumps(value, indent=2, sort_keys=True),
    "fromJson": lambda text: json.loads(_string(text)),
    "b64enc": lambda text: base64.b64encode(_string(text).encode()).decode(),
    "b64dec": lambda text: base64.b64decode(_string(text)).decode(errors="replace"),
    "sha256sum": lambda text: hashlib.sha256(_string(text).encode()).hexdigest(),
    "sha1sum": lambda text: hashlib.sha1(_string(text).encode(), usedforsecurity=False).hexdigest(),
    "adler32sum": lambda text: str(zlib.adler32(_string(text).encode())),
    "semverCompare": _semver_matches,
    "semver": lambda text: dict(zip(("Major", "Minor", "Patch"), _version(_string(text)), strict=True)),
    "kindOf": _kind,
    "typeOf": _kind,
    "kindIs": lambda kind, value: _kind(value) == kind,
    "typeIs": lambda kind, value: _kind(value) == kind,
    "base": lambda path: posixpath.basename(_string(path)),
    "dir": lambda path: posixpath.dirname(_string(path)),
    "ext": lambda path: posixpath.splitext(_string(path))[1],
    "clean": lambda path: posixpath.normpath(_string(path)),
}


def _product(values: list[Any]) -> int:
    result = 1
    for value in values:
        result *= _integer(value)
    return result


def with_must(functions: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Add Sprig's `mustX` twins, which differ only in how they fail."""
    twins = {f"must{name[0].upper()}{name[1:]}": function for name, function in functions.items()}
    return {**twins, **functions}
