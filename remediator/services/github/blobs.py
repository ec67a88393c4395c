"""Files of a commit by GraphQL, many in one request, each proved by its id: what arrives is what git holds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    for start in range(0, len(paths), AT_ONCE):
        batch = paths[start : start + AT_ONCE]
        names = ", ".join(f"$p{at}: String!" for at in range(len(batch)))
        fields = " ".join(f"f{at}: file(path: $p{at}) {{ ...entry }}" for at in range(len(batch)))
        query = (
            f"query Files($owner: String!, $name: String!, $commit: GitObjectID!, {names}) {{"
            f" repository(owner: $owner, name: $name) {{ object(oid: $commit) {{ ... on Commit {{ {fields} }} }} }} }}"
            f" fragment entry on TreeEntry {{ mode oid {BLOB} }}"
        )
        data = client.graphql(query, {"commit": commit, **{f"p{at}": path for at, path in enumerate(batch)}})
        fields_by_name = data["repository"]["object"] or {}
        for at, path in enumerate(batch):
            if fields_by_name.get(f"f{at}"):
                blobs[path] = entry(client, fields_by_name[f"f{at}"])
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
