"""The one broad except: whatever breaks, the face still says what happened and what else was found."""

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
    """Something that we did not foresee: a bug of ours."""


def contained(work: Callable[[], T]) -> T | RemediatorError:
    """The result, or what it ended with; one incident's fault must not cost the others their report."""
    try:
        return work()
    except RemediatorError as error:
        return error
    except BrokenPipeError:
        raise
    except Exception as error:
        log.debug("internal error", exc_info=True)
        return InternalFault(
            f"internal error, please report it: {type(error).__name__}: {error} (--log-level debug shows where)"
        )


def tell(error: RemediatorError) -> None:
    """One line on standard error."""
    print(f"remediator: {error}", file=sys.stderr)
