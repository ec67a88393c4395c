"""One exception class for each reaction, not for each place; a vendor's own exceptions stop at its client."""

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
