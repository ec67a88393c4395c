"""`remediator sweep`: bring every open incident up to date, many at once, and write it all as one commit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from remediator.commands.shared import add_repo, in_words, services
from remediator.errors import RemediatorError

if TYPE_CHECKING:
    import argparse

    from remediator.domain.lifecycle import Record
    from remediator.graph.driver import Driver, DriverResult
    from remediator.graph.state import IncidentState
    from remediator.wiring import Services


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
class SweepResult:
    """What became of one incident."""

    record: Record
    result: DriverResult | None = None
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
            held = self.record.held
            return f"held back: {held}" if held else f"{in_words(self.record.status)}, as before"
        state = self.result.state
        why = state["incident"].reason or state["recovery_result"]
        return f"{in_words(state['workflow_status'])}{f': {why}' if why else ''}"


def sweep(found: Services) -> list[SweepResult]:
    """All open incidents, each with an outcome of its own, gravest first; those held back go on where they may now."""
    from remediator.domain.lifecycle import gravity, is_open
    from remediator.graph.sweep import sweep_incidents

    driver = found.driver
    found.forge  # noqa: B018 - made before the threads ask for it
    waiting = sorted((record for record in driver.records() if is_open(record)), key=gravity)
    done = sweep_incidents(driver, waiting, partial(_one, found))
    return [_swept(record, done.get(record.incident_id)) for record in waiting]


def _swept(record: Record, outcome: DriverResult | RemediatorError | None) -> SweepResult:
    """One that the caps have no room for has no outcome: it stays as it was."""
    if isinstance(outcome, RemediatorError):
        return SweepResult(record, error=outcome)
    return SweepResult(record, outcome)


def _one(found: Services, driver: Driver, record: Record) -> DriverResult | None:
    from remediator.commands.catch_up import catch_up
    from remediator.domain.lifecycle import Review
    from remediator.domain.times import stamp
    from remediator.wiring import now

    if record.held:
        return driver.resume_queued(record.incident_id)
    if record.opening:
        return driver.finish(record.incident_id)
    if record.status == "verifying":
        return driver.resume(record.incident_id, Review(kind="verify", at=stamp(now())))
    return catch_up(found, driver, record) or _cleared(found, driver, record)


def _cleared(found: Services, driver: Driver, record: Record) -> DriverResult | None:
    """Close what nobody needs any more, since its incident has gone by itself."""
    from remediator.domain.lifecycle import Review
    from remediator.domain.times import stamp
    from remediator.graph.nodes.verify_recovery import may_have_cleared
    from remediator.wiring import now

    state = driver.state(record.incident_id)
    if not (found.verifiers and may_have_cleared(state, driver.limits, now())):
        return None

    def close(after: IncidentState) -> None:
        if after["workflow_status"] == "resolved" and after["pull_request"]:
            found.forge.close(after["pull_request"])

    return driver.resume(record.incident_id, Review(kind="verify", at=stamp(now())), then=close)


def _plain(text: str) -> str:
    """No control character of a log reaches the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
