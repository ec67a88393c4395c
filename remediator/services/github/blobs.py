"""Files of a commit by GraphQL, many in one request, each proved by its id: what arrives is what git holds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.services.github.batches import batches, declarations, numbered, numbered_fields
from remediator.services.github.client import RAW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.services.github.client import Client

SYMLINK, SUBMODULE, FOLDER = 0o120000, 0o160000, 0o40000
AT_ONCE = 40
"""Files in one request; GitHub bounds what one query may cost."""

BLOB = "object { ... on Blob { text isTruncated } }"


@dataclass(frozen=True)
class StoredBlob:
    """A path of a commit: git's mode and id, and the contents where it is a file or a link."""

    mode: int
    oid: str
    content: bytes | None = None


def find(client: Client, commit: str, paths: Sequence[str]) -> dict[str, StoredBlob]:
    """Return the blobs at exactly these paths, links not followed; missing ones are left out."""
    blobs: dict[str, StoredBlob] = {}
    for batch in batches(paths, AT_ONCE):
        files = numbered_fields(len(batch), "file(path: $item) { ...entry }")
        query = (
            f"query Files($owner: String!, $name: String!, $commit: GitObjectID!{declarations(len(batch), 'String!')}) {{"
            f" repository(owner: $owner, name: $name) {{ object(oid: $commit) {{ ... on Commit {{ {files} }} }} }} }}"
            f" fragment entry on TreeEntry {{ mode oid {BLOB} }}"
        )
        data = client.graphql(query, {"commit": commit, **numbered(batch)})
        rows = data["repository"]["object"] or {}
        blobs |= {path: entry(client, rows[name]) for name, path in numbered(batch).items() if rows.get(name)}
    return blobs


def entry(client: Client, row: Mapping[str, Any]) -> StoredBlob:
    """Return the blob of a `TreeEntry` (`mode oid object { text isTruncated }`), as bytes where text is not enough."""
    mode, oid = int(row["mode"]), str(row["oid"])
    if mode in {SUBMODULE, FOLDER}:
        return StoredBlob(mode, oid)
    blob = row.get("object") or {}
    content = blob["text"].encode() if isinstance(blob.get("text"), str) and not blob.get("isTruncated") else None
    if content is None or blob_id(content) != oid:
        content = client.rest("GET", f"/git/blobs/{oid}", accept=RAW).raw
    return StoredBlob(mode, oid, content)


def blob_id(content: bytes) -> str:
    """Return the id that git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 - git's own naming
