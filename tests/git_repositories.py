"""Small git repositories for tests."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}


def git(folder: Path, *args: str) -> str:
    command = ["git", "-c", "user.name=Ops", "-c", "user.email=ops@example.com", "-C", str(folder), *args]
    process = subprocess.run(command, env=ENVIRON, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout.removesuffix("\n")


def repository(folder: Path, files: dict[str, str], *, branch: str = "main") -> Path:
    """Make a repository with one commit of these files.

    Names and dates are fixed, so equal files give equal commits: each set of files is committed once in a process, and
    copied from then on.
    """
    shutil.copytree(_committed(branch, tuple(files.items())), folder, symlinks=True, dirs_exist_ok=True)
    return folder


@cache
def _committed(branch: str, files: tuple[tuple[str, str], ...]) -> Path:
    """Commit the files in a folder that nobody changes."""
    folder = Path(tempfile.mkdtemp(dir=_templates()))
    shutil.copytree(_empty(branch), folder, dirs_exist_ok=True)
    write(folder, dict(files))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Start")
    return folder


@cache
def _empty(branch: str) -> Path:
    """Make a repository without a commit, and without git's sample hooks."""
    folder = Path(tempfile.mkdtemp(dir=_templates()))
    git(folder, "init", "-q", "--template=", "-b", branch)
    (folder / ".git/hooks").mkdir()
    return folder


@cache
def _templates() -> str:
    """Make the directory of all that is copied; it goes when the process ends."""
    folder = tempfile.mkdtemp(prefix="remediator-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
