"""Pull one chart from its registry by helm, and say why where that fails.

helm follows redirects and speaks the registries' own protocol; what it brings is compared with the digest that the
index states (OCI registries are addressed by digest, which helm checks itself).
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from remediator.domain.charts import ChartPull
from remediator.gitops.sources.chart_index import digest_of
from remediator.gitops.sources.tools import Limits, ToolFailed, Tools

MAX_INDEX = 64 * 1024 * 1024
"""Some public indexes have 30 MB."""
_ALIAS = "chart-repository"
_WORDS = (
    (r"\b(?:401|403|unauthorized|denied|forbidden)\b", "its registry asks for a login"),
    (r"\b429\b|too ?many ?requests", "its registry refuses further requests for now"),
    (r"\b5\d\d (?:internal|bad gateway|service|gateway)|status(?: code)? 5\d\d\b", "its registry fails"),
    (r"no such host|server misbehaving|connection (?:refused|reset)|network is unreachable|no route", "its registry cannot be reached"),
    (r"proxyconnect|i/o timeout|\bEOF\b", "its registry cannot be reached"),
    (r"certificate|x509", "the certificate of its registry is not trusted"),
    (r"file too large|SIGXFSZ|out of memory|cannot allocate", "it is larger than charts.pull.max_bytes"),
    (r"\b404\b|not found|no chart version found|no chart name found", "its registry does not have it"),
)  # fmt: skip


class PullFailed(Exception):
    """A chart was not pulled; the message is the reason, `of_host` True where it concerns the whole registry."""

    def __init__(self, message: str, *, of_host: bool = False) -> None:
        super().__init__(message)
        self.of_host = of_host


def is_oci(repository: str) -> bool:
    """Return whether a repository is an OCI registry: Argo CD names these without a scheme too."""
    return repository.startswith("oci://") or "://" not in repository


def host_of(repository: str) -> str:
    """Return the host of a chart repository, with its port where it has one."""
    return urlsplit(repository if "://" in repository else f"oci://{repository}").netloc.rpartition("@")[2].lower()


def pull(tools: Tools, rules: ChartPull, repository: str, name: str, version: str) -> bytes:
    """Return the archive of a chart; raises PullFailed with the reason."""
    with tempfile.TemporaryDirectory(prefix="remediator-chart-") as place:
        directory = Path(place)
        try:
            if is_oci(repository):
                _pull_oci(tools, rules, repository, name, version, directory)
            else:
                _pull_http(tools, rules, repository, name, version, directory)
        except ToolFailed as error:
            raise _reason(error, rules) from None
        archives = sorted(directory.glob("*.tgz"))
        if len(archives) != 1:
            raise PullFailed("its registry gave no archive")
        if archives[0].stat().st_size > rules.max_bytes:
            raise PullFailed(f"it is larger than charts.pull.max_bytes ({rules.max_bytes})")
        data = archives[0].read_bytes()
        stated = "" if is_oci(repository) else _stated_digest(directory, name, version)
    if stated and stated != hashlib.sha256(data).hexdigest():
        raise PullFailed("its archive does not have the digest that the index states")
    return data


def _pull_oci(tools: Tools, rules: ChartPull, repository: str, name: str, version: str, directory: Path) -> None:
    reference = f"oci://{repository.removeprefix('oci://').rstrip('/')}/{name}"
    loopback = (
        ["--plain-http"] if re.fullmatch(r"(?:localhost|127\.[\d.]+|\[::1\])(?::\d+)?", host_of(repository)) else []
    )
    words = ["pull", reference, "--version", version, "--destination", str(directory), *loopback]
    tools.run_helm(words, directory, _limits(rules, rules.max_bytes))


def _pull_http(tools: Tools, rules: ChartPull, repository: str, name: str, version: str, directory: Path) -> None:
    places = [
        "--repository-config",
        str(directory / "repositories.yaml"),
        "--repository-cache",
        str(directory / "index"),
    ]
    tools.run_helm(["repo", "add", _ALIAS, repository, *places], directory, _limits(rules, MAX_INDEX))
    words = ["pull", f"{_ALIAS}/{name}", "--version", version, "--destination", str(directory), *places]
    tools.run_helm(words, directory, _limits(rules, rules.max_bytes))


def _limits(rules: ChartPull, file_bytes: int) -> Limits:
    return Limits(rules.timeout, network=True, file_bytes=file_bytes)


def _stated_digest(directory: Path, name: str, version: str) -> str:
    try:
        index = (directory / "index" / f"{_ALIAS}-index.yaml").read_bytes()
    except OSError:
        return ""
    return digest_of(index, name, version)


def _reason(error: ToolFailed, rules: ChartPull) -> PullFailed:
    """Return helm's failure in the words of the setting that helps, and whether other charts of the host share it."""
    if error.late:
        return PullFailed(f"pulling it takes longer than charts.pull.timeout ({rules.timeout:g} s)", of_host=True)
    if error.absent:
        return PullFailed("helm is not on the PATH", of_host=True)
    message = str(error)
    for pattern, words in _WORDS:
        if re.search(pattern, message, re.IGNORECASE):
            return PullFailed(words, of_host="does not have" not in words and "larger" not in words)
    return PullFailed(f"helm cannot pull it: {message[:200]}")
