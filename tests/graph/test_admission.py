"""Caps hold whatever runs at the same time, and a run that dies while it opens a pull request leaves all to go on with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.lifecycle import Record, Review, is_open
from remediator.errors import ConflictError, ServiceError
from remediator.graph.admission import Admission, Caps
from remediator.graph.driver import Driver, DriverResult
from remediator.graph.identity import UnfinishedPublication, decide
from remediator.graph.limits import RunLimits
from remediator.graph.sweep import sweep_incidents
from tests.fake_ports import FakeForge, FakeVerifier
from tests.graph.incident_run import FILE, IncidentRun, case

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """The process ends here."""


def driver(world: IncidentRun, **caps: int) -> Driver:
    return replace(world.driver(), admission=Admission(Caps(**caps), now=world.now))


def revived(driver: Driver) -> dict[str, DriverResult]:
    waiting = [record for record in driver.records() if is_open(record)]
    done = sweep_incidents(driver, waiting, lambda twin, record: twin.resume_queued(record.incident_id))
    return {name: one for name, one in done.items() if isinstance(one, DriverResult)}


def test_twenty_runs_never_open_more_than_there_is_room_for() -> None:
    cases = tuple(case(fingerprint=f"{n:02x}" * 32, name=f"app-{n}") for n in range(20))
    world = IncidentRun(cases=cases)
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda one: driver(world, open=3).start(one), cases))
    assert [one.error for one in results] == [None] * 20
    assert sum(one.state["workflow_status"] == "awaiting_review" for one in results) == 3
    assert len(world.forge.branches) == 3
    assert {one.state["incident"].held for one in results} == {"", "3 pull requests are open (max_open_pull_requests)"}


@pytest.mark.parametrize(
    ("caps", "says"),
    [({"per_run": 1}, "in this run"), ({"per_day": 4}, "within a day"), ({"open": 2}, "are open"), ({}, "")],
)
def test_each_cap_says_its_name(caps: dict[str, int], says: str) -> None:
    hour, day = "2026-01-01T11:00:00Z", "2025-12-30T11:00:00Z"
    heads = {
        "a": {"status": "awaiting_review", "opened": [day, hour]},
        "b": {"status": "resolved", "opened": [hour, hour]},
        "c": {"status": "resolved", "opened": [day]},
    }
    admission = Admission(Caps(**caps), now=lambda: NOW)
    assert admission.refusal("inc-1-1", heads) == ""
    heads["inc-1-1"] = {"status": "recorded", "opening": "2026-01-01T11:59:00Z"}
    assert says in admission.refusal("inc-2-1", heads)
    assert admission.room(heads) == {"per_run": 0, "per_day": 0, "open": 0}.get(next(iter(caps), ""), 3)


def test_what_died_long_ago_takes_no_place() -> None:
    heads = {"a": {"status": "recorded", "opening": "2026-01-01T12:00:00Z"}}
    for minutes, says in ((59, "are open"), (61, "")):
        at = NOW + timedelta(minutes=minutes)
        assert says in Admission(Caps(open=1), now=lambda at=at: at).refusal("b", heads)


def test_a_frozen_time_holds_every_attempt() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["failed"]),))
    world.start()
    frozen = replace(world.driver(), admission=Admission(frozen=lambda: "a freeze window", now=world.now))
    pull = frozen.state("inc-3f9a2c-1")["pull_request"]
    assert pull
    merged = world.forge.merge(pull)
    state = frozen.resume("inc-3f9a2c-1", Review(kind="merged", by="ann", commit=merged.merge_commit)).state
    assert (state["incident"].held, state["incident"].attempt) == ("a freeze window", 2)
    assert list(world.forge.branches) == []
    (done,) = revived(world.driver()).values()
    assert done.state["workflow_status"] == "awaiting_review"
    assert list(world.forge.branches) == ["remediator/inc-3f9a2c-1-2"]


def dying(world: IncidentRun, after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first run that dies right before or after its pull request is made, or before it is recorded."""
    runs = driver(world)
    publish = FakeForge.publish

    def dies_before(*_: object) -> None:
        raise Killed

    def dies_after(self: FakeForge, change: object) -> None:
        publish(self, change)  # type: ignore[arg-type]
        raise Killed

    def dies_recording(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if after == "record":
            patch.setattr(runs.memory, "flush", dies_recording)
        else:
            patch.setattr(FakeForge, "publish", dies_before if after == "claim" else dies_after)
        with pytest.raises(Killed):
            runs.start(world.cases[0])


@pytest.mark.parametrize("after", ["claim", "publish", "record"])
@pytest.mark.parametrize("next_run", ["log", "sweep", "merge"])
def test_a_run_that_dies_while_it_opens_is_finished_by_whoever_comes_next(
    after: str, next_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = IncidentRun()
    dying(world, after, monkeypatch)
    (record,) = world.driver().records()
    assert (record.opening, is_open(record)) == ("2026-01-01T00:00:00Z", True)
    match next_run:
        case "log":
            state = world.start().state
            assert (state["workflow_status"], state["incident"].seen) == ("awaiting_review", 2)
        case "sweep":
            (done,) = revived(driver(world)).values()
            assert done.state["workflow_status"] == "awaiting_review"
        case _:
            state = world.driver().resume(record.incident_id, Review(kind="merged", by="ann", commit="c9")).state
            assert state["workflow_status"] == "verifying"
    (record,) = world.driver().records()
    assert (record.opening, len(record.opened)) == ("", 1)
    assert list(world.forge.branches) == ["remediator/inc-3f9a2c-1-1"]


def test_a_change_that_can_never_be_published_is_left_to_a_person() -> None:
    world = IncidentRun(forge=FakeForge({FILE: "memory: 1Gi\n"}, fails=ConflictError("commits of others")))
    assert isinstance(world.start().error, ConflictError)
    (record,) = world.driver().records()
    assert (record.status, record.opening, record.reason) == ("needs_person", "", "commits of others")
    assert not is_open(record)


def test_a_forge_that_is_down_is_tried_again_by_the_next_sweep() -> None:
    world = IncidentRun(forge=FakeForge({FILE: "memory: 1Gi\n"}, fails=ServiceError("502")))
    assert isinstance(world.start().error, ServiceError)
    world.forge.fails = None
    (done,) = revived(driver(world)).values()
    assert done.state["workflow_status"] == "awaiting_review"


def test_a_sweep_opens_what_there_is_room_for_with_one_claim_and_one_record() -> None:
    cases = tuple(case(fingerprint=f"{n:02x}" * 32, name=f"app-{n}") for n in range(6))
    world = IncidentRun(cases=cases)
    for one in cases:
        driver(world, open=0).start(one)
    before = len(world.store.messages)
    assert len(revived(driver(world, open=4))) == 4
    assert world.store.messages[before:] == [
        "Open 4 queued incidents [skip ci]",
        "Sweep 4 open incidents [skip ci]",
    ]
    assert sum(bool(record.held) for record in world.driver().records()) == 2


def test_what_is_being_opened_is_finished_whatever_its_status() -> None:
    record = Record(incident_id="inc-1-1", fingerprint="a", status="verifying", opening="2026-01-01T00:00:00Z")
    assert decide("a", [record], NOW, RunLimits()) == UnfinishedPublication(record=record)


def test_a_next_attempt_that_is_held_and_seen_again_stays_the_next_attempt() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["failed"]),))
    world.start()
    pull = world.driver().state("inc-3f9a2c-1")["pull_request"]
    assert pull
    merged = world.forge.merge(pull)
    review = Review(kind="merged", by="ann", commit=merged.merge_commit)
    driver(world, open=0).resume("inc-3f9a2c-1", review)
    state = driver(world, open=0).start(world.cases[0]).state
    assert (state["incident"].attempt, state["incident"].seen) == (2, 2)
    assert state["incident"].held
    state = world.start().state
    assert (state["workflow_status"], state["incident"].attempt, state["incident"].seen) == ("awaiting_review", 2, 3)
    assert list(world.forge.branches) == ["remediator/inc-3f9a2c-1-2"]


def test_what_takes_a_change_back_is_held_by_nothing() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["success"]),))
    world.start()
    world.merge()
    frozen = replace(world.driver(), admission=Admission(Caps(open=0), lambda: "a freeze window", world.now))
    state = frozen.revert("inc-3f9a2c-1", Review(kind="revert", by="ann")).state
    assert (state["workflow_status"], state["incident"].chosen) == ("awaiting_review", "take_back")


def test_several_incidents_on_one_pull_request_take_one_place() -> None:
    heads = {name: {"status": "awaiting_review", "branch": "remediator/a-1"} for name in "abc"}
    assert Admission(Caps(open=2), now=lambda: NOW).refusal("d", heads) == ""
    assert Admission(Caps(open=1), now=lambda: NOW).refusal("d", heads)


def test_a_sighting_repeats_nothing_that_was_asked_for() -> None:
    world = IncidentRun()
    world.start()
    world.answer("changes_requested", words="use 9", by="ann")
    for _ in range(6):
        world.start()
    state = world.answer("changes_requested", words="use 2", by="ann").state
    assert (state["incident"].chosen, state["incident"].rounds) == ("roll_back", 1)
