"""How every adapter asks a server: whom it trusts, within a time and a size, and once a look whoever wants it."""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from remediator.domain.sources import AnswerError
from remediator.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

CHUNK = 1 << 16

_SILENT = 3
"""Questions in a look that got no answer at all, after which a server counts as down for its rest."""


def within(
    seconds: float, work: Callable[[], T], late: str, dispose: Callable[[T], object] = lambda _result: None
) -> T:
    """The result of the work, or what it raised; AnswerError with these words once the time is over.

    A server that drips a byte now and then keeps every silence short and never ends: the work is then left to itself,
    and what it still comes to is disposed of.
    """
    done: list[T] = []
    broken: list[BaseException] = []
    lock, left = threading.Lock(), threading.Event()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that waits for it
            broken.append(error)
            return
        with lock:
            if not left.is_set():
                done.append(result)
                return
        dispose(result)

    thread = threading.Thread(target=run, name="question", daemon=True)
    thread.start()
    thread.join(max(seconds, 0))
    if broken:
        raise broken.pop()  # kept nowhere: its frames hold connections
    with lock:
        if done:
            return done[0]
        left.set()
    raise AnswerError(late, retryable=True)


def whole(read: Callable[[int], bytes], name: str, *, most: int, until: float, budget: float) -> bytes:
    """All that `read(size)` gives, until it gives nothing; AnswerError beyond `most` bytes or the moment `until`."""
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


def authority(given: str, name: str) -> str:
    """The file of a certificate authority that is given as its path or as PEM text; ConfigError where there is none."""
    if "-----BEGIN" in given:
        with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False, encoding="utf-8") as file:
            file.write(given)
        return file.name
    if not Path(given).is_file():
        raise ConfigError(f"{name}: there is no file with a certificate authority here", file=given)
    return given


@dataclass
class SingleFlight(Generic[T]):
    """Answers by what was asked for, good for one look; a refusal is kept like an answer.

    Many incidents wait for a dead server once a look, not once each: after a few silences it counts as down.
    """

    _known: dict[str, T | AnswerError] = field(default_factory=dict, repr=False)
    _locks: dict[str, threading.Lock] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _silent: list[AnswerError] = field(default_factory=list, repr=False)

    def ask(self, what: str, find: Callable[[], T]) -> T:
        """What `find` gives, called by one thread alone; raises what it raised."""
        with self._lock:
            lock = self._locks.setdefault(what, threading.Lock())
        with lock:
            if what not in self._known:
                self._known[what] = self._asked(find)
            found = self._known[what]
        if isinstance(found, AnswerError):
            raise found.with_traceback(None)
        return found

    def forget(self) -> None:
        """The next look asks anew."""
        with self._lock:
            self._known, self._silent = {}, []

    def _asked(self, find: Callable[[], T]) -> T | AnswerError:
        if len(self._silent) >= _SILENT:
            return self._silent[-1]
        try:
            return find()
        except AnswerError as error:
            # Without its frames, which hold connections, and would grow each time that it is raised.
            bare = AnswerError(str(error), status=error.status, detail=error.detail, retryable=error.retryable)
            if error.retryable and not error.status:
                self._silent.append(bare)
            return bare
