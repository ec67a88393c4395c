"""Names for faults that stay equal while pods, addresses and times change."""

from __future__ import annotations

import hashlib
import re

_NORMAL: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "<uuid>"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?", "<time>"),
        (
            r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d(?: [+-]\d{4}| [A-Z]{3,4})?",
            "<time>",
        ),
        (
            r"\b\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\b|\b\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)?\b|\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b",
            "<time>",
        ),
        (r"\b[IWEF]\d{4}\b(?= )", "<time>"),
        (r"\bsha\d{3}:[0-9a-f]{32,128}\b", "<digest>"),
        (r"-(?=[a-z]*\d)[a-z0-9]{8,10}-[b-df-hj-np-tv-z0-9]{5}\b", "-<pod>"),
        (r"-[bcdf4-9]{8,10}\b", "-<hash>"),
        (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{2,5})?\b|\[[0-9a-fA-F:]*:[0-9a-fA-F:]+\](?::\d{2,5})?", "<ip>"),
        (r"\b(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}\b", "<ip>"),
        (r"\b0x[0-9a-fA-F]+\b", "<hex>"),
        (r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,128}\b", "<hex>"),
        (r"\d+(?:\.\d+)*", "<n>"),
    )
)
_SPACE = re.compile(r"\s+")


def normalise(text: str) -> str:
    """Return the sentence without what changes between two occurrences: numbers, ids, hashes, times, addresses, uuids.

    Idempotent, so that a stored signature can be compared with a fresh one.
    """
    for pattern, name in _NORMAL:
        text = pattern.sub(name, text)
    return _SPACE.sub(" ", text).strip()


def fingerprint(*, cluster: str, application: str, workload: str, container: str, category: str, signature: str) -> str:
    """Return the identity of a fault as 64 hexadecimal digits, the same on every run for the same fault of the same container."""
    parts = (cluster, application, workload, container, category, normalise(signature))
    return hashlib.sha256("\x00".join(part.strip() for part in parts).encode()).hexdigest()
