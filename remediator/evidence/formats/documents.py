"""JSON and YAML documents: finds their ends, parses them within bounds, hands them to the reader of their shape."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from remediator.evidence.contain import contained
from remediator.evidence.formats import alerts, argojson, cut_json, kubejson, loki
from remediator.evidence.formats.finder import Finder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.draft import Draft
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

OPENS = re.compile(r"\s*[{\[]|apiVersion:\s|kind:\s|---\s*$|(?:- )?(?:alerts|groups|items|labels|status):\s*$|%YAML")
_KNOWN = re.compile(
    r'"(?:apiVersion|metadata|alerts|alertname|resultType|client_payload|event_type|involvedObject|regarding)"\s*:'
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
    One that ends early counts too, where a reader understands what is whole of it.
    """
    if text[-1:] in {"}", "]"} and len(text) > 1:
        if not _KNOWN.search(text[:4096]):
            return 0
        document = _loads(text)
        return int(_is_readable(document)) if document is not None else _take_cut(lines, start, start + 1)
    if lines[start].text[:1] not in {"{", "["}:
        return 0
    close = "}" if text[0] == "{" else "]"
    end = start + 1
    while end < min(len(lines), start + _MOST) and lines[end].text[:1] in {"", " ", "\t"}:
        end += 1
    if end < len(lines) and lines[end].text.rstrip() == close:
        end += 1
        if _is_readable(_loads("\n".join(item.text for item in lines[start:end]))):
            return end - start
        return 0
    return _take_cut(lines, start, end)


def _take_cut(lines: Sequence[Line], start: int, end: int) -> int:
    """Return the length of a document that ends early; 0 where no reader understands what is whole of it."""
    while end > start + 1 and lines[end - 1].blank:
        end -= 1
    text = "\n".join(item.text for item in lines[start:end])
    return end - start if _KNOWN.search(text[:4096]) and _is_readable(cut_json.whole_part(text)) else 0


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
    if head[0].rstrip() == "status:":
        return _take_status(lines, start)
    if not any(text.startswith(("kind:", "alerts:", "items:", "- labels:", "groups:")) for text in head):
        return 0
    end = start + 1
    while end < len(lines) and end - start < _MOST:
        text = lines[end].text
        if text and not text[0].isspace() and (_YAML_END.match(text) or not _YAML_KEY.match(text)):
            break
        end += 1
    return end - start


def _take_status(lines: Sequence[Line], start: int) -> int:
    """Return the length of the status of an Application that was cut out of its YAML; 0 for that of another object."""
    end = start + 1
    while end < len(lines) and end - start < _MOST and (lines[end].blank or lines[end].text[0].isspace()):
        end += 1
    keys = {line.text.strip() for line in lines[start + 1 : end] if line.text[:2] == "  " and line.text[2:3].isalpha()}
    return end - start if "operationState:" in keys else 0


def is_strange(text: str) -> bool:
    """Return True for a line that is JSON with the keys of a known document, though no reader understands it."""
    if text.lstrip()[:1] not in {"{", "["} or not _KNOWN.search(text[:4096]):
        return False
    document = _loads(text)
    return isinstance(document, dict | list) and not _is_readable(document)


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
    json_document = _json_of(text, section) if text.lstrip()[:1] in {"{", "["} else None
    finder = Finder(text, section.first)
    documents = [json_document] if json_document is not None else _yaml_documents(text)
    for number, document in enumerate(documents, 1):
        yield from contained(value(document, section, finder), section.context, section.first, f"document {number}")


def _json_of(text: str, section: Section) -> Any:
    """Return the JSON document, of one that ends early the whole members; a note says so."""
    document = _loads(text)
    if document is None and (document := cut_json.whole_part(text)) is not None:
        last = section.lines[-1].no
        section.context.notes.append(f"{section.context.source}:{last}: JSON ends early; what is whole of it was read")
    return document


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
    elif argojson.is_status(document):
        yield from argojson.read_status(document, section, finder)
    elif argojson.is_operation(document):
        yield from argojson.read_operation(document, section, finder)
    elif isinstance(document, list):
        for number, item in enumerate(document, 1):
            if kubejson.is_object(item):
                read_item = kubejson.read(item, section, finder)
                yield from contained(read_item, section.context, section.first, f"item {number} of a list")
