"""Byte streams made plain: decompressed within bounds, UTF-16 turned into UTF-8, binaries recognised."""

from __future__ import annotations

import codecs
import io
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.evidence.limits import ScanLimits

_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"))
_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEAD = 4096
_BINARY_CONTROLS = bytes(set(range(32)) - set(b"\0\a\b\t\n\v\f\r\x1b"))
"""Control characters; NUL pads some logs, the others are a terminal's."""


class _Counting(io.RawIOBase):
    """Counts what is read from the compressed side, to know by how much it grew."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__()
        self._raw, self.count = raw, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class PlainStream(io.RawIOBase):
    """A stream of plain bytes that stops, with a note, where its bounds are reached or its compressed form is broken."""

    def __init__(self, inner: IO[bytes], note: Callable[[str], None], *, allowed: Callable[[int], str]) -> None:
        super().__init__()
        self._read_chunk: Callable[[int], bytes] = getattr(inner, "read1", inner.read)
        self._note, self._allowed = note, allowed
        self._read, self._over = 0, False

    def readable(self) -> bool:
        """Return True, as the protocol of `io` requires."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes; none once a bound is reached."""
        if self._over:
            return 0
        try:
            data = self._read_chunk(min(len(buffer), 1 << 18))
        except Exception as broken:  # noqa: BLE001 — each of five codecs has its own errors, and all mean the same here
            self._note(f"stopped at byte {self._read}: {broken}")
            self._over = True
            return 0
        self._read += len(data)
        if why := self._allowed(self._read):
            self._note(why)
            self._over = True
            return 0
        buffer[: len(data)] = data
        return len(data)


class _Transcoded(io.RawIOBase):
    """UTF-16 as UTF-8."""

    def __init__(self, inner: IO[bytes], encoding: str) -> None:
        super().__init__()
        self._inner, self._decoder, self._pending = inner, codecs.getincrementaldecoder(encoding)("replace"), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._pending:
            data = self._inner.read(1 << 18)
            self._pending = self._decoder.decode(data, final=not data).encode("utf-8", "replace")
            if not data:
                break
        part, self._pending = self._pending[: len(buffer)], self._pending[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _decompress(kind: str, raw: IO[bytes]) -> IO[bytes]:
    """Return the stream that undoes one compression; its modules are loaded only when such an input comes."""
    match kind:
        case "gzip":
            import gzip

            return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
        case "zstd":
            import zstandard

            return zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(raw, read_across_frames=True)
        case "bzip2":
            import bz2

            return bz2.BZ2File(raw)
        case _:
            import lzma

            return lzma.LZMAFile(raw)


def compression(head: bytes) -> str:
    """Return the compression by the first bytes; file names are not trusted."""
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")


def plain(raw: IO[bytes], limits: ScanLimits, note: Callable[[str], None]) -> IO[bytes]:
    """Return the readable text behind a raw stream.

    One level of compression is undone, at most `limits.expanded` bytes and `limits.ratio` times its size; a stream that
    ends or breaks too early ends early, with a note. Binaries (more than one NUL in ten bytes and no UTF-16, or many other
    control characters) read as empty.
    """
    source: IO[bytes] = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw, 1 << 18)  # type: ignore[type-var]
    if kind := compression(source.peek(8)[:8]):  # type: ignore[attr-defined]
        counting = _Counting(source)

        def allowed(expanded: int) -> str:
            if expanded > limits.expanded:
                return f"expansion stopped at {limits.expanded} bytes"
            if expanded > limits.ratio_floor and expanded > counting.count * limits.ratio:
                return f"expansion stopped: {expanded} bytes from {counting.count} is no log but a bomb"
            return ""

        inner = _decompress(kind, io.BufferedReader(counting, 1 << 18))
        source = io.BufferedReader(PlainStream(inner, note, allowed=allowed), 1 << 20)
    head = source.peek(_HEAD)[:_HEAD]  # type: ignore[attr-defined]
    for mark, encoding in _UTF16:
        if head.startswith(mark):
            source.read(len(mark))
            return io.BufferedReader(_Transcoded(source, encoding), 1 << 18)
    if head.count(0) * 10 > len(head):
        odd, even = head[1::2].count(0), head[::2].count(0)
        if max(odd, even) * 4 > len(head) and min(odd, even) * 20 < max(odd, even):
            return io.BufferedReader(_Transcoded(source, "utf-16-le" if odd > even else "utf-16-be"), 1 << 18)
    elif not _looks_binary(head):
        return source
    note("looks binary and was not read")
    return io.BytesIO()


def _looks_binary(head: bytes) -> bool:
    """Return True if many bytes are control characters that occur in no terminal output and no text encoding."""
    return len(head) > 64 and len(head) - len(head.translate(None, _BINARY_CONTROLS)) > len(head) // 20
