"""A run may end at any request, and an event may be lost: the next run or sweep brings the incident to the same end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.github.pull_request_runs import Kill, Killed, Life, living
from tests.github.test_life import calm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def merged(life: Life) -> None:
    life.start()
    life.server.world.merge(life.number, "ada")
    life.verdicts = ["pending"]


def recovered(life: Life) -> None:
    merged(life)
    life.event()
    life.verdicts = ["success"]


def failed(life: Life) -> None:
    merged(life)
    life.verdicts = ["failed"]


def asked(life: Life) -> None:
    life.start()
    life.server.world.comment(life.number, "ada", "/remediator use 2")


def declined(life: Life) -> None:
    life.start()
    life.server.world.comment(life.number, "ada", "/remediator close not now")


def approved(life: Life) -> None:
    life.start()
    life.server.world.review(life.number, "ada", "APPROVED")


def closed(life: Life) -> None:
    life.start()
    life.server.world.close(life.number, "ada")


def open_once(life: Life) -> None:
    life.start()


def event(life: Life) -> None:
    life.event()


def sweep(life: Life) -> None:
    life.sweep(verify=True)


def gone(life: Life) -> None:
    life.start()
    calm(life)


def nothing(_: Life) -> None: ...


STEPS: dict[str, tuple[Callable[[Life], None], Callable[[Life], None]]] = {
    "open": (nothing, open_once),
    "merge": (merged, event),
    "verdict": (recovered, sweep),
    "next attempt": (failed, event),
    "use": (asked, event),
    "close by command": (declined, event),
    "close": (closed, event),
    "approve": (approved, event),
    "gone by itself": (gone, sweep),
}


def seen(life: Life) -> dict[str, Any]:
    """Everything that people, and the next run, can see; times and counters of sightings aside."""
    world, driver = life.server.world, life._run()[0]
    return {
        "records": [(r.status, r.verification, r.opening, r.attempt, r.action) for r in driver.records()],
        "pulls": [(p.state, p.title, p.head, len(p.labels), p.reviewers, p.sha[:0]) for p in world.pulls.values()],
        "files": [world.bare.run("ls-tree", "-r", p.sha) for p in world.pulls.values() if p.state == "open"],
        "comments": [
            [(c.user, c.body.split("\n")[0].split(":")[:2], [r for r, _ in c.reactions]) for c in p.comments]
            for p in world.pulls.values()
        ],
        "branches": sorted(name for name in world.bare.refs() if "remediator/" in name),
    }


def expected(life: Life, step: str) -> tuple[dict[str, Any], int]:
    """What the step comes to when nothing happens, and how many requests it takes."""
    before, act = STEPS[step]
    before(life)
    del life.server.journal[:]
    act(life)
    requests = len(life.server.journal)
    return seen(life), requests


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.thorough
def test_a_run_killed_at_any_request_leaves_all_to_the_next_one(step: str, tmp_path: Path) -> None:
    before, act = STEPS[step]
    with living(tmp_path / "whole") as whole:
        wanted, requests = expected(whole, step)
    assert requests >= 2
    for at in range(1, requests + 1):
        with living(tmp_path / str(at)) as life:
            before(life)
            life.kill = Kill(at)
            with pytest.raises(Killed):
                act(life)
            life.kill = None
            life.time += timedelta(minutes=11)
            if step == "open" and not life._run()[0].records():
                act(life)  # nothing was known yet: the log is read again
            else:
                sweep(life)
            assert seen(life) == wanted, f"{step}, killed after request {at} of {requests}"


@pytest.mark.parametrize("step", [name for name in STEPS if name != "open"])
def test_an_event_that_is_lost_is_made_up_by_the_next_sweep(step: str, tmp_path: Path) -> None:
    with living(tmp_path / "whole") as whole:
        wanted, _ = expected(whole, step)
    with living(tmp_path / "lost") as life:
        STEPS[step][0](life)
        sweep(life)
        assert seen(life) == wanted
