"""Run helm and kustomize where they are on the PATH: on a copy, without network, secrets or the user's settings.

Charts and kustomizations are untrusted. They see a temporary directory with just the files they may read, an
environment with nothing in it, proxies that lead nowhere, a time limit and a limit on what they may write. Only a pull
reaches the network: it executes nothing that it downloads.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from remediator.gitops.files import Files
from remediator.gitops.yamlread import UnreadableYaml

MAX_OUTPUT = 64 * 1024 * 1024
_NOWHERE = "http://127.0.0.1:9"
_NETWORK = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HELM_REGISTRY_CONFIG")
"""Variables that a pull may take from the environment beside proxies: certificate authorities, logins of registries."""
_MEMORY = 1024 * 1024 * 1024
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy")


class ToolFailed(Exception):
    """A tool failed; the message is the tool's own, shortened, and `absent` is True where it is not installed."""

    def __init__(self, message: str, *, absent: bool = False, late: bool = False) -> None:
        super().__init__(message)
        self.absent = absent
        self.late = late
        """True where it was ended since it took too long."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds on one process; with `network` it may reach registries."""

    seconds: float = 45
    network: bool = False
    file_bytes: int = 0
    """The size of the largest file it may write, and a bound on its memory; 0: unlimited."""


OFFLINE = Limits()


@dataclass(frozen=True, slots=True)
class Tools:
    """The paths of the programs; an empty one means that its input is read statically."""

    helm: str = ""
    kustomize: tuple[str, ...] = ()

    @classmethod
    def find(cls, path: str | None = None) -> Tools:
        """Find helm 3 or 4, and kustomize by itself or inside kubectl."""
        helm = shutil.which("helm", path=path) or ""
        if single := shutil.which("kustomize", path=path):
            return cls(helm, (single, "build"))
        kubectl = shutil.which("kubectl", path=path)
        return cls(helm, (kubectl, "kustomize") if kubectl else ())

    @classmethod
    def none(cls) -> Tools:
        """Return no programs, so that everything is read statically."""
        return cls()

    def run_helm(self, arguments: Iterable[str], directory: Path, limits: Limits = OFFLINE) -> str:
        """Return helm's output; raises ToolFailed with helm's message."""
        if not self.helm:
            raise ToolFailed("helm is not on the PATH", absent=True)
        return _run([self.helm, *arguments], directory, limits)

    def run_kustomize(self, target: str, directory: Path) -> str:
        """Return kustomize's output; raises ToolFailed with kustomize's message."""
        if not self.kustomize:
            raise ToolFailed("kustomize is not on the PATH", absent=True)
        inflate = ["--enable-helm", "--helm-command", self.helm] if self.helm else []
        return _run([*self.kustomize, target, *inflate], directory)


def _environment(home: Path, *, network: bool = False) -> dict[str, str]:
    proxies = {name: value for name in _PROXIES if (value := os.environ.get(name))}
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "TMPDIR": str(home),
        "KUBECONFIG": str(home / "no-kubeconfig"),
        "HELM_CONFIG_HOME": str(home / "helm"),
        "HELM_CACHE_HOME": str(home / "helm"),
        "HELM_DATA_HOME": str(home / "helm"),
        "HELM_PLUGINS": str(home / "helm" / "plugins"),
        "GOMEMLIMIT": "1GiB",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **({name: value for name in _NETWORK if (value := os.environ.get(name))} if network else {}),
        **(proxies if network else dict.fromkeys(_PROXIES[:5], _NOWHERE)),
    }


def _run(command: list[str], directory: Path, limits: Limits = OFFLINE) -> str:
    with (
        tempfile.TemporaryDirectory(prefix="remediator-home-") as home,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        environment = _environment(Path(home), network=limits.network)
        code = _exit_code(command, directory, environment, out, err, limits)
        if out.tell() > MAX_OUTPUT:
            raise ToolFailed("writes more than 64 MB of output")
        out.seek(0)
        err.seek(0)
        if code:
            raise ToolFailed(_error_line(err.read(20_000).decode("utf-8", "replace"), str(directory)))
        return out.read().decode("utf-8", "replace")


def _exit_code(
    command: list[str],
    directory: Path,
    environment: dict[str, str],
    out: IO[bytes],
    err: IO[bytes],
    limits: Limits = OFFLINE,
) -> int:
    """Return the exit code. A watchdog ends slow processes, since waiting with a timeout would poll."""
    late = threading.Event()
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,  # so that what it starts itself ends with it: kustomize runs helm
        )
    except OSError as error:
        raise ToolFailed(f"cannot be run: {error.strerror}", absent=True) from None
    if hasattr(resource, "prlimit"):  # a template may repeat a text until the machine has no memory left
        largest = limits.file_bytes or MAX_OUTPUT + 1
        with suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (largest, largest))
            memory = _MEMORY + (2 * limits.file_bytes or _MEMORY // 2)
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (memory, memory))

    def end() -> None:
        late.set()
        _kill_all(process)

    watchdog = threading.Timer(limits.seconds, end)
    watchdog.daemon = True
    watchdog.start()
    try:
        code = process.wait()
    finally:
        watchdog.cancel()
        _kill_all(process)
    if late.is_set():
        raise ToolFailed(f"takes longer than {limits.seconds:g} seconds", late=True)
    return code


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it has started, also where it has ended itself."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _error_line(text: str, directory: str) -> str:
    """Return the last error, without this machine's paths and without usage hints; its causes are indented below it."""
    lines = [line.rstrip() for line in text.replace(directory + "/", "").replace(directory, ".").splitlines()]
    messages: list[str] = []
    for line in lines:
        told = line.strip()
        if not told or told.startswith(("Use --debug", "level=", "walk.go", "coalesce.go", "#")):
            continue
        if line.startswith((" ", "\t")) and messages and messages[-1].lower().startswith("error"):
            messages[-1] += f" {told}"
        else:
            messages.append(told)
    errors = [message for message in messages if message.lower().startswith("error")]
    return (errors or messages or ["failed without a message"])[-1][:1000]


@contextmanager
def temporary_copy(files: Files, names: Iterable[str], extra: Mapping[str, bytes] | None = None) -> Iterator[Path]:
    """Yield a temporary directory with these files of the checkout, overlay included; links become regular files."""
    with tempfile.TemporaryDirectory(prefix="remediator-") as directory:
        root = Path(os.path.realpath(directory)) / "repo"
        root.mkdir()
        directories: set[str] = set()
        for name in names:
            if extra and name in extra:
                continue
            try:
                data = files.read(name)
            except UnreadableYaml:
                continue
            _write(root, name, data, directories)
        for name, data in (extra or {}).items():
            _write(root, name, data, directories)
        yield root


def _write(root: Path, name: str, data: bytes, directories: set[str]) -> None:
    target = root / name
    parent = name.rpartition("/")[0]
    if parent not in directories:
        target.parent.mkdir(parents=True, exist_ok=True)
        directories.add(parent)
    target.write_bytes(data)
