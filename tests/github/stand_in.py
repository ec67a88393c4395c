"""Entry to the stand-in for GitHub: `with stand_in(folder, files) as server:`; skipped where GitHub's descriptions are not installed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from remediator.services.github.client import Client
from tests.git_repositories import repository
from tests.github.api_descriptions import folder
from tests.github.hub_state import HubState
from tests.github.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEEDS = "npm's @octokit/openapi and @octokit/graphql-schema are not installed (scripts/install_tools.py)"


@contextmanager
def stand_in(place: Path, files: dict[str, str]) -> Iterator[Server]:
    """A server over a new repository with one commit of these files."""
    if folder() is None:
        pytest.skip(NEEDS)
    with Server(HubState.of(repository(place / "seed", files), place / "hub.git")) as server:
        yield server


def client(server: Server, token: str = "bot-token") -> Client:
    """A client of the stand-in's one repository, which does not really wait."""
    return Client(SecretStr(token), "acme/gitops", server.url, sleep=lambda _seconds: None)
