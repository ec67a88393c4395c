"""Many incidents in one run: looked at side by side, written as one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from remediator.domain.life import gravity
from remediator.errors import ConflictError, RemediatorError

if TYPE_CHECKING:
    from remediator.domain.life import Record
    from remediator.graph.drive import Driver, Memory

T = TypeVar("T")

WIDTH = 16
"""Incidents that are looked at at once; most of a look is waiting for servers."""


@dataclass(frozen=True)
class Held:
    """A driver's memory with every flush held back to the end."""

    memory: Memory

    def records(self) -> Sequence[Mapping[str, Any]]:
        """As the memory has them."""
        return self.memory.records()

    def flush(self, message: str) -> None:
        """Not yet."""

    def forget(self, *threads: str) -> None:
        """At once: what failed must not be written with the others."""
        self.memory.forget(*threads)


def swept(
    driver: Driver, records: Sequence[Record], look: Callable[[Driver, Record], T]
) -> dict[str, T | RemediatorError]:
    """All of them; those held back come last and in order, so that the gravest gets a slot that another has freed."""
    done = together(driver, [record for record in records if not record.held], look)
    held = sorted((record for record in records if record.held), key=gravity)
    return {**done, **together(driver, held, look, width=1)}


def together(
    driver: Driver, records: Sequence[Record], look: Callable[[Driver, Record], T], *, width: int = WIDTH
) -> dict[str, T | RemediatorError]:
    """What became of each by its id; one fault does not cost the others, what somebody else moved is left to them.

    Each look gets a driver of its own, since a driver remembers what it saw last.
    """
    if not records:
        return {}

    def one(record: Record) -> T | RemediatorError:
        try:
            return look(replace(driver, memory=Held(driver.memory)), record)
        except RemediatorError as error:
            driver.memory.forget(record.incident_id)
            return error

    with ThreadPoolExecutor(max_workers=min(width, len(records))) as pool:
        done = dict(zip([record.incident_id for record in records], pool.map(one, records), strict=True))
    if driver.preview:
        return done
    try:
        driver.memory.flush(f"Sweep {len(records)} open incidents")
    except ConflictError as error:
        lost = [record.incident_id for record in records if record.incident_id in str(error)]
        if not lost:
            raise
        done.update(dict.fromkeys(lost, error))
    return done
