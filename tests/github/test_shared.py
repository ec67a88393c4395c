"""Incidents of several clusters that need the very same edit share one pull request, each with its own verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.graph.sweep import sweep_incidents
from tests.github.pull_request_runs import Life, living
from tests.github.test_life import calm
from tests.graph.incident_run import IncidentRun, case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EAST, WEST = case(fingerprint="ea" * 32), case(fingerprint="0e" * 32)


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    with living(tmp_path) as one:
        one.cases = (EAST, WEST)
        yield one


def begun(life: Life) -> None:
    for one in life.cases:
        driver, follow = life._run()
        follow.post_recurrence(driver.start(one).state)


def test_the_second_joins_the_first_and_says_so_once(life: Life) -> None:
    begun(life)
    begun(life)
    (pull,) = life.server.world.pulls.values()
    assert pull.head == "remediator/inc-eaeaea-1-1"
    assert [name for name in life.server.world.bare.refs() if "inc-" in name] == [f"refs/heads/{pull.head}"]
    said = [text for text in life.comments() if "This change is also the fix for incident `inc-0e0e0e-1`" in text]
    assert len(said) == 1
    assert {(r.status, r.branch) for r in life._run()[0].records()} == {("awaiting_review", pull.head)}


def test_one_merge_and_one_event_bring_both_on_each_with_its_verdict(life: Life) -> None:
    begun(life)
    life.server.world.merge(life.number, "ada")
    life.verdicts = ["success"]
    life.event()
    assert {r.status for r in life._run()[0].records()} == {"resolved"}
    status = [text for text in life.comments() if text.startswith("<!-- remediator:status") and "Recovered" in text]
    assert len(status) == 2


def test_one_command_is_obeyed_once_and_a_close_declines_both(life: Life) -> None:
    begun(life)
    life.server.world.comment(life.number, "ada", "/remediator close not now")
    life.event()
    life.sweep()
    assert {(r.status, r.reason) for r in life._run()[0].records()} == {("rejected", "not now")}
    assert len([text for text in life.comments() if "the reason is recorded" in text]) == 1


def test_one_that_has_gone_by_itself_leaves_the_pull_request_to_the_other(life: Life) -> None:
    begun(life)
    calm(life)
    driver, follow = life._run()
    (east,) = [r for r in driver.records() if r.incident_id.startswith("inc-ea")]
    follow._look(east, verify=True)
    pull = life.server.world.pulls[life.number]
    assert pull.state == "open"
    assert {r.status for r in life._run()[0].records()} == {"awaiting_review", "resolved"}
    life.server.world.comment(life.number, "ada", "/remediator use 2")
    life.event()
    assert "opened for another incident" in life.comments()[-1]
    life.server.world.comment(life.number, "ada", "/remediator close not now")
    life.event()
    assert pull.state == "closed"
    assert {r.status: r.reason for r in life._run()[0].records()}["rejected"] == "not now"


def test_where_both_have_gone_in_one_sweep_it_is_closed(life: Life) -> None:
    begun(life)
    calm(life)
    life.sweep(verify=True)
    assert life.server.world.pulls[life.number].state == "closed"
    assert {r.status for r in life._run()[0].records()} == {"resolved"}


def test_what_the_first_was_revised_to_is_what_the_other_remembers(life: Life) -> None:
    begun(life)
    life.server.world.comment(life.number, "ada", "/remediator use 2")
    life.event()
    life.cases = (*life.cases, case(fingerprint="a1" * 32))
    assert life._run()[0].start(life.cases[2]).state["pull_request"].branch == "remediator/inc-a1a1a1-1-1"  # type: ignore[union-attr]
    life.server.world.merge(life.number, "ada")
    life.event()
    driver = life._run()[0]
    assert {driver.state(name)["incident"].chosen for name in ("inc-eaeaea-1", "inc-0e0e0e-1")} == {"roll_back"}


def test_two_runs_at_once_make_one_and_the_other_joins_in_the_next_sweep() -> None:
    world = IncidentRun(cases=(EAST, WEST))
    first, second = world.driver(), world.driver()
    publish = world.forge.publish

    def meanwhile(change: object) -> object:
        world.forge.publish = publish  # type: ignore[method-assign]
        assert second.start(WEST).state["incident"].held == "the same change is being opened for inc-eaeaea-1"
        return publish(change)  # type: ignore[arg-type]

    world.forge.publish = meanwhile  # type: ignore[assignment, method-assign]
    assert first.start(EAST).error is None
    held = [record for record in world.driver().records() if record.held]
    sweep_incidents(world.driver(), held, lambda driver, record: driver.resume_queued(record.incident_id))
    assert {r.branch for r in world.driver().records()} == {"remediator/inc-eaeaea-1-1"}
    assert world.forge.calls.count("publish") == 1
