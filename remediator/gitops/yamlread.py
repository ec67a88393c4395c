"""Read YAML as Kubernetes tools do, bounded: a checkout is untrusted and some of it is hostile.

The C parser's composer recurses and a deeply nested flow ends the process, so documents are built here from
its event stream with an explicit stack. Keys become strings (as JSON has them), timestamps and base-60 numbers
stay text (as Go's YAML has them), and the size a text would have with its aliases expanded is limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

_Parser: Any = getattr(getattr(yaml, "cyaml", None), "CParser", yaml.Loader)
"""The parser of libyaml, or the slow one where PyYAML was built without it."""

MAX_DEPTH = 200
MAX_NODES = 500_000

_INT = re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$")
_FLOAT = re.compile(r"[-+]?(\.[0-9_]+|[0-9][0-9_]*\.[0-9_]*|[0-9][0-9_]*(?=[eE]))([eE][-+]?[0-9]+)?$")
_WORDS: dict[str, Any] = {"": None, "~": None, ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan")}
for _word, _value in (
    ("null", None),
    ("true", True),
    ("false", False),
    ("yes", True),
    ("no", False),
    ("on", True),
    ("off", False),
):
    for _form in (_word, _word.capitalize(), _word.upper()):
        _WORDS[_form] = _value
for _word, _number in ((".inf", float("inf")), ("+.inf", float("inf")), ("-.inf", float("-inf"))):
    for _form in (_word, _word.replace("inf", "Inf"), _word.upper()):
        _WORDS[_form] = _number
_NUMBERISH = frozenset("+-.0123456789")
_BOUNDARY = re.compile(rb"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)


class UnreadableYaml(Exception):
    """A file cannot be used; the message is for people, the line is 1-based, or 0 where it is unknown."""

    def __init__(self, message: str, *, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message, self.file, self.line = message, file, line


def scalar(text: str) -> Any:
    """Return the value of a plain scalar by YAML 1.1's core types."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBERISH:
        return text
    if _INT.match(text):
        return _integer(text)
    if _FLOAT.match(text):
        return float(text.replace("_", ""))
    return text


def _integer(text: str) -> Any:
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    try:
        for prefix, base in (("0b", 2), ("0x", 16), ("0o", 8)):
            if digits.startswith(prefix):
                return sign * int(digits[2:], base)
        return sign * int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)
    except ValueError:
        return text


class _Builder:
    """Builds one document from events; an alias refers to the same object as its anchor, so nothing is copied."""

    def __init__(self) -> None:
        self.anchors: dict[str, Any] = {}
        self.aliased = False

    def build(self, parser: Any) -> Any:  # noqa: C901 - one loop over events; calls would cost half of the speed
        """Return the value of the document that has just begun."""
        root: list[Any] = []
        stack: list[tuple[Any, list[Any] | None]] = []
        container: Any = root
        pending: list[Any] | None = None  # the key that waits for its value, in a mapping
        event = parser.get_event()
        while True:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                if event.tag is None or event.tag == "!":
                    value = scalar(event.value) if event.implicit[0] else event.value
                else:
                    value = _tagged_value(event)
                raw = event.value
            elif kind is yaml.AliasEvent:
                self.aliased = True
                if event.anchor not in self.anchors:
                    raise UnreadableYaml(f"alias *{event.anchor} has no anchor", line=event.start_mark.line + 1)
                value = raw = self.anchors[event.anchor]
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if len(stack) >= MAX_DEPTH:
                    raise UnreadableYaml(f"nested deeper than {MAX_DEPTH} levels", line=event.start_mark.line + 1)
                opened: Any = {} if kind is yaml.MappingStartEvent else []
                if event.anchor:
                    self.anchors[event.anchor] = opened
                stack.append((container, pending))
                container, pending = opened, [] if kind is yaml.MappingStartEvent else None
                event = parser.get_event()
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                value = raw = container
                if type(value) is dict and _MERGE in value:
                    _merge(value)
                container, pending = stack.pop()
            else:
                break
            if kind is yaml.ScalarEvent and event.anchor:
                self.anchors[event.anchor] = value
            if pending is None:
                container.append(value)
            elif not pending:
                if kind is yaml.ScalarEvent and raw == "<<" and event.implicit[0]:
                    pending.append(_MERGE)
                else:
                    pending.append(raw if isinstance(raw, str) else str(raw))
            else:
                container[pending.pop()] = value
            event = parser.get_event()
        return root[0] if root else None


class _MergeKey:
    __slots__ = ()


_MERGE: Any = _MergeKey()


def _merge(mapping: dict[Any, Any]) -> None:
    """Resolve a `<<` key in place: own keys win, earlier merged mappings win over later ones."""
    merged = mapping.pop(_MERGE)
    for source in merged if isinstance(merged, list) else [merged]:
        if isinstance(source, dict):
            for key, value in source.items():
                mapping.setdefault(key, value)


def _tagged_value(event: Any) -> Any:
    name = str(event.tag).rsplit(":", 1)[-1]
    if name in ("int", "float", "bool", "null"):
        return scalar(event.value)
    return event.value


def _expanded_size(value: Any, sizes: dict[int, int]) -> int:
    """Return the number of nodes that the value would have with its aliases expanded."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) in sizes:
        if sizes[id(value)] < 0:
            raise UnreadableYaml("an anchor contains itself")
        return sizes[id(value)]
    sizes[id(value)] = -1
    total = 1 + sum(_expanded_size(item, sizes) for item in (value.values() if isinstance(value, dict) else value))
    sizes[id(value)] = total
    return total


def documents(data: bytes | str) -> list[Any]:
    """Return all documents of a text, an empty one as None; raises UnreadableYaml with the line."""
    return list(iterate(data))


def mapping(data: bytes | str) -> dict[str, Any]:
    """Return the first document if it is a mapping, else an empty mapping; raises UnreadableYaml."""
    parsed = documents(data)
    return parsed[0] if parsed and isinstance(parsed[0], dict) else {}


def single_mapping(text: str) -> dict[str, Any] | None:
    """Return the mapping that a text holds as its only document; None for every other text."""
    try:
        parsed = documents(text)
    except UnreadableYaml:
        return None
    return parsed[0] if len(parsed) == 1 and isinstance(parsed[0], dict) else None


def iterate(data: bytes | str) -> Iterator[Any]:
    """Yield the documents one after the other, so that those before a syntax error can be used."""
    parser: Any = None
    try:
        parser = _Parser(data)
        while True:
            event = parser.get_event()
            if event is None or type(event) is yaml.StreamEndEvent:
                return
            if type(event) is yaml.DocumentStartEvent:
                builder = _Builder()
                value = builder.build(parser)
                if builder.aliased and _expanded_size(value, {}) > MAX_NODES:
                    raise UnreadableYaml(f"its aliases expand to more than {MAX_NODES} values")
                yield value
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise UnreadableYaml(_message(error), line=mark.line + 1 if mark else 0) from None
    except (UnicodeDecodeError, ValueError) as error:
        raise UnreadableYaml(f"not text in UTF-8: {error}") from None
    finally:
        if parser is not None and hasattr(parser, "dispose"):
            parser.dispose()


def _message(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = getattr(error, "context", None)
    return f"not valid YAML: {problem}" + (f" ({context})" if context else "")


def pieces(data: bytes) -> list[tuple[int, bytes]]:
    """Cut a text into (document index, its bytes) without parsing; a `---` line always starts a document.

    Texts with directives or `...` markers come back whole as one piece with index -1.
    """
    if data.startswith((b"%", b"...")) or b"\n%" in data or b"\n..." in data:
        return [(-1, data)]
    cuts = [match.start() for match in _BOUNDARY.finditer(data)]
    if not cuts:
        return [(0, data)]
    result: list[tuple[int, bytes]] = []
    if any(line.strip() and not line.lstrip().startswith(b"#") for line in data[: cuts[0]].splitlines()):
        result.append((0, data[: cuts[0]]))
    for start, end in zip(cuts, [*cuts[1:], len(data)], strict=True):
        result.append((len(result), data[start:end]))
    return result
