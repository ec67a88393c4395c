"""Work that must end in time, whatever the other side does with the connection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from remediator.errors import ServiceError

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """The result of the work, or what it raised; ServiceError once the time is over, and the work is left to itself."""
    done: list[T] = []
    broken: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that waits for it
            broken.append(error)

    thread = threading.Thread(target=run, name="model", daemon=True)
    thread.start()
    thread.join(max(seconds, 0))
    if broken:
        raise broken[0]
    if not done:
        raise ServiceError("no answer in time", retryable=True)
    return done[0]
