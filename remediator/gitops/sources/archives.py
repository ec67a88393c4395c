"""Read a chart's archive in memory: bounded before it is parsed, and never unpacked to disk."""

from __future__ import annotations

import io
import tarfile
import zlib

MAX_FILES = 5000
_GZIP = 16 + zlib.MAX_WBITS


def unpack(data: bytes, limit: int) -> dict[str, bytes] | None:
    """Return the regular files of a chart's archive without its top directory.

    None where it is no archive, or unpacks to more than `limit` bytes: the size is bounded before tar's headers are
    read, since these can claim any size.
    """
    plain = _decompress(data, limit)
    if plain is None:
        return None
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            for member in archive:
                parts = member.name.split("/")
                if not member.isreg() or len(parts) < 2 or ".." in parts or "" in parts:
                    continue
                if len(files) >= MAX_FILES:
                    return None
                handle = archive.extractfile(member)
                if handle is not None:
                    files["/".join(parts[1:])] = handle.read()
    except (tarfile.TarError, OSError, EOFError, ValueError):
        return None
    return files


def _decompress(data: bytes, limit: int) -> bytes | None:
    """Return the decompressed bytes; None where they are damaged or more than the limit."""
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(data, limit + 1)
    except zlib.error:
        return None
    return plain if stream.eof and len(plain) <= limit else None
