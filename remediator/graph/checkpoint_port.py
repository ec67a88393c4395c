"""The driver's port to the checkpoint saver, beyond LangGraph's contract, and the version of it that a sweep uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Admit = Callable[[str, Mapping[str, Mapping[str, Any]]], str]
"""Maps an incident id and all heads to the reason why it must not be opened yet; empty when it may."""


class CheckpointPort(Protocol):
    """The methods of the checkpoint saver beyond LangGraph's contract."""

    def records(self) -> Sequence[Mapping[str, Any]]:
        """Return the readable heads of all stored incidents."""
        ...

    def recall(self, threads: Collection[str]) -> None:
        """Read these incidents in as few requests as possible, since each of them is needed next."""
        ...

    def flush(self, message: str, only: Collection[str] = ()) -> None:
        """Write the buffer, or only the named threads; ConflictError where another run has changed one of them."""
        ...

    def claim(self, threads: Sequence[str], message: str, admit: Admit) -> dict[str, str]:
        """Write the buffered threads that are admitted, in one commit; return the reasons for the others."""
        ...

    def forget(self, *threads: str) -> None:
        """Drop the buffered writes of these threads."""
        ...


@dataclass(frozen=True)
class DeferredCheckpoints:
    """A checkpoint port whose flushes wait for the end of a sweep, so that a sweep writes one commit."""

    memory: CheckpointPort

    def records(self) -> Sequence[Mapping[str, Any]]:
        """Return the heads of the underlying port."""
        return self.memory.records()

    def recall(self, threads: Collection[str]) -> None:
        """Read the incidents through the underlying port."""
        self.memory.recall(threads)

    def flush(self, message: str, only: Collection[str] = ()) -> None:
        """Write only the threads that must be recorded now."""
        if only:
            self.memory.flush(message, only)

    def claim(self, threads: Sequence[str], message: str, admit: Admit) -> dict[str, str]:
        """Write at once: a place among the open pull requests is taken in the store or not at all."""
        return self.memory.claim(threads, message, admit)

    def forget(self, *threads: str) -> None:
        """Drop at once: a failed incident must not be written with the others."""
        self.memory.forget(*threads)
