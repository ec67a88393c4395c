"""The broad except of the faces: after a bug they still report the error and everything else that was found."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TypeVar

from remediator.errors import RemediatorError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
T = TypeVar("T")


class InternalFault(RemediatorError):
    """An unforeseen error, which is a bug of Remediator."""


def contained(work: Callable[[], T]) -> T | RemediatorError:
    """Return the result, or the error as a value: a fault of one incident must not cost the others their report."""
    try:
        return work()
    except RemediatorError as error:
        return error
    except BrokenPipeError:
        raise
    except Exception as error:  # listed in errors.py
        log.debug("internal error", exc_info=True)
        return InternalFault(
            f"internal error, please report it: {type(error).__name__}: {error} (--log-level debug shows where)"
        )


def tell(error: RemediatorError) -> None:
    """Print the error as one line on standard error."""
    print(f"remediator: {error}", file=sys.stderr)
