"""The inputs of a scan: files, standard input, texts, and the members of archives, each a named stream opened in turn."""

from __future__ import annotations

import io
import re
import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from remediator.errors import ConfigError
from remediator.evidence import streams
from remediator.evidence.limits import ScanLimits

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterator, Sequence

_RUN_LOG = re.compile(r"(?:[^/]+/)?-?\d+_[^/]*\.txt")
"""GitHub's names for the files in a run's log archive: `0_build.txt` per job, `build/3_Run tests.txt` per step."""

_SPOOLED = 64 << 20


@dataclass(frozen=True, slots=True)
class Input:
    """A named source of bytes; reading it may add notes on what was refused."""

    name: str
    raw: Callable[[], IO[bytes]]
    path: str = ""
    """The plain file behind it, where there is one that may be read in parts."""
    notes: list[str] = field(default_factory=list)
    document: Any = None
    """JSON that was parsed already, in place of bytes: a server's answer in a format of its own."""

    @contextmanager
    def open(self, limits: ScanLimits) -> Iterator[IO[bytes]]:
        """Yield the plain text as bytes: decompressed, UTF-8, within bounds."""
        raw = self.raw()
        try:
            yield streams.plain(raw, limits, lambda note: self.notes.append(f"{self.name}: {note}"))
        finally:
            if self.name != "stdin":
                raw.close()


def text_input(name: str, text: str) -> Input:
    """Return an input from a text in memory."""
    return Input(name, lambda: io.BytesIO(text.encode("utf-8", "replace")))


def document_input(name: str, document: Any) -> Input:
    """Return an input of parsed JSON, so that a server's answer is not written and parsed again."""
    return Input(name, io.BytesIO, document=document)


def open_inputs(paths: Sequence[str], *, limits: ScanLimits | None = None) -> list[Input]:
    """Return the inputs of the paths; `-` is standard input, an archive is its members.

    Raises `ConfigError` for what is missing, unreadable or no archive though it looks like one.
    """
    limits = limits or ScanLimits()
    inputs: list[Input] = []
    for path in paths:
        if path == "-":
            inputs += _stdin(limits)
            continue
        try:
            if Path(path).is_dir():
                raise ConfigError("is a directory; give the files in it", file=path)
            with Path(path).open("rb") as file:
                head = file.read(512)
        except OSError as bad:
            raise ConfigError(f"cannot be read: {bad.strerror or bad}", file=path) from bad
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            inputs += _zip(path, path, limits)
        elif _is_tar(path, head):
            inputs += _tar(path, limits)
        else:
            plain = (
                not streams.compression(head)
                and b"\x00" not in head
                and not head.startswith((b"\xff\xfe", b"\xfe\xff"))
            )
            inputs.append(Input(path, partial(_open_file, path), path if plain else ""))
    return inputs


def _open_file(path: str) -> IO[bytes]:
    return Path(path).open("rb")


def _stdin(limits: ScanLimits) -> list[Input]:
    """Return standard input; a zip archive goes to a temporary file first, since its list of members is at its end."""
    stream = sys.stdin.buffer
    head = stream.peek(4)[:4] if hasattr(stream, "peek") else b""
    if not head.startswith(b"PK\x03\x04"):
        return [Input("stdin", lambda: stream)]
    import tempfile

    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115 — lives as long as its inputs
    while chunk := stream.read(1 << 20):
        spool.write(chunk)
        if spool.tell() > limits.expanded:
            raise ConfigError(f"an archive of more than {limits.expanded} bytes", file="stdin")
    return _zip("stdin", spool, limits)


def _zip(name: str, file: str | IO[bytes], limits: ScanLimits) -> list[Input]:
    """Return the members of a zip archive. Nothing is extracted, so their names can lead nowhere; archives inside are refused."""
    import zipfile

    try:
        archive = zipfile.ZipFile(file)
        members = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError) as bad:
        raise ConfigError(f"is no readable zip archive: {bad}", file=name) from bad
    members, room = run_order(members), limits.archive_expanded
    inputs: list[Input] = []
    for info in members[: limits.archive_members]:
        room -= info.file_size  # more than is declared is never read of a member
        if room < 0:
            break
        inputs.append(_member(name, archive, info, limits))
    if members and not inputs:
        raise ConfigError(f"its first file alone would expand beyond {limits.archive_expanded} bytes", file=name)
    if len(members) > len(inputs):
        inputs[0].notes.append(f"{name}: {len(members) - len(inputs)} of {len(members)} members were not read")
    return inputs


def run_order(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Return the members of a GitHub Actions log archive by job and step number, of any other in the archive's order.

    A job's own file holds all of its steps, so the step files beside it are left out.
    """
    if not members or not all(_RUN_LOG.fullmatch(info.filename) for info in members):
        return members
    jobs = {re.sub(r"^-?\d+_|\.txt$", "", info.filename) for info in members if "/" not in info.filename}
    selected = [info for info in members if "/" not in info.filename or info.filename.split("/")[0] not in jobs]

    def place(info: zipfile.ZipInfo) -> tuple[str, int]:
        folder, _, base = info.filename.rpartition("/")
        return folder, int(base.split("_")[0])

    return sorted(selected, key=place)


def _printable(name: str) -> str:
    """Return a member's name without control characters: it comes from whoever made the archive."""
    return "".join(c if c.isprintable() else "?" for c in name)[:300]


def _member(name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: ScanLimits) -> Input:
    member = Input(f"{name}/{_printable(info.filename)}", io.BytesIO)

    def note(text: str) -> None:
        member.notes.append(f"{member.name}: {text}")

    def allowed(expanded: int) -> str:
        if expanded > limits.expanded or (
            expanded > limits.ratio_floor and expanded > (info.compress_size + 1) * limits.ratio
        ):
            return f"expansion stopped at {expanded} bytes from {info.compress_size}"
        return ""

    def raw() -> IO[bytes]:
        from zipfile import BadZipFile

        if stat.S_ISLNK(info.external_attr >> 16):
            note("is a symbolic link and was not read")
            return io.BytesIO()
        if info.flag_bits & 1:
            note("is encrypted and was not read")
            return io.BytesIO()
        try:
            opened = archive.open(info)
        except (BadZipFile, NotImplementedError, OSError, RuntimeError) as bad:
            note(f"cannot be read: {bad}")
            return io.BytesIO()
        stream = io.BufferedReader(streams.PlainStream(opened, note, allowed=allowed), 1 << 18)
        if stream.peek(4)[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
            note("is an archive inside an archive and was not read")
            return io.BytesIO()
        return stream

    return Input(member.name, raw, "", member.notes)


def _is_tar(path: str, head: bytes) -> bool:
    return head[257:262] == b"ustar" or (
        bool(streams.compression(head)) and path.endswith((".tgz", ".tar.gz", ".tar.bz2", ".tar.xz"))
    )


def _tar(path: str, limits: ScanLimits) -> list[Input]:
    """Return the regular files of a tar archive (a support bundle); links and devices lead outside and are left out."""
    import tarfile

    try:
        archive = tarfile.open(path)  # noqa: SIM115 — lives as long as its inputs
        members = []
        for info in archive:
            if info.isfile():
                members.append(info)
            if len(members) >= limits.archive_members or archive.offset > limits.expanded:
                break
    except (tarfile.TarError, OSError, EOFError) as bad:
        raise ConfigError(f"is no readable tar archive: {bad}", file=path) from bad

    def raw(info: tarfile.TarInfo) -> IO[bytes]:
        return archive.extractfile(info) or io.BytesIO()

    return [Input(f"{path}/{_printable(info.name)}", partial(raw, info)) for info in members]
