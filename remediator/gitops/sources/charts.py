"""Pull charts from registries where the owner allows it, only at an exact version, and cache them.

A range or `latest` may give another chart today than the cluster got, so it is not pulled. A cached archive is checked
against the digest it had when it was pulled, and is read in memory, never unpacked.
"""

from __future__ import annotations

import fnmatch
import hashlib
import io
import re
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from remediator.gitops.sources.tools import ToolFailed, Tools

MAX_ARCHIVE = 32 * 1024 * 1024
MAX_FILES = 5000
_EXACT = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")


@dataclass(slots=True)
class ChartStore:
    """Gives the files of remote charts; None where the owner, the version or the registry forbids it."""

    directory: Path
    tools: Tools
    allowed: Sequence[str] = ()
    """Patterns of repository URLs, such as `https://charts.example.com*`."""
    _charts: dict[tuple[str, str, str], dict[str, bytes] | None] = field(default_factory=dict)

    def files(self, repository: str, name: str, version: str) -> dict[str, bytes] | None:
        """Return the chart's files by their path within it."""
        key = (repository, name, version)
        if key not in self._charts:
            data = self._archive(*key)
            self._charts[key] = unpack(data) if data is not None else None
        return self._charts[key]

    def _archive(self, repository: str, name: str, version: str) -> bytes | None:
        if not _EXACT.fullmatch(version) or not re.fullmatch(r"[\w.-]+", name):
            return None
        if not any(fnmatch.fnmatchcase(repository, pattern) for pattern in self.allowed):
            return None
        entry = self.directory / "charts" / hashlib.sha256(f"{repository}\0{name}\0{version}".encode()).hexdigest()
        archive, digest = entry.with_suffix(".tgz"), entry.with_suffix(".sha256")
        try:
            data = archive.read_bytes()
            if hashlib.sha256(data).hexdigest() == digest.read_text():
                return data
        except OSError:
            pass
        return self._pull(repository, name, version, archive, digest)

    def _pull(self, repository: str, name: str, version: str, archive: Path, digest: Path) -> bytes | None:
        reference = (
            [f"{repository.rstrip('/')}/{name}"] if repository.startswith("oci://") else [name, "--repo", repository]
        )
        with tempfile.TemporaryDirectory(prefix="remediator-chart-") as directory:
            try:
                self.tools.run_helm(
                    ["pull", *reference, "--version", version, "--destination", directory],
                    Path(directory),
                    network=True,
                )
            except ToolFailed:
                return None
            archives = sorted(Path(directory).glob("*.tgz"))
            if len(archives) != 1 or archives[0].stat().st_size > MAX_ARCHIVE:
                return None
            data = archives[0].read_bytes()
        try:
            archive.parent.mkdir(parents=True, exist_ok=True)
            archive.write_bytes(data)
            digest.write_text(hashlib.sha256(data).hexdigest())
        except OSError:
            pass
        return data


def unpack(data: bytes) -> dict[str, bytes] | None:
    """Return the regular files of a chart's archive without its top directory; None where it is no valid archive."""
    files: dict[str, bytes] = {}
    size = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                parts = member.name.split("/")
                if not member.isreg() or len(parts) < 2 or ".." in parts or "" in parts:
                    continue
                size += member.size
                if size > MAX_ARCHIVE * 4 or len(files) > MAX_FILES:
                    return None
                handle = archive.extractfile(member)
                if handle is not None:
                    files["/".join(parts[1:])] = handle.read()
    except (tarfile.TarError, OSError, EOFError, ValueError):
        return None
    return files
