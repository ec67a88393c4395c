"""Killed at any point and started again, a run ends with one branch, one pull request, one thread.

Everything that lasts goes through git, so the child is killed before and after each of its git
commands in turn.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from remediator import cli, wiring
from remediator.policy import Catalogue, Policies
from remediator.services.local.git import Git
from tests.fake_ports import FakeLogs, FakePlanner
from tests.git_repositories import ENVIRON, git, repository
from tests.graph.incident_run import FILE, TWO, case

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WRITES = {"hash-object", "read-tree", "update-index", "write-tree", "commit-tree", "update-ref", "merge"}


def child(argv: Sequence[str], point: int) -> None:
    """Run one command in this process; `point` counts the moments before and after each writing git command."""
    os.environ.clear()
    os.environ.update(ENVIRON)
    wiring.preload = lambda: None
    wiring.now = lambda: datetime(2026, 1, 1, tzinfo=UTC)
    policies = Policies(catalogue=Catalogue(categories=()), actions={})
    for name, port in (("logs", FakeLogs((case(),))), ("planner", FakePlanner(TWO)), ("policies", policies)):
        fake = cached_property(lambda self, port=port: port)
        fake.__set_name__(wiring.Services, name)
        setattr(wiring.Services, name, fake)
    spawn, passed = Git._spawn, 0

    def count() -> None:
        nonlocal passed
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    def counted(self: Git, args: Sequence[str], *rest: object) -> object:
        if args[0] in WRITES:
            count()
        done = spawn(self, args, *rest)
        if args[0] in WRITES:
            count()
        return done

    Git._spawn = counted
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os._exit(cli.main(argv))


def killed_at(argv: Sequence[str], point: int) -> int:
    process = multiprocessing.get_context("fork").Process(target=child, args=(argv, point))
    process.start()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def refs(root: Path) -> list[str]:
    return git(root, "for-each-ref", "--format=%(refname:short)").split("\n")


def documents(root: Path) -> list[str]:
    return git(root, "ls-tree", "-r", "--name-only", "remediator-state").split("\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {FILE: "memory: 1Gi\n"})


@pytest.mark.thorough
def test_a_run_killed_anywhere_and_started_again(tmp_path: Path) -> None:
    point = 0
    while True:
        root = repository(tmp_path / f"repo{point}", {FILE: "memory: 1Gi\n"})
        argv = ["run", "--log", "log.txt", "--repo", str(root), "--json"]
        code = killed_at(argv, point)
        assert code in {0, -signal.SIGKILL}
        if code == 0:
            break
        assert killed_at(argv, -1) == 0
        assert refs(root) == ["main", "remediator-state", "remediator/inc-3f9a2c-1-1"], point
        assert documents(root) == ["incidents/inc-3f9a2c-1.json", "index.json"]
        assert git(root, "rev-list", "--count", "main..remediator/inc-3f9a2c-1-1") == "1"
        assert git(root, "status", "--porcelain") == ""
        point += 1
    assert point >= 20


@pytest.mark.thorough
def test_an_approval_killed_anywhere_and_given_again(tmp_path: Path) -> None:
    proposed = repository(tmp_path / "proposed", {FILE: "memory: 1Gi\n"})
    assert killed_at(["run", "--log", "log.txt", "--repo", str(proposed)], -1) == 0
    point = 0
    while True:
        root = shutil.copytree(proposed, tmp_path / f"repo{point}")
        argv = ["approve", "inc-3f9a2c-1", "--repo", str(root)]
        code = killed_at(argv, point)
        assert code in {0, -signal.SIGKILL}
        if code == 0:
            break
        again = killed_at(argv, -1)
        assert again in {0, 2}  # 2: the killed one had come to its end
        assert refs(root) == ["main", "remediator-state"], point
        assert git(root, "rev-list", "--count", "--merges", "main") == "1"
        assert (root / FILE).read_text() == "memory: 2Gi\n"
        assert git(root, "status", "--porcelain") == ""
        assert '"status": "verifying"' in git(root, "show", "remediator-state:incidents/inc-3f9a2c-1.json")
        point += 1
    assert point >= 16


def _run(argv: Sequence[str]) -> None:
    child(argv, -1)


@pytest.mark.thorough
def test_twenty_runs_at_once_end_in_one_pull_request_and_count_each_other(root: Path) -> None:
    argv = ["run", "--log", "log.txt", "--repo", str(root)]
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_run, args=(argv,)) for _ in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 20
    assert refs(root) == ["main", "remediator-state", "remediator/inc-3f9a2c-1-1"]
    assert documents(root) == ["incidents/inc-3f9a2c-1.json", "index.json"]
    assert '"seen": 20' in git(root, "show", "remediator-state:incidents/inc-3f9a2c-1.json")
