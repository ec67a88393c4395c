"""JSON and YAML documents: finds their ends, parses them within bounds, hands them to the reader of their shape."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from remediator.evidence.formats import alerts, argojson, kubejson, loki
from remediator.evidence.formats.finder import Finder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.draft import Draft
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

OPENS = re.compile(r"\s*[{\[]|apiVersion:\s|kind:\s|---\s*$|(?:- )?(?:alerts|groups|items|labels):\s*$|%YAML")
_KNOWN = re.compile(
    r'"(?:apiVersion|alerts|alertname|resultType|client_payload|event_type|involvedObject|regarding)"\s*:'
)
_YAML_END = re.compile(r"\$ |\S+@\S+[$#] ")
_YAML_KEY = re.compile(
    r"(?:apiVersion|kind|metadata|spec|status|items|data|type|reason|message|involvedObject|alerts|labels|[\w.-]+):(?:\s|$)|- |#|---|\.\.\."
)
_ALIAS = re.compile(r"(?::|-|^)\s+[&*][A-Za-z0-9_]", re.MULTILINE)
_MOST = 400_000
"""Lines that one document may have."""


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of a whole document; 0 if it has no end, or is one log line that happens to be JSON."""
    del command
    text = lines[start].text.strip()
    if text[:1] in {"{", "["}:
        return _take_json(lines, start, text)
    return _take_yaml(lines, start)


def _take_json(lines: Sequence[Line], start: int, text: str) -> int:
    """Return the length of a document on one line, or of one indented between brackets in the first column.

    Nothing else may stand in the first column in between, so that looking for the end costs no more than the document.
    """
    if text[-1:] in {"}", "]"} and len(text) > 1:
        return 1 if _KNOWN.search(text[:4096]) and _is_readable(_loads(text)) else 0
    if lines[start].text[:1] not in {"{", "["}:
        return 0
    close = "}" if text[0] == "{" else "]"
    for end in range(start + 1, min(len(lines), start + _MOST)):
        line = lines[end].text
        if line[:1] in {"", " ", "\t"}:
            continue
        if line.rstrip() != close:
            return 0
        return end + 1 - start if _is_readable(_loads("\n".join(item.text for item in lines[start : end + 1]))) else 0
    return 0


def _is_readable(document: Any) -> bool:
    """Return True if any reader understands the document."""
    if isinstance(document, dict) and isinstance(document.get("client_payload"), dict):
        return True
    if isinstance(document, list) and document and kubejson.is_object(document[0]):
        return True
    return (
        alerts.is_alerts(document)
        or loki.is_result(document)
        or kubejson.is_object(document)
        or argojson.is_operation(document)
    )


def _take_yaml(lines: Sequence[Line], start: int) -> int:
    head = [line.text for line in lines[start : start + 6]]
    if not any(text.startswith(("kind:", "alerts:", "items:", "- labels:", "groups:")) for text in head):
        return 0
    end = start + 1
    while end < len(lines) and end - start < _MOST:
        text = lines[end].text
        if text and not text[0].isspace() and (_YAML_END.match(text) or not _YAML_KEY.match(text)):
            break
        end += 1
    return end - start


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _yaml_documents(text: str) -> Iterator[Any]:
    """Yield the documents of plain YAML; aliases are refused, since few bytes of them grow without bound, and kubectl writes none."""
    import yaml

    if _ALIAS.search(text):
        return
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.load_all(text, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        return


def read(section: Section) -> Iterator[Draft]:
    """Yield the statements of every document in the section; an unknown shape yields none."""
    text = section.text
    if len(text) > section.context.limits.document:
        section.context.notes.append(
            f"{section.context.source}:{section.first}: a document longer than {section.context.limits.document} bytes was not parsed"
        )
        return
    json_document = _loads(text) if text.lstrip()[:1] in {"{", "["} else None
    finder = Finder(text, section.first)
    for document in [json_document] if json_document is not None else _yaml_documents(text):
        yield from value(document, section, finder)


def value(document: Any, section: Section, finder: Finder) -> Iterator[Draft]:
    """Yield the statements of a parsed document, by its shape."""
    if isinstance(document, dict) and isinstance(document.get("client_payload"), dict):
        document = document["client_payload"]
        if isinstance(
            inner := document.get("payload", document.get("body", document.get("data"))), dict | list
        ) and not alerts.is_alerts(document):
            document = inner
    if alerts.is_alerts(document):
        yield from alerts.read(document, section, finder)
    elif loki.is_result(document):
        yield from loki.read(document, section, finder)
    elif kubejson.is_object(document):
        yield from kubejson.read(document, section, finder)
    elif argojson.is_operation(document):
        yield from argojson.read_operation(document, section, finder)
    elif isinstance(document, list):
        for item in document:
            if kubejson.is_object(item):
                yield from kubejson.read(item, section, finder)
