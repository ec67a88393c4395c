"""Give the files of charts that are not in the checkout: pulled where the policy allows it, and kept by digest.

Only an exact version is pulled: a range or `latest` may give another chart today than the cluster got. A kept archive
is compared with its digest each time it is read, since a cache can be restored from anywhere.
"""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from remediator.domain.charts import ChartPull
from remediator.gitops.files import YAML_SUFFIXES, Files
from remediator.gitops.sources.archives import unpack
from remediator.gitops.sources.chart_pull import PullFailed, host_of, pull
from remediator.gitops.sources.tools import Tools
from remediator.gitops.yamlread import UnreadableYaml

UNPACKED = 4
"""A chart's files may be this many times as large as its archive may be."""
PATIENCE = 2
"""Failed pulls may take this many times the time limit of one; then no more are tried."""
MAX_KEPT = 300
_EXACT = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")
_HOST = re.compile(rb"(?:://|(?:repoURL|repository|repo):[ \t]*['\"]?)(?:[^\s/@'\"]*@)?([A-Za-z0-9.-]+(?::\d+)?)")


def is_exact(version: str) -> bool:
    """Return whether a version names one chart, and no range of them."""
    return bool(_EXACT.fullmatch(version))


@dataclass(frozen=True, slots=True)
class PulledChart:
    """A chart's files by their path within it, or the reason why it was not pulled."""

    files: dict[str, bytes] = field(default_factory=dict)
    reason: str = ""


@dataclass
class ChartStore:
    """Gives the files of remote charts, each pulled at most once."""

    files: Files
    """The checkout as it is committed, whatever is tried on it: its texts say which hosts it names."""
    tools: Tools
    rules: Callable[[], ChartPull]
    """Gives the policy when the first chart is wanted, so that nothing is read where none is."""
    directory: Path | None = None
    """The directory of the archives that are kept; None: none outlives this process."""
    failures: int = 0
    """Charts that could not be pulled for a reason that may be gone at the next run."""
    _charts: dict[tuple[str, str, str], PulledChart] = field(default_factory=dict)
    _failed_hosts: dict[str, str] = field(default_factory=dict)
    _wasted: float = 0.0

    @cached_property
    def policy(self) -> ChartPull:
        """Return the policy, read once."""
        return self.rules()

    def chart(self, repository: str, name: str, version: str) -> PulledChart:
        """Return a chart at an exact version."""
        key = (repository.rstrip("/"), name, version)
        if key not in self._charts:
            self._charts[key] = self._chart(*key)
        return self._charts[key]

    def _chart(self, repository: str, name: str, version: str) -> PulledChart:
        reason = self._forbidden(repository, name, version)
        if reason:
            return PulledChart(reason=reason)
        stored = self._stored(repository, name, version)
        try:
            data = stored or self._pulled(repository, name, version)
        except PullFailed as error:
            self.failures += 1
            return PulledChart(reason=str(error))
        files = unpack(data, UNPACKED * self.policy.max_bytes)
        if not files or "Chart.yaml" not in files:
            return PulledChart(
                reason="its archive is damaged, or too large when it is unpacked (charts.pull.max_bytes)"
            )
        if stored is None:
            self._store(repository, name, version, data)
        return PulledChart(files)

    def _forbidden(self, repository: str, name: str, version: str) -> str:
        """Return why the chart may not be pulled; empty where it may."""
        host = host_of(repository)
        if not self.policy.enabled:
            return "charts.pull.enabled is false"
        scheme = repository.partition("://")[0] if "://" in repository else "oci"
        if not re.fullmatch(r"[\w.-]+", name) or scheme not in ("http", "https", "oci") or not host:
            return f"{repository} is no chart repository that can be pulled from"
        if not is_exact(version):
            words = f"its version {version} is a range" if version else "it has no version"
            return f"{words}, which may give another chart than the cluster has: pin it"
        if not self._is_allowed(host):
            return f"charts.pull.hosts of the policy does not list {host}"
        return ""

    def _is_allowed(self, host: str) -> bool:
        if not self.policy.hosts:
            return host in self._named_hosts
        names = (host, host.rpartition(":")[0] or host)
        return any(fnmatch.fnmatchcase(name, item.lower()) for name in names for item in self.policy.hosts)

    @cached_property
    def _named_hosts(self) -> frozenset[str]:
        """Return every host that the texts of the checkout name; a change that is only tried cannot add one."""
        hosts: set[str] = set()
        for file in self.files.names:
            if file.endswith(YAML_SUFFIXES):
                with contextlib.suppress(UnreadableYaml):
                    hosts.update(match[1].decode().lower() for match in _HOST.finditer(self.files.read(file)))
        return frozenset(hosts)

    def _pulled(self, repository: str, name: str, version: str) -> bytes:
        host = host_of(repository)
        if host in self._failed_hosts:
            raise PullFailed(self._failed_hosts[host])
        if self._wasted > PATIENCE * self.policy.timeout:
            raise PullFailed("earlier pulls failed for too long")
        began = time.monotonic()
        try:
            return pull(self.tools, self.policy, repository, name, version)
        except PullFailed as error:
            self._wasted += time.monotonic() - began
            if error.of_host:
                self._failed_hosts[host] = str(error)
            raise

    def _stored(self, repository: str, name: str, version: str) -> bytes | None:
        """Return a kept archive that has the digest under which it was kept."""
        if self.directory is None:
            return None
        try:
            digest = json.loads(self._note(repository, name, version).read_bytes())["sha256"]
            data = self._archive(digest).read_bytes() if re.fullmatch(r"[0-9a-f]{64}", digest) else b""
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return data if hashlib.sha256(data).hexdigest() == digest else None

    def _store(self, repository: str, name: str, version: str, data: bytes) -> None:
        if self.directory is None:
            return
        digest = hashlib.sha256(data).hexdigest()
        note = {"repository": repository, "chart": name, "version": version, "sha256": digest}
        with contextlib.suppress(OSError):
            _write(self._archive(digest), data)
            _write(self._note(repository, name, version), json.dumps(note, indent=1).encode())
            _prune(self.directory / "charts" / "sha256")

    def _archive(self, digest: str) -> Path:
        return Path(self.directory or "", "charts", "sha256", f"{digest}.tgz")

    def _note(self, repository: str, name: str, version: str) -> Path:
        key = hashlib.sha256(f"{repository}\0{name}\0{version}".encode()).hexdigest()
        return Path(self.directory or "", "charts", "versions", f"{key}.json")


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, since several runs share a cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    Path(name).replace(path)


def _prune(directory: Path) -> None:
    entries = sorted(directory.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in entries[MAX_KEPT:]:
        path.unlink()
