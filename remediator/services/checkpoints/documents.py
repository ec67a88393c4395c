"""The stored document of one thread: a readable head, then checkpoints, channel values and writes.

Plain JSON with a schema version, values in base64 of LangGraph's own msgpack, so that `list` and
`status` (and a person with `git show`) need no LangGraph to read the head.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

from remediator.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.domain.ports import RefStore

SCHEMA = 2
FOLDER = "incidents/"
INDEX = "index.json"
"""The index: the heads of all documents, written with every commit; `list` and identity need only this."""

Packed = tuple[str, bytes]
"""A type tag and bytes, as LangGraph's serialisers give them."""


class Row(NamedTuple):
    """A checkpoint without its channel values."""

    checkpoint: Packed
    metadata: Packed
    parent: str


class Write(NamedTuple):
    """One pending write of a task."""

    task: str
    slot: int
    """The position in the task's writes, negative for LangGraph's own channels."""
    channel: str
    path: str
    value: Packed


@dataclass
class Document:
    """One thread in memory; `stored` is the text it was read from, which reveals a lost race."""

    stored: bytes | None = None
    head: dict[str, Any] = field(default_factory=dict)
    checkpoints: dict[str, dict[str, Row]] = field(default_factory=dict)
    blobs: dict[str, dict[str, dict[str, Packed | None]]] = field(default_factory=dict)
    writes: dict[str, dict[str, list[Write]]] = field(default_factory=dict)
    dirty: bool = False

    @property
    def deleted(self) -> bool:
        """True where the document holds no checkpoint."""
        return not self.checkpoints

    def latest(self, ns: str) -> str:
        """Return the newest checkpoint id of a namespace (ids ascend with time); empty when it has none."""
        return max(self.checkpoints.get(ns, {}), default="")

    def blob(self, ns: str, channel: str, version: str) -> Packed | None:
        """Return one channel's value; None where the channel was empty then, or is not known."""
        return self.blobs.get(ns, {}).get(channel, {}).get(version)

    def writes_of(self, ns: str, checkpoint_id: str) -> list[Write]:
        """Return the pending writes of one checkpoint, in the order they came."""
        return self.writes.get(ns, {}).get(checkpoint_id, [])

    def keep_blob(self, ns: str, channel: str, version: str, packed: Packed | None) -> None:
        """Store a channel's value at a version; None for an empty channel."""
        self.blobs.setdefault(ns, {}).setdefault(channel, {})[version] = packed
        self.dirty = True

    def keep_checkpoint(self, ns: str, checkpoint_id: str, checkpoint: Packed, metadata: Packed, parent: str) -> None:
        """Store a checkpoint."""
        self.checkpoints.setdefault(ns, {})[checkpoint_id] = Row(checkpoint, metadata, parent)
        self.dirty = True

    def keep_write(
        self, ns: str, checkpoint_id: str, task: str, slot: int, channel: str, path: str, value: Packed
    ) -> None:
        """Store a write; a repeated ordinary write is ignored, a repeated special one (negative slot) replaces it."""
        rows = self.writes.setdefault(ns, {}).setdefault(checkpoint_id, [])
        position = next((i for i, row in enumerate(rows) if (row.task, row.slot) == (task, slot)), None)
        row = Write(task, slot, channel, path, value)
        if position is None:
            rows.append(row)
        elif slot < 0:
            rows[position] = row
        self.dirty = True

    def clear(self) -> None:
        """Remove everything; a document that is stored will be deleted."""
        self.checkpoints, self.blobs, self.writes = {}, {}, {}
        self.dirty = self.dirty or self.stored is not None

    def prune(self, keep: int, versions_of: Callable[[Packed], Mapping[str, Any]]) -> None:
        """Keep the newest `keep` checkpoints of each namespace (0: all) and only the values that these refer to."""
        for ns, rows in self.checkpoints.items() if keep else ():
            for old in sorted(rows)[:-keep]:
                del rows[old]
                self.writes.get(ns, {}).pop(old, None)
            used = [versions_of(row.checkpoint) for row in rows.values()]
            for channel, versions in self.blobs.get(ns, {}).items():
                current = {str(references[channel]) for references in used if channel in references}
                self.blobs[ns][channel] = {v: packed for v, packed in versions.items() if v in current}

    def mark_stored(self, stored: bytes | None) -> None:
        """Record that this text is in the store now."""
        self.stored, self.dirty = stored, False

    def dump(
        self, thread: str, select: Callable[[str, Packed | None], Packed | None] = lambda _, packed: packed
    ) -> bytes:
        """Return the text to store; `select` returns what of a channel's value is stored."""
        body = {
            "schema": SCHEMA,
            "thread": thread,
            "incident": self.head,
            "checkpoints": {
                ns: {i: [_text(r.checkpoint), _text(r.metadata), r.parent] for i, r in sorted(rows.items())}
                for ns, rows in sorted(self.checkpoints.items())
            },
            "values": {
                ns: {
                    c: {v: _text(select(c, p)) for v, p in sorted(versions.items())}
                    for c, versions in sorted(channels.items())
                }
                for ns, channels in sorted(self.blobs.items())
            },
            "writes": {
                ns: {
                    i: [[*row[:4], _text(select(row.channel, row.value))] for row in rows]
                    for i, rows in sorted(by_checkpoint.items())
                }
                for ns, by_checkpoint in sorted(self.writes.items())
            },
        }
        return (json.dumps(body, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")

    @classmethod
    def load(cls, path: str, text: bytes | None) -> Document:
        """Read a document; ConfigError for one of a newer schema or one that Remediator did not write."""
        if text is None:
            return cls()
        body = _parse(path, text)
        try:
            return cls(
                stored=text,
                head=_head(body["incident"], body["schema"]),
                checkpoints={
                    ns: {i: Row(_packed(c), _packed(m), parent) for i, (c, m, parent) in rows.items()}
                    for ns, rows in body["checkpoints"].items()
                },
                blobs={
                    ns: {c: {v: p and _packed(p) for v, p in versions.items()} for c, versions in channels.items()}
                    for ns, channels in body["values"].items()
                },
                writes={
                    ns: {
                        i: [Write(t, slot, c, at, _packed(v)) for t, slot, c, at, v in rows]
                        for i, rows in by_checkpoint.items()
                    }
                    for ns, by_checkpoint in body["writes"].items()
                },
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"not a document that Remediator wrote ({error})", file=path) from error


def document_path(thread: str) -> str:
    """Return the path of a thread's document on the branch; any thread id becomes a harmless file name."""
    return f"{FOLDER}{quote(thread, safe='')}.json"


def thread_of(path: str) -> str:
    """Return the thread of a document's path; empty for other files on the branch."""
    return unquote(path[len(FOLDER) : -len(".json")]) if path.startswith(FOLDER) and path.endswith(".json") else ""


def records(store: RefStore) -> list[Mapping[str, Any]]:
    """Return the heads of all documents on the branch, by thread; reads one file, however many incidents there are."""
    head = store.head()
    return list(load_index(store.read(head, [INDEX]).get(INDEX)).values()) if head else []


def load_index(text: bytes | None) -> dict[str, dict[str, Any]]:
    """Return heads by thread, as the index holds them."""
    if text is None:
        return {}
    body = _parse(INDEX, text)
    incidents = body.get("incidents")
    if not isinstance(incidents, dict):
        raise ConfigError("not an index that Remediator wrote", file=INDEX)
    return {thread: _head(head, body["schema"]) for thread, head in incidents.items()}


def dump_index(heads: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return the index, a line an incident, so that git stores little of each change."""
    lines = [f" {json.dumps(thread)}: {json.dumps(head, ensure_ascii=False)}" for thread, head in sorted(heads.items())]
    text = f'{{"schema": {SCHEMA}, "incidents": {{\n' + ",\n".join(lines) + "\n}}\n"
    return text.encode("utf-8", "backslashreplace")


def _parse(path: str, text: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"not a document that Remediator wrote ({error})", file=path) from error
    schema = body.get("schema") if isinstance(body, dict) else None
    if not isinstance(schema, int):
        raise ConfigError("not a document that Remediator wrote (no schema)", file=path)
    if schema > SCHEMA:
        raise ConfigError(
            f"schema {schema} was written by a newer Remediator; this one reads up to {SCHEMA}", file=path
        )
    return dict(body)


def _head(head: Mapping[str, Any], schema: int) -> dict[str, Any]:
    """Return a head as this release reads it, whichever schema wrote it."""
    head = dict(head)
    if schema < 2:  # one time instead of all of them; and a slot that was an entry of its own
        head["opened"] = [head["opened"]] if head.get("opened") else []
        head.pop("extra", None)
    return head


def _text(packed: Packed | None) -> list[str] | None:
    return None if packed is None else [packed[0], base64.b64encode(packed[1]).decode()]


def _packed(pair: list[str]) -> Packed:
    kind, text = pair
    return kind, base64.b64decode(text, validate=True)
