"""Players that fail in the middle of a whole run: it ends with the rules' answer, says so, and pays nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from remediator.commands.shared import report_of
from remediator.report import pull_request
from remediator.services.checkpoints.reply_log import FILE
from tests.git_repositories import git, repository, write
from tests.model.model_server import Model, Reply, completion, conclude, script
from tests.unit.judgement.model.shop import DEPLOYMENT, FILES, LOG, deployment, memory, services

if TYPE_CHECKING:
    from tests.model.model_server import Behaviour, Body

RIGHT = ("try_change", {"edits": [memory("512Mi")], "cites": ["E1"]})
TURNS = ([("broken_relations", {})], [RIGHT], [conclude("C1")])
PATIENCE = {"REMEDIATOR_LLM_TIMEOUT": "2"}


def hangs(body: Body) -> Reply:
    """Never answers within the bound."""
    return Reply(wait=5)


def unknown(body: Body) -> Reply:
    """Calls tools that do not exist, for ever."""
    return completion(body, calls=[("delete_cluster", {"all": True}), ("", {}), ("TRY_CHANGE", {})])


def hundred(body: Body) -> Reply:
    """Calls a hundred tools at once, then concludes what it never tried."""
    if len(body["messages"]) == 2:
        return completion(body, calls=[("list_applications", {"page": 1})] * 100)
    return completion(body, calls=[conclude("C9")])


def megabytes(body: Body) -> Reply:
    """Answers with a megabyte of a conclusion."""
    return completion(body, calls=[conclude(cause="x" * 1_000_000)])


def malformed(body: Body) -> Reply:
    """Breaks off its arguments, for ever."""
    return completion(body, calls=[("try_change", '{"edits": [{"kind": "Depl')])


def falls(fault: Reply) -> Behaviour:
    """Return a player who looks once, and whose server then fails for good."""
    first = script(*TURNS)
    return lambda body: first(body) if len(body["messages"]) == 2 else fault


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "hangs midway": (falls(Reply(wait=5)), "not heard"),
    "a hundred calls": (hundred, "no conclusion"),
    "a megabyte": (megabytes, "not heard"),
    "malformed calls": (malformed, "no conclusion"),
    "hangs": (hangs, "not heard"),
    "is down midway": (falls(Reply(status=503)), "not heard"),
    "says nothing midway": (falls(Reply(body=b'{"choices": []}')), "not heard"),
    "breaks off midway": (falls(Reply(body=b"x" * 100_000, drop=True)), "not heard"),
    "unknown tools": (unknown, "no conclusion"),
}


@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=[pytest.mark.thorough] if at > 3 else []) for at, name in enumerate(FAULTS)]
)
def test_the_run_ends_with_the_rules_answer_and_says_so(tmp_path: Path, fault: str) -> None:
    behaviour, told = FAULTS[fault]
    with Model(behaviour) as server:
        environ = {"OPENAI_MODEL": "small", "OPENAI_BASE_URL": server.url, **PATIENCE}
        run = services(tmp_path, **environ)
        alone = services(tmp_path).driver.start(run.logs.cases()[0]).state
        state = run.driver.start(run.logs.cases()[0]).state
        asked = len(server.bodies)
    for key in ("error_category", "error_severity", "affected_apps", "git_changes", "workflow_status"):
        assert state[key] == alone[key], key
    assert told in state["second"].note
    assert told in pull_request(report_of(run, state))[1]
    assert 1 <= asked <= 18
    assert run.analyst is not None
    assert run.analyst.spent.sent <= 60_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = repository(tmp_path / "gitops", FILES)
    write(made, {DEPLOYMENT: deployment("store", "shop")})
    git(made, "commit", "-q", "-a", "-m", "Lower the limit of store")
    (tmp_path / "describe.txt").write_text(LOG, encoding="utf-8")
    return made


def command(root: Path, server: Model) -> subprocess.Popen[str]:
    """Start `remediator run` in a process of its own."""
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(root.parent), "OPENAI_MODEL": "small", "OPENAI_BASE_URL": server.url,
        "GIT_AUTHOR_NAME": "ops", "GIT_AUTHOR_EMAIL": "ops@example.com", "GIT_COMMITTER_NAME": "ops",
        "GIT_COMMITTER_EMAIL": "ops@example.com",
    }  # fmt: skip
    words = [sys.executable, "-m", "remediator", "run", "--repo", str(root), "--log", str(root.parent / "describe.txt")]
    return subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize(
    "at", [1, pytest.param(0, marks=pytest.mark.thorough), pytest.param(2, marks=pytest.mark.thorough)]
)
def test_a_process_that_is_killed_at_a_call_is_resumed_and_asks_nothing_twice(root: Path, at: int) -> None:
    play, running = script(*TURNS), list[subprocess.Popen[str]]()

    def kills(body: Body) -> Reply:
        if len(server.bodies) == at + 1:
            running[0].kill()
            running[0].wait()
        return play(body)

    with Model(kills) as server:
        running.append(command(root, server))
        running[0].communicate()
        assert running[0].returncode == -9
        before = server.bodies[:]
        again = command(root, server)
        out, _ = again.communicate()
    assert len(before) == at + 1, out
    answered, after = before[:at], server.bodies[len(before) :]
    # The request at which it died had no answer, so it is made again, to the byte; what was answered is not.
    assert [*answered, *after] == [*before, *after[1:]]
    assert len(answered) + len(after) == len(TURNS), out
    assert "512Mi" in git(root, "log", "-p", "--all", "--format=", "--", DEPLOYMENT)
    assert FILE not in git(root, "ls-tree", "-r", "--name-only", "remediator-state")
