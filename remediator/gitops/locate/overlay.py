"""Set one value at a place in memory, to see how the render changes; the result is never committed.

Only the meaning of the text is kept (it is written anew as JSON, which is YAML); templates are changed by splicing.
"""

from __future__ import annotations

import json
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, get, with_value
from remediator.gitops import yamlread
from remediator.gitops.files import Files


def changed(files: Files, place: Place, value: Any) -> dict[str, bytes]:
    """Return the file of the place with the value there; raise UnreadableYaml where it is no YAML."""
    documents = yamlread.documents(files.read(place.file))
    while len(documents) <= place.document:
        documents.append(None)
    body = documents[place.document]
    if place.inside:
        text = get(body, place.path)
        inner = yamlread.documents(text) if isinstance(text, str) else [None]
        filled = with_value(inner[0] if inner else None, place.inside, value)
        body = with_value(body, place.path, json.dumps(filled))
    else:
        body = with_value(body, place.path, value)
    documents[place.document] = body
    return {place.file: "".join(f"---\n{json.dumps(item)}\n" for item in documents).encode("utf-8", "surrogateescape")}


def value_at(files: Files, place: Place) -> Any:
    """Return the value at the place now, or MISSING."""
    documents = yamlread.documents(files.read(place.file))
    body = documents[place.document] if place.document < len(documents) else None
    value = get(body, place.path)
    if place.inside:
        inner = yamlread.documents(value) if isinstance(value, str) else []
        value = get(inner[0] if inner else None, place.inside)
    return value if value is not MISSING else MISSING


def canary_value(like: Any, number: int = 0) -> Any:
    """Return a value of the same type that stands nowhere else."""
    if isinstance(like, bool):
        return not like
    if isinstance(like, int):
        return 40_000 + number if like != 40_000 + number else 50_000 + number
    if isinstance(like, float):
        return 40_000.5 + number
    if isinstance(like, str):
        for unit in ("Ki", "Mi", "Gi", "Ti", "m", "k", "M", "G", "s"):
            if like.endswith(unit) and like[: -len(unit)].replace(".", "", 1).isdigit():
                return f"{40_000 + number}{unit}"
        if like.isdigit():
            return str(40_000 + number)
        if like.startswith("/"):
            return f"/canary{number}x"
    return f"canary{number}x"
