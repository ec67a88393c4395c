"""Which commit is before which, asked of GitHub once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.services.github.history import AncestryCache
from remediator.services.local.git import Git
from remediator.services.local.remotes import contains
from remediator.settings import Settings
from remediator.wiring import Services
from tests.git_repositories import git
from tests.github.server import ServerFault
from tests.github.stand_in import client, stand_in
from tests.servers.many_incidents import Hub

if TYPE_CHECKING:
    from pathlib import Path


def test_a_descendant_holds_what_came_before_it(tmp_path: Path) -> None:
    with stand_in(tmp_path, {"a.yaml": "a: 1\n"}) as server:
        first = server.world.branch("main")
        second = server.world.commit_files("main", {"a.yaml": "a: 2\n"}, "two")
        history = AncestryCache(client(server))
        assert history.contains(second, first) is True
        assert history.contains(first, first) is True
        assert history.contains(first, second) is False
        assert history.contains("0" * 40, first) is None
        assert history.contains(second, first) is True
        assert server.count("GET .*/compare/.*") == 4


def test_a_commit_that_the_clone_has_not_is_asked_of_the_forge(tmp_path: Path) -> None:
    with stand_in(tmp_path, {"a.yaml": "a: 1\n"}) as server:
        git(tmp_path, "clone", "-q", str(server.world.bare.path), "clone")
        first = server.world.branch("main")
        second = server.world.commit_files("main", {"a.yaml": "a: 2\n"}, "two")
        environ = Hub(server, tmp_path / "clone", first).environ("http://127.0.0.1:1")
        found = Services(Settings.from_environ(environ), tmp_path / "clone")
        assert found.outside.contains(second, first) is True
        assert found.outside.contains(first, second) is False
        assert found.outside.contains(first, first) is True
        assert server.count("GET .*/compare/.*") == 2


def test_a_forge_that_is_down_is_no_answer(tmp_path: Path) -> None:
    with stand_in(tmp_path, {"a.yaml": "a: 1\n"}) as server:
        server.faults = [ServerFault(".*compare.*", "403", times=9)]
        assert AncestryCache(client(server)).contains(server.world.branch("main"), server.world.branch("main")) is None


def test_a_shallow_clone_says_no_to_nothing(tmp_path: Path) -> None:
    with stand_in(tmp_path, {"a.yaml": "a: 1\n"}) as server:
        first = server.world.branch("main")
        server.world.commit_files("main", {"a.yaml": "a: 2\n"}, "two")
        third = server.world.commit_files("main", {"a.yaml": "a: 3\n"}, "three")
        git(tmp_path, "clone", "-q", "--depth", "1", f"file://{server.world.bare.path}", "shallow")
        git(tmp_path / "shallow", "fetch", "-q", "--depth", "1", "origin", first)
        found = Git.find(tmp_path / "shallow", {})
        assert contains(found, third, first) is None
        git(tmp_path / "shallow", "fetch", "-q", "--unshallow", "origin", "main")
        assert contains(found, third, first) is True
        assert contains(found, first, third) is False
