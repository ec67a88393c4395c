"""Run git on a checkout that may be hostile: no shell, hooks, external programs or network, and a time limit.

A repository can configure programs that git starts, so each of these settings is overridden on the command line.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

TIMEOUT = 30


class GitFailed(Exception):
    """Git has no answer: there is no repository, no such revision, or it takes too long."""


def git(root: Path, arguments: Sequence[str], *, stdin: bytes | None = None) -> bytes:
    """Return git's output; raises GitFailed with git's message."""
    settings = [
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.quotePath=false",
        "-c",
        "diff.external=",
        "-c",
        "log.showSignature=false",
        "-c",
        "protocol.allow=never",
    ]
    command = [
        "git",
        "-C",
        str(root),
        "--no-pager",
        "--no-optional-locks",
        "--literal-pathspecs",
        *settings,
        *arguments,
    ]
    try:
        process = subprocess.run(
            command,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=TIMEOUT,
            env=_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitFailed(f"git takes longer than {TIMEOUT} seconds") from None
    except OSError as error:
        raise GitFailed(f"git cannot be run: {error.strerror}") from None
    if process.returncode:
        raise GitFailed(
            process.stderr.decode("utf-8", "replace").strip().splitlines()[-1][:300]
            if process.stderr.strip()
            else "git fails"
        )
    return process.stdout


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", ""),
        "LC_ALL": "C.UTF-8",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }
