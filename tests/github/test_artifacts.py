"""Log artifacts: found by name and run, streamed without the token, bounded, and told apart when missing."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from remediator.errors import ConfigError
from remediator.evidence import open_inputs
from remediator.services.github.artifacts import fetch
from tests.github.hub_state import Artifact
from tests.github.server import Server, ServerFault
from tests.github.stand_in import client, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with stand_in(tmp_path, {"a.yaml": "a: 1\n"}) as one:
        yield one


def archive(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return out.getvalue()


def test_the_newest_of_that_name_is_read_whole(server: Server, tmp_path: Path) -> None:
    server.world.artifacts = [
        Artifact(1, "log", 7, archive(old="x")),
        Artifact(2, "log", 8, archive(b="second", a="first")),
        Artifact(3, "other", 8, b""),
    ]
    inputs = open_inputs([str(fetch(client(server), "log", 0, tmp_path))])
    assert len(inputs) == 2
    assert "old" in open_inputs([str(fetch(client(server), "log", 7, tmp_path))])[0].name


def test_missing_and_expired_ones_name_the_runs_that_have_one(server: Server, tmp_path: Path) -> None:
    server.world.artifacts = [Artifact(1, "log", 7, b"x"), Artifact(2, "log", 8, b"", expired=True)]
    with pytest.raises(ConfigError, match="of run 8 has expired; runs with one: 7"):
        fetch(client(server), "log", 8, tmp_path)
    with pytest.raises(ConfigError, match="'none' does not exist; no run has one"):
        fetch(client(server), "none", 0, tmp_path)


def test_the_size_is_bounded_and_a_passing_failure_is_not_the_end(server: Server, tmp_path: Path) -> None:
    server.world.artifacts = [Artifact(1, "log", 7, archive(a="x" * 5000))]
    with pytest.raises(ConfigError, match="at most 100"):
        fetch(client(server), "log", 7, tmp_path, most=100)
    server.faults = [ServerFault("GET .*/zip", "before"), ServerFault("GET .*/zip", "drop")]
    assert fetch(client(server), "log", 7, tmp_path).stat().st_size > 0


def test_the_one_that_is_left_is_found_behind_pages_of_expired_ones(server: Server, tmp_path: Path) -> None:
    expired = [Artifact(number, "log", 100 + number, b"", expired=True) for number in range(2, 252)]
    server.world.artifacts = [Artifact(1, "log", 7, archive(kept="x")), *expired]
    assert "kept" in open_inputs([str(fetch(client(server), "log", 0, tmp_path))])[0].name
    assert server.count("GET .*/actions/artifacts") == 3
    with pytest.raises(ConfigError, match="of run 120 has expired; runs with one: 7"):
        fetch(client(server), "log", 120, tmp_path)


def test_a_run_that_is_not_there_and_a_token_that_may_not_look_are_told_apart(server: Server, tmp_path: Path) -> None:
    server.world.artifacts = [Artifact(1, "log", 7, b"x")]
    server.faults = [ServerFault("GET .*/runs/8/artifacts", "404", message="Not Found")]
    with pytest.raises(ConfigError, match="'log' of run 8 does not exist; runs with one: 7"):
        fetch(client(server), "log", 8, tmp_path)
    server.faults = [ServerFault("GET .*/artifacts", "404", times=2, message="Not Found")]
    with pytest.raises(ConfigError, match="`actions: read`, for another repository an App's token"):
        fetch(client(server), "log", 8, tmp_path)
    server.faults = [ServerFault("GET .*/artifacts", "403", message="Resource not accessible by integration")]
    with pytest.raises(ConfigError, match="needs `permissions:` with"):
        fetch(client(server), "log", 8, tmp_path)


def test_one_that_expires_between_list_and_download_says_so(server: Server, tmp_path: Path) -> None:
    server.world.artifacts = [Artifact(1, "log", 7, archive(a="x"))]
    server.faults = [ServerFault("GET .*/zip", "410", message="Artifact has expired")]
    with pytest.raises(ConfigError, match="Artifact has expired"):
        fetch(client(server), "log", 7, tmp_path)
