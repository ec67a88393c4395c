"""One request for many callers: within one check, the answer to a question is shared by all incidents that ask it.

Verifiers check many incidents side by side, mostly about the same namespaces and Applications. Without sharing, each
would ask the server again, and each would wait for a dead server again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from remediator.domain.sources import AnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_MOST_SILENCES = 3
"""Questions without any answer in one check, after which the server counts as down for the rest of it."""


@dataclass
class SingleFlight(Generic[T]):
    """Answers by question, cached for one check; a refusal is cached like an answer."""

    _answers: dict[str, T | AnswerError] = field(default_factory=dict, repr=False)
    _locks: dict[str, threading.Lock] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _silences: list[AnswerError] = field(default_factory=list, repr=False)

    def ask(self, question: str, find: Callable[[], T]) -> T:
        """Return what `find` returns, called by one thread alone; raises what it raised."""
        with self._lock:
            lock = self._locks.setdefault(question, threading.Lock())
        with lock:
            if question not in self._answers:
                self._answers[question] = self._find(find)
            answer = self._answers[question]
        if isinstance(answer, AnswerError):
            raise answer.with_traceback(None)
        return answer

    def forget(self) -> None:
        """Drop the answers; the next check asks again."""
        with self._lock:
            self._answers, self._silences = {}, []

    def _find(self, find: Callable[[], T]) -> T | AnswerError:
        if len(self._silences) >= _MOST_SILENCES:
            return self._silences[-1]
        try:
            return find()
        except AnswerError as error:
            # A copy without frames: they hold connections, and would grow each time that it is raised.
            refusal = AnswerError(str(error), status=error.status, detail=error.detail, retryable=error.retryable)
            if error.retryable and not error.status:
                self._silences.append(refusal)
            return refusal
