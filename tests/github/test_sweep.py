"""A sweep of many merged pull requests: what it asks of GitHub and of all other servers, and what one fault costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from remediator.action.__main__ import Run
from remediator.action.inputs import Inputs
from remediator.settings import Settings
from tests.github.server import ServerFault
from tests.servers.http_server import serve
from tests.servers.many_incidents import Servers, hub

if TYPE_CHECKING:
    from tests.servers.many_incidents import Hub

ROOT = Path(__file__).resolve().parents[2]
COUNT = 45
"""More than one batch of everything that is asked together."""

FIXED = 20
"""Requests of a sweep that do not grow with each incident, or grow by one in twenty."""


def run(found: Hub, url: str) -> Run:
    environ = found.environ(url)
    made = Run(Inputs.from_environ(environ), Settings.from_environ(environ))
    made.handle()
    return made


def statuses(found: Hub) -> list[str]:
    bodies = [one.body for pull in found.server.world.pulls.values() for one in pull.comments]
    return [body.split("### ")[1].split("\n")[0].split(" \u2014")[0] for body in bodies]


@pytest.mark.thorough
def test_three_requests_an_incident_and_one_commit_for_all(tmp_path: Path) -> None:
    policy = "verification: {settle: 1s}\n"
    with hub(tmp_path, COUNT, logged=True, policy=policy) as found, serve(Servers(found.commit, 0.0)) as server:
        for turn in ("first", "second"):
            del found.server.journal[:], server.asked[:]
            before = found.commits
            command = [sys.executable, "-m", "remediator.action"]
            done = subprocess.run(
                command, env=found.environ(server.url), cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert len(server.asked) + len(found.server.journal) <= 3 * COUNT + FIXED, turn
            assert found.commits == before + 1
    assert statuses(found) == ["\u2705 Recovered"] * COUNT


def test_what_cannot_be_told_of_one_is_told_by_the_next_sweep_and_the_others_count(tmp_path: Path) -> None:
    with hub(tmp_path, 5) as found, serve(Servers(found.commit, 0.0)) as server:
        found.server.faults = [ServerFault("GRAPHQL Notes", "before"), ServerFault("GRAPHQL Say", "403", message="no")]
        errors = run(found, server.url).errors
        assert len(errors) == 1
        assert "no" in errors[0]
        assert len(statuses(found)) == 4
        assert run(found, server.url).errors == []
        assert sorted(statuses(found)) == ["\u23f3 Waiting"] * 5


@pytest.mark.parametrize("kind", ["after", "drop", "before"])
def test_no_word_is_said_twice_whatever_answer_is_lost(tmp_path: Path, kind: str) -> None:
    with hub(tmp_path, 5) as found, serve(Servers(found.commit, 0.0)) as server:
        found.server.faults = [ServerFault("GRAPHQL Notes", kind)]
        assert run(found, server.url).errors == []
        assert statuses(found) == ["\u23f3 Waiting"] * 5


def test_a_pull_request_that_is_gone_costs_no_other_its_verdict(tmp_path: Path) -> None:
    with hub(tmp_path, 5) as found, serve(Servers(found.commit, 0.0)) as server:
        del found.server.world.pulls[3]
        errors = run(found, server.url).errors
        assert len(errors) == 1
        assert len(statuses(found)) == 4


def test_each_verdict_is_about_its_own_workload(tmp_path: Path) -> None:
    with hub(tmp_path, 6) as found, serve(Servers(found.commit, 0.0, sick=frozenset({4}))) as server:
        run(found, server.url)
        pulls = found.server.world.pulls
    assert [number for number, pull in pulls.items() if "is not ready" in pull.comments[0].body] == [5]


def test_a_document_that_somebody_spoilt_costs_no_other_its_verdict(tmp_path: Path) -> None:
    with hub(tmp_path, 5) as found, serve(Servers(found.commit, 0.0)) as server:
        path = f"incidents/{run(found, server.url).results[0].incident_id}.json"
        found.server.world.commit_files("remediator-state", {path: "{"}, "Spoil it")
        made = run(found, server.url)
    assert len(made.errors) == 1
    assert "not a document that Remediator wrote" in made.errors[0]
    assert len(made.results) == 4
