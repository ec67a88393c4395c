"""One exception class for each reaction, not for each place; a vendor's own exceptions stop at its client.

A broad except hides bugs, so that each one needs a reason. These are all of them; a test compares the list with the code.

Errors of any kind become a value or a message:
- commands/faults.py: a bug in one incident must not cost the others their report, and the face still reports it.
- graph/sweep.py: the same for the incidents of a sweep, which are looked at in threads.
- intake/collector.py: a bug in reading one server's answer must not cost the evidence of the other servers.
- services/llm/analyst.py: the client library of a model raises errors of many packages for a malformed answer.
- evidence/streams.py: five decompressors have five families of errors, and each of them means a damaged archive.

Errors of any kind are raised again, after a clean-up:
- graph/driver.py: the buffered checkpoint of an interrupted run must not be written later.
- gitops/sources/cache.py: a half-written file is removed.
- transport/deadlines.py: the error is raised in the thread that waits for the result.
"""

from __future__ import annotations


class RemediatorError(Exception):
    """Any error that we raise on purpose; `exit_code` is the exit code of the process if no caller handles it."""

    exit_code = 1


class ConfigError(RemediatorError):
    """An input that the user must correct: names the file, the place in it, and what is expected."""

    exit_code = 2

    def __init__(self, message: str, *, file: str = "", line: int = 0, path: str = "") -> None:
        self.file, self.line, self.path, self.message = file, line, path, message
        place = ":".join(str(part) for part in (file, line or "") if part)
        super().__init__(": ".join(part for part in (place, path, message) if part))


class ServiceError(RemediatorError):
    """A server that answered wrongly or not at all; `retryable` says whether to ask again."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message)


class ConflictError(RemediatorError):
    """Another writer was first (a moved ref, an existing branch): read again, then decide again."""


class PolicyViolation(RemediatorError):
    """The guardrails refuse the change: a person must decide."""

    exit_code = 3
