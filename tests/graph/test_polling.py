"""Looking again within one run: how often, how far apart, and when it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from remediator.action.__main__ import Run
from remediator.action.inputs import Inputs
from remediator.domain.lifecycle import Review
from remediator.graph.driver import DriverResult
from remediator.graph.limits import RunLimits
from remediator.graph.polling import Polling, unsettled
from remediator.settings import Settings
from tests.fake_ports import FakeVerifier
from tests.graph.incident_run import IncidentRun

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def looked(
    says: list, total: timedelta, *, deadline: timedelta | None = None
) -> tuple[IncidentRun, DriverResult, list[float]]:
    """A merge, then as many looks as there is patience for; on the world's own clock."""
    slept: list[float] = []
    limits = RunLimits(deadline=deadline) if deadline else RunLimits()
    world = IncidentRun(verifiers=(FakeVerifier(says),), limits=limits)
    world.start()
    result = world.merge()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        world.pass_time(seconds=seconds)

    def look() -> DriverResult:
        driver = world.driver()
        return driver.resume(driver.records()[0].incident_id, Review(kind="verify"))

    patience = Polling(total, world.now, sleep, world.verifiers)
    return world, patience.watch(result, lambda one: unsettled(one.state), look), slept


def test_without_patience_there_is_one_look() -> None:
    world, result, slept = looked(["pending", "success"], timedelta(0))
    assert (result.state["verification_status"], slept) == ("pending", [])
    assert world.verifiers[0].forgotten == 0


@pytest.mark.parametrize(
    ("says", "status", "slept"),
    [
        (["pending", "pending", "success"], "resolved", [30, 30]),
        (["success"], "resolved", []),
        (["pending"], "verifying", [30, 30, 15]),
    ],
)
def test_it_looks_until_it_is_settled_or_patience_is_over(says: list, status: str, slept: list[float]) -> None:
    world, result, waited = looked(says, timedelta(seconds=75))
    assert (result.state["workflow_status"], waited) == (status, slept)
    assert world.verifiers[0].forgotten == len(slept)
    assert len(result.state["observations"]) == 1 + len(slept)


def test_a_failure_ends_the_looking_with_the_next_attempt() -> None:
    _, result, slept = looked(["pending", "failed"], timedelta(minutes=5))
    assert (result.state["workflow_status"], result.state["incident"].attempt, slept) == ("awaiting_review", 2, [30])


def test_the_deadline_ends_it_before_patience_does() -> None:
    _, result, slept = looked(["pending"], timedelta(hours=1), deadline=timedelta(minutes=1))
    assert (result.state["workflow_status"], slept) == ("unconfirmed", [30, 30])


def test_where_no_verifier_is_configured_nothing_is_waited_for() -> None:
    world = IncidentRun()
    world.start()
    assert not unsettled(world.merge().state)


def test_of_several_incidents_each_keeps_its_last_word(tmp_path) -> None:
    """One Application's sync concerns two incidents: the one that ends first is not looked at again."""
    world = IncidentRun(verifiers=(FakeVerifier(["pending"]),))
    world.start()
    pending = world.merge().state
    over = {**pending, "workflow_status": "resolved", "verification_status": "success"}
    looks = [{"a": pending, "b": pending}, {"a": over, "b": pending}, {"b": over}]
    told: list[str] = []
    run = Run(Inputs(event="x"), Settings())
    run.__dict__["reconciler"] = SimpleNamespace(sweep=lambda **_: looks.pop(0))
    run.__dict__["queue_issue"] = SimpleNamespace(apply_ticks=lambda: None, update=lambda: None)
    patience = Polling(timedelta(minutes=5), world.now, lambda seconds: world.pass_time(seconds=seconds))
    run._services = SimpleNamespace(verifiers=[1], patience=patience)
    run._add_result = lambda state, **_: told.append(state["workflow_status"])
    run._sweep("checkout")
    assert (told, looks) == (["resolved", "resolved"], [])
