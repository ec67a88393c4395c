"""`remediator sweep`: bring every open incident up to date, many at once, and write it all as one commit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from remediator.commands.shared import add_repo, in_words, services
from remediator.errors import ConflictError, RemediatorError

if TYPE_CHECKING:
    import argparse

    from remediator.domain.life import Record
    from remediator.graph.drive import Driver, Memory, Result
    from remediator.wiring import Services

WIDTH = 16
"""Incidents that are looked at at once; most of a look is waiting for servers."""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("sweep", help="bring all open incidents up to date: merges, verdicts, deadlines")
    add_repo(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """One line an incident; 1 where one could not be looked at."""
    swept = sweep(services(args))
    for one in swept:
        print(f"{one.record.incident_id:<16} {_plain(one.said)}")
    if not swept:
        print("no open incident")
    return max((one.code for one in swept), default=0)


@dataclass(frozen=True)
class Swept:
    """What became of one incident."""

    record: Record
    result: Result | None = None
    error: RemediatorError | None = None

    @property
    def code(self) -> int:
        """The exit code that it asks for."""
        failed = self.error or (self.result.error if self.result else None)
        return failed.exit_code if failed else 0

    @property
    def said(self) -> str:
        """In words."""
        if failed := self.error or (self.result.error if self.result else None):
            return str(failed)
        if self.result is None:
            return f"{in_words(self.record.status)}, as before"
        state = self.result.state
        why = state["incident"].reason or state["recovery_result"]
        return f"{in_words(state['workflow_status'])}{f': {why}' if why else ''}"


@dataclass(frozen=True)
class Held:
    """The driver's memory with every flush held back to the sweep's end."""

    memory: Memory

    def records(self) -> Sequence[Mapping[str, Any]]:
        """As the memory has them."""
        return self.memory.records()

    def flush(self, message: str) -> None:
        """Not yet."""

    def forget(self, *threads: str) -> None:
        """At once: what failed must not be written with the others."""
        self.memory.forget(*threads)


def sweep(found: Services, *, width: int = WIDTH) -> list[Swept]:
    """All open incidents, each with an outcome of its own; what somebody else has moved meanwhile is left to them."""
    from remediator.domain.life import OPEN_STATUSES

    driver = found.driver
    found.forge  # noqa: B018 - made before the threads ask for it
    waiting = [record for record in driver.records() if record.status in OPEN_STATUSES]
    if not waiting:
        return []
    make = _maker(found, driver)
    with ThreadPoolExecutor(max_workers=min(width, len(waiting))) as pool:
        swept = list(pool.map(lambda record: _one(make(), record), waiting))
    try:
        driver.memory.flush(f"Sweep {len(waiting)} open incidents")
    except ConflictError as error:
        swept = [
            replace(one, result=None, error=error) if one.record.incident_id in str(error) else one for one in swept
        ]
    return swept


def _maker(found: Services, driver: Driver) -> Callable[[], Services]:
    """The same adapters with a driver of its own for each thread, since a driver remembers what it saw last."""
    held = Held(driver.memory)

    def make() -> Services:
        twin = copy.copy(found)
        twin.__dict__["driver"] = replace(driver, memory=held)
        return twin

    return make


def _one(found: Services, record: Record) -> Swept:
    from remediator.commands.catch_up import catch_up
    from remediator.domain.life import Review
    from remediator.graph.limits import stamp
    from remediator.wiring import now

    try:
        if record.status == "verifying":
            result: Result | None = found.driver.resume(record.incident_id, Review(kind="verify", at=stamp(now())))
        else:
            result = catch_up(found, record)
    except RemediatorError as error:
        return Swept(record, error=error)
    return Swept(record, result)


def _plain(text: str) -> str:
    """No control character of a log reaches the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
