"""One exception class per reaction, not per place; a vendor's own exceptions stop at its client."""

from __future__ import annotations


class RemediatorError(Exception):
    """Anything we raise on purpose; `exit_code` is what the process ends with if nobody reacts."""

    exit_code = 1


class ConfigError(RemediatorError):
    """The user mends an input: says which file, where in it, what was expected."""

    exit_code = 2

    def __init__(self, message: str, *, file: str = "", line: int = 0, path: str = "") -> None:
        self.file, self.line, self.path, self.message = file, line, path, message
        place = ":".join(str(part) for part in (file, line or "") if part)
        super().__init__(": ".join(part for part in (place, path, message) if part))


class ServiceError(RemediatorError):
    """Something outside answered wrongly or not at all; `retryable` says whether to ask again."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message)


class ConflictError(RemediatorError):
    """Somebody else was first (a moved ref, an existing branch): read again, then decide anew."""


class PolicyViolation(RemediatorError):
    """The guardrails say no; a person decides."""

    exit_code = 3
