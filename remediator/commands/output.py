"""Logging and progress on standard error. Standard output contains results only."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_GITHUB = {logging.DEBUG: "debug", logging.INFO: "debug", logging.WARNING: "warning", logging.ERROR: "error"}


class GitHubFormatter(logging.Formatter):
    """Formats workflow commands such as `::debug::`; line breaks are escaped, so that no log line can forge a command."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one command for each record."""
        text = super().format(record).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        return f"::{_GITHUB.get(record.levelno, 'error')}::{text}"


class Redacted(logging.Filter):
    """Removes secrets from our own log; added once the policies are read that say what is secret."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self.redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with its text redacted."""
        record.msg, record.args = self.redact(record.getMessage()), ()
        return True


def redact_logging(redact: Callable[[str], str]) -> None:
    """Redact every record from now on."""
    for handler in logging.getLogger("remediator").handlers:
        handler.addFilter(Redacted(redact))


def set_up_logging(level: str, environ: Mapping[str, str]) -> None:
    """Log to standard error; in GitHub Actions as workflow commands, where debug needs no flag to be collected."""
    on_github = environ.get("GITHUB_ACTIONS", "").lower() == "true"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        GitHubFormatter("%(message)s") if on_github else logging.Formatter("%(levelname)s: %(message)s")
    )
    chosen = level or ("debug" if on_github and environ.get("RUNNER_DEBUG") == "1" else "warning")
    root = logging.getLogger("remediator")
    root.handlers, root.propagate = [handler], False
    root.setLevel(chosen.upper() if chosen.lower() in {"debug", "info", "warning", "error"} else "WARNING")


class Progress:
    """The steps of a run: one line that is rewritten on a terminal, and one line for each step elsewhere."""

    def __init__(self, total: int = 0) -> None:
        self.total, self.finished = total, 0
        self.terminal = sys.stderr.isatty()
        self.began = time.monotonic()

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show the step; count it as one of `total` when it is over."""
        self._show(label)
        yield
        self.finished += 1

    def close(self) -> None:
        """Clear the line on a terminal."""
        if self.terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _show(self, label: str) -> None:
        label = "".join(character if character.isprintable() else " " for character in label)[:160]
        if not self.terminal:
            print(f"remediator: {label}", file=sys.stderr)
            return
        width = 20
        filled = width * self.finished // self.total if self.total else 0
        bar = "█" * filled + "░" * (width - filled)
        sys.stderr.write(f"\r\x1b[K{bar} {label} ({time.monotonic() - self.began:.1f} s)")
        sys.stderr.flush()
