"""The command line in this process, with diagnosis and analysis faked and git real."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from remediator import cli, wiring
from remediator.policy import Catalogue, Policies
from tests.fake_ports import FakeLogs, FakePlanner
from tests.git_repositories import ENVIRON, repository
from tests.graph.incident_run import FILE, TWO, case

if TYPE_CHECKING:
    from pathlib import Path

    from remediator.domain.lifecycle import Case


@dataclass
class CommandOutput:
    """Output and exit code of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Command:
    """`remediator` on one repository."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    cases: list[Case] = field(default_factory=lambda: [case()])
    planner: FakePlanner = field(default_factory=lambda: FakePlanner(TWO))
    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self, *argv: str) -> CommandOutput:
        self.capsys.readouterr()
        try:
            code = cli.main([*argv, "--repo", str(self.root)])
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = self.capsys.readouterr()
        return CommandOutput(code, out, err)

    def run(self, *options: str) -> CommandOutput:
        return self("run", "--log", "log.txt", *options)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {FILE: "memory: 1Gi\n", "README.md": "read me\n"})


@pytest.fixture
def remediator(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    command = Command(root, capsys)
    fakes = {
        "logs": lambda: FakeLogs(tuple(command.cases)),
        "planner": lambda: command.planner,
        "policies": lambda: Policies(catalogue=Catalogue(categories=()), actions={}),
    }
    for name, port in fakes.items():
        fake = cached_property(lambda self, port=port: port())
        fake.__set_name__(wiring.Services, name)
        monkeypatch.setattr(wiring.Services, name, fake)
    monkeypatch.setattr(wiring, "now", lambda: command.time)
    monkeypatch.setattr(wiring, "preload", lambda: None)
    return command
