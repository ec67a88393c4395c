"""Servers that a test starts as processes of their own, on free ports of loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(command: list[str], ready: str, folder: Path) -> Iterator[None]:
    """Run it for the length of the block, once the address `ready` answers (at once where there is none)."""
    output = folder / f"{Path(command[0]).name}.log"
    with output.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder, start_new_session=True)
    try:
        for _ in range(150 if ready else 0):
            try:
                with urllib.request.urlopen(ready, timeout=1):
                    break
            except OSError:
                time.sleep(0.1)
        else:
            if ready:
                pytest.fail(output.read_text()[-2000:])
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
