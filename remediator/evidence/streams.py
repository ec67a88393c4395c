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
_UNWRITTEN = bytes(set(range(32)) - set(b"\0\a\b\t\n\v\f\r\x1b"))
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
        self._some: Callable[[int], bytes] = getattr(inner, "read1", inner.read)
        self._note, self._allowed = note, allowed
        self._read, self._over = 0, False

    def readable(self) -> bool:
        """Always: the protocol of `io` asks."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes; none once a bound is reached."""
        if self._over:
            return 0
        try:
            data = self._some(min(len(buffer), 1 << 18))
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
        self._inner, self._decoder, self._rest = inner, codecs.getincrementaldecoder(encoding)("replace"), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            data = self._inner.read(1 << 18)
            self._rest = self._decoder.decode(data, final=not data).encode("utf-8", "replace")
            if not data:
                break
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _decompressed(kind: str, raw: IO[bytes]) -> IO[bytes]:
    """The stream that undoes one compression; its modules are loaded only when such an input comes."""
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
    """Which compression the first bytes show; names are not trusted."""
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")


def plain(raw: IO[bytes], limits: ScanLimits, note: Callable[[str], None]) -> IO[bytes]:
    """The readable text behind a raw stream.

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

        inner = _decompressed(kind, io.BufferedReader(counting, 1 << 18))
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
    elif not _dense(head):
        return source
    note("looks binary and was not read")
    return io.BytesIO()


def _dense(head: bytes) -> bool:
    """Whether it is thick with control characters that no terminal and no text in any encoding has."""
    return len(head) > 64 and len(head) - len(head.translate(None, _UNWRITTEN)) > len(head) // 20
