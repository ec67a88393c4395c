"""How a change of the repository is judged: right, not enough, or harm.

A check names a file, a document of it (`document: Kind/name`, the first where it is not named), a path and one demand:
`equals`, `one_of`, `not_equals`, `matches`, `contains`, `lacks`, `at_least`, `at_most`, `absent: true`, `exists: true`,
`parses: true`, `deleted: true` (the file), `document_absent: true`. `inside` names a path whose text is YAML itself.
Quantities compare as quantities. `may_change: true` alone says that the path may change as well.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import yaml

from remediator.domain import quantities
from tests.field.incident import HOME, FieldIncident

Verdict = Literal["fixed", "declined", "harm"]
VERDICTS = HOME / "verdicts.yaml"
"""The verdict on each incident by `batch/name`, as of the last run that was recorded."""
_TOKEN = re.compile(r"""\.?([^.\[\]]+)|\[["']([^"']+)["']\]|\[(\d+)\]|\[([^=\]]+)=([^\]]*)\]""")
Path_ = tuple[str | int, ...]


def judge(incident: FieldIncident, root: Path, changes: dict[str, str | None]) -> Verdict:
    """Return the verdict on `changes` (path → new text, None: deleted) of the repository at `root`, which still is as before."""
    if not changes:
        return "declined"
    if incident.fixable and any(not _faults(alternative, root, changes) for alternative in incident.expected):
        return "fixed"
    return "harm"


def read_verdicts() -> dict[str, str]:
    """Return the verdict that was recorded for each incident."""
    return yaml.safe_load(VERDICTS.read_text(encoding="utf-8")) if VERDICTS.is_file() else {}


def write_verdicts(verdicts: dict[str, str]) -> None:
    """Record the verdicts, in the order of their names."""
    VERDICTS.write_text(yaml.safe_dump(dict(sorted(verdicts.items()))), encoding="utf-8")


def why(incident: FieldIncident, root: Path, changes: dict[str, str | None]) -> list[list[str]]:
    """Return what each alternative misses in these changes: a list of sentences for each."""
    return [_faults(alternative, root, changes) for alternative in incident.expected]


def _faults(alternative: tuple[dict[str, Any], ...], root: Path, changes: dict[str, str | None]) -> list[str]:
    files = {check["file"] for check in alternative}
    faults = [f"{name} may not change" for name in changes if name not in files]
    for check in alternative:
        faults += _fault(check, _text(root, check["file"], changes))
    for name, text in changes.items():
        if name in files and text is not None and (root / name).is_file():
            before = (root / name).read_text(encoding="utf-8")
            faults += [f"{name}: {path} changed too" for path in _uncovered(before, text, _of(alternative, name))]
    return faults


def _of(alternative: tuple[dict[str, Any], ...], name: str) -> list[dict[str, Any]]:
    return [check for check in alternative if check["file"] == name]


def _text(root: Path, name: str, changes: dict[str, str | None]) -> str | None:
    if name in changes:
        return changes[name]
    return (root / name).read_text(encoding="utf-8") if (root / name).is_file() else None


def _fault(check: dict[str, Any], text: str | None) -> list[str]:
    if check.get("may_change"):
        return []
    label = f"{check['file']}: {check.get('path', '')}"
    if check.get("deleted"):
        return [] if text is None else [f"{label} is still there"]
    if text is None:
        return [] if check.get("document_absent") else [f"{label}: there is no such file"]
    try:
        documents = _documents(text)
    except yaml.YAMLError as error:
        return [f"{label}: {error}"]
    if check.get("parses"):
        return []
    document = _pick(documents, check)
    if check.get("document_absent"):
        return [] if document is None else [f"{label}: the document is still there"]
    if document is None:
        return [f"{label}: there is no such document"]
    values = _values(document, check)
    return [] if _holds(check, values) else [f"{label} is {values!r}"]


def _values(document: Any, check: dict[str, Any]) -> list[Any]:
    if inside := check.get("inside"):
        texts = [value for _, value in _resolve(document, inside)]
        document = yaml.safe_load(texts[0]) if texts and isinstance(texts[0], str) else None
    return [value for _, value in _resolve(document, check["path"])]


def _holds(check: dict[str, Any], values: list[Any]) -> bool:
    if check.get("absent"):
        return all(value is None for value in values)
    if check.get("exists"):
        return any(value not in (None, "") for value in values)
    tests = {
        "equals": _equal,
        "one_of": lambda value, wanted: any(_equal(value, one) for one in wanted),
        "not_equals": lambda value, wanted: not _equal(value, wanted),
        "matches": lambda value, wanted: isinstance(value, str | int) and bool(re.search(wanted, str(value))),
        "contains": _contains,
        "lacks": lambda value, wanted: not _contains(value, wanted),
        "at_least": lambda value, wanted: _number(value) >= _number(wanted),
        "at_most": lambda value, wanted: _number(value) <= _number(wanted),
    }
    demands = [name for name in tests if name in check]
    if not demands:
        raise ValueError(f"the check {check!r} demands nothing")
    return bool(values) and all(any(tests[name](value, check[name]) for value in values) for name in demands)


def _equal(value: Any, wanted: Any) -> bool:
    if value == wanted and isinstance(value, bool) == isinstance(wanted, bool):
        return True
    if isinstance(value, dict | list | bool) or isinstance(wanted, dict | list | bool):
        return str(value).lower() == str(wanted).lower()
    if str(value) == str(wanted):
        return True
    first, second = quantities.parse(str(value)), quantities.parse(str(wanted))
    return first is not None and first == second


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, list):
        return any(_equal(one, wanted) for one in value)
    return (isinstance(value, str) and str(wanted) in value) or (isinstance(value, dict) and wanted in value)


def _number(value: Any) -> Any:
    number = quantities.parse(str(value))
    return float("nan") if number is None else number


def _documents(text: str) -> list[Any]:
    return [document for document in yaml.safe_load_all(text) if document is not None]


def _pick(documents: list[Any], check: dict[str, Any]) -> Any | None:
    wanted = check.get("document")
    return next((one for number, one in enumerate(documents) if (wanted in (None, _key(one, number)))), None)


def _key(document: Any, number: int) -> str:
    if isinstance(document, dict) and isinstance(document.get("metadata"), dict):
        return f"{document.get('kind')}/{document['metadata'].get('name')}"
    return f"#{number}"


def _resolve(node: Any, path: str) -> list[tuple[Path_, Any]]:
    """Return the places of `node` that the path names, and their values; a missing place has no value (None)."""
    found: list[tuple[Path_, Any]] = [((), node)]
    for match in _TOKEN.finditer(path):
        key, quoted, index, field, value = match.groups()
        found = [step for place, one in found for step in _step(place, one, key or quoted, index, field, value)]
    return found


def _step(
    place: Path_, node: Any, key: str | None, index: str | None, field: str | None, value: str | None
) -> list[tuple[Path_, Any]]:
    if key is not None:
        return [((*place, key), node[key])] if isinstance(node, dict) and key in node else []
    entries = list(enumerate(node)) if isinstance(node, list) else []
    if index is not None:
        return [((*place, number), one) for number, one in entries if number == int(index)]
    return [
        ((*place, number), one) for number, one in entries if isinstance(one, dict) and str(one.get(field)) == value
    ]


def _uncovered(before: str, after: str, checks: list[dict[str, Any]]) -> list[str]:
    """Return the changed leaves that no check of the file speaks about; nothing where the file did not parse before."""
    try:
        old, new = _documents(before), _documents(after)
    except yaml.YAMLError:
        return []
    first, second = _leaves(old), _leaves(new)
    changed = [leaf for leaf in {**first, **second} if first.get(leaf, "\0") != second.get(leaf, "\0")]
    allowed = [place for documents in (old, new) for check in checks for place in _places(documents, check)]
    return [str(leaf) for leaf in changed if not any(leaf[: len(place)] == place for place in allowed)]


def _places(documents: list[Any], check: dict[str, Any]) -> list[Path_]:
    document = _pick(documents, check)
    if document is None:
        return []
    key = _key(document, documents.index(document))
    path = check.get("inside") or check.get("path")
    if path is None:
        return [(key,)]
    return [(key, *place) for place, _ in _resolve(document, path)]


def _leaves(documents: list[Any]) -> dict[Path_, Any]:
    found: dict[Path_, Any] = {}

    def walk(place: Path_, node: Any) -> None:
        if isinstance(node, dict) and node:
            for key, one in node.items():
                walk((*place, str(key)), one)
        elif isinstance(node, list) and node:
            for number, one in enumerate(node):
                walk((*place, number), one)
        else:
            found[place] = node

    for number, document in enumerate(documents):
        walk((_key(document, number),), document)
    return found
