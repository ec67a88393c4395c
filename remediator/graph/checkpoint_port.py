"""What the driver asks of the checkpoint saver beyond LangGraph's contract, and the same for a sweep of many."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Admit = Callable[[str, Mapping[str, Mapping[str, Any]]], str]
"""Incident id and all heads → why it must not be opened yet; empty when it may."""


class CheckpointPort(Protocol):
    """What is asked of the checkpoint saver beyond LangGraph's contract."""

    def records(self) -> Sequence[Mapping[str, Any]]:
        """Readable heads of all stored incidents."""
        ...

    def recall(self, threads: Collection[str]) -> None:
        """Read these incidents in as few requests as can be, since each will be asked for."""
        ...

    def flush(self, message: str, only: Collection[str] = ()) -> None:
        """Write what is buffered, of these threads alone where any is named; ConflictError where one was moved on."""
        ...

    def claim(self, threads: Sequence[str], message: str, admit: Admit) -> dict[str, str]:
        """Write what is buffered of those that are admitted, as one step; why the others are not."""
        ...

    def forget(self, *threads: str) -> None:
        """Drop what is buffered."""
        ...


@dataclass(frozen=True)
class DeferredCheckpoints:
    """A memory whose every flush waits for the end of a sweep, so that all of it becomes one commit."""

    memory: CheckpointPort

    def records(self) -> Sequence[Mapping[str, Any]]:
        """As the memory has them."""
        return self.memory.records()

    def recall(self, threads: Collection[str]) -> None:
        """As the memory does."""
        self.memory.recall(threads)

    def flush(self, message: str, only: Collection[str] = ()) -> None:
        """Not yet, but for those that must be recorded now."""
        if only:
            self.memory.flush(message, only)

    def claim(self, threads: Sequence[str], message: str, admit: Admit) -> dict[str, str]:
        """At once: a place among the open ones is taken in the store or not at all."""
        return self.memory.claim(threads, message, admit)

    def forget(self, *threads: str) -> None:
        """At once: what failed must not be written with the others."""
        self.memory.forget(*threads)
