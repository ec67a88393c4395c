"""Limits of one answer in time and size, also against a server that drips bytes and so never times out by itself."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

from remediator.domain.sources import AnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

CHUNK = 1 << 16


def within(
    seconds: float, work: Callable[[], T], late: str, dispose: Callable[[T], object] = lambda _result: None
) -> T:
    """Return the result of the work, or raise what it raised; AnswerError with the text `late` after the time limit.

    A server that sends a byte now and then keeps every silence short and never ends. The work is then abandoned in its
    thread, and `dispose` gets a result that comes later.
    """
    results: list[T] = []
    errors: list[BaseException] = []
    lock, abandoned = threading.Lock(), threading.Event()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that waits for it
            errors.append(error)
            return
        with lock:
            if not abandoned.is_set():
                results.append(result)
                return
        dispose(result)

    thread = threading.Thread(target=run, name="question", daemon=True)
    thread.start()
    thread.join(max(seconds, 0))
    if errors:
        raise errors.pop()  # removed from the list: its frames hold connections
    with lock:
        if results:
            return results[0]
        abandoned.set()
    raise AnswerError(late, retryable=True)


def read_all(read: Callable[[int], bytes], name: str, *, most: int, until: float, budget: float) -> bytes:
    """Return everything that `read(size)` gives; AnswerError beyond `most` bytes or after the moment `until`."""
    parts: list[bytes] = []
    size = 0
    while chunk := read(CHUNK):
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            raise AnswerError(f"{name} answers with more than {most >> 20} MiB: narrow the question")
        if time.monotonic() > until:
            raise AnswerError(f"{name} did not finish its answer within {budget:g} s", retryable=True)
    return b"".join(parts)
