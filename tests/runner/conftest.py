"""A runner, and the stand-in with the example repository and a log artifact."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.github.hub_state import Artifact
from tests.github.server import Server
from tests.github.stand_in import stand_in
from tests.github.test_artifacts import archive
from tests.runner.act import LOG, ROOT, Runner

if TYPE_CHECKING:
    from collections.abc import Iterator

GITOPS = ROOT / "examples" / "gitops"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    files = {str(p.relative_to(GITOPS)): p.read_text() for p in GITOPS.rglob("*") if p.is_file()}
    with stand_in(tmp_path, files) as server:
        log = archive(**{"a.txt": LOG})
        server.world.artifacts = [Artifact(5, "incident", 9, log), Artifact(6, "incident-log", 9, log)]
        yield server


@pytest.fixture
def runner(server: Server, tmp_path: Path) -> Iterator[Runner]:
    with tempfile.TemporaryDirectory() as short:
        yield Runner(server, tmp_path, canary=Path(short, "c"))
