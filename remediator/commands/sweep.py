"""`remediator sweep`: bring all open incidents up to date in parallel, and write them as one commit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from remediator.commands.shared import add_repo, in_words, open_services
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
    """Print one line for each incident; return 1 where one could not be read."""
    results = sweep(open_services(args))
    for result in results:
        print(f"{result.record.incident_id:<16} {_plain(result.message)}")
    if not results:
        print("no open incident")
    return max((result.code for result in results), default=0)


@dataclass(frozen=True)
class SweepResult:
    """The result of the sweep for one incident."""

    record: Record
    result: DriverResult | None = None
    error: RemediatorError | None = None

    @property
    def code(self) -> int:
        """The exit code for this result."""
        failed = self.error or (self.result.error if self.result else None)
        return failed.exit_code if failed else 0

    @property
    def message(self) -> str:
        """The result in words."""
        if failed := self.error or (self.result.error if self.result else None):
            return str(failed)
        if self.result is None:
            reason = self.record.held
            return f"queued: {reason}" if reason else f"{in_words(self.record.status)}, unchanged"
        state = self.result.state
        why = state["incident"].reason or state["recovery_result"]
        return f"{in_words(state['workflow_status'])}{f': {why}' if why else ''}"


def sweep(services: Services) -> list[SweepResult]:
    """Return the result of each open incident, most severe first; queued ones continue where the limits allow it now."""
    from remediator.domain.lifecycle import gravity, is_open
    from remediator.graph.sweep import sweep_incidents

    driver = services.driver
    services.forge  # noqa: B018 - built before the threads need it
    waiting = sorted((record for record in driver.records() if is_open(record)), key=gravity)
    results = sweep_incidents(driver, waiting, partial(_look, services))
    return [_result(record, results.get(record.incident_id)) for record in waiting]


def _result(record: Record, outcome: DriverResult | RemediatorError | None) -> SweepResult:
    """Return the result; an incident that stays queued has no outcome."""
    if isinstance(outcome, RemediatorError):
        return SweepResult(record, error=outcome)
    return SweepResult(record, outcome)


def _look(services: Services, driver: Driver, record: Record) -> DriverResult | None:
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
    return catch_up(services, driver, record) or _cleared(services, driver, record)


def _cleared(services: Services, driver: Driver, record: Record) -> DriverResult | None:
    """Close the pull request of an incident that has cleared by itself."""
    from remediator.domain.lifecycle import Review
    from remediator.domain.times import stamp
    from remediator.graph.nodes.verify_recovery import may_have_cleared
    from remediator.wiring import now

    state = driver.state(record.incident_id)
    if not (services.verifiers and may_have_cleared(state, driver.limits, now())):
        return None

    def close(after: IncidentState) -> None:
        if after["workflow_status"] == "resolved" and after["pull_request"]:
            services.forge.close(after["pull_request"])

    return driver.resume(record.incident_id, Review(kind="verify", at=stamp(now())), then=close)


def _plain(text: str) -> str:
    """Replace control characters, so that no log can control the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
