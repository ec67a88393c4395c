"""What every ref store promises, the fake included."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from remediator.errors import ConflictError
from remediator.services.github.ref_store import GitHubRefStore
from remediator.services.local.git import Git
from remediator.services.local.ref_store import GitRefStore
from tests.fake_ports import MemoryRefStore
from tests.git_repositories import ENVIRON, git, repository
from tests.github.stand_in import client, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remediator.domain.ports import RefStore


@pytest.fixture(params=["fake", "local", "github"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RefStore]:
    if request.param == "fake":
        yield MemoryRefStore()
    elif request.param == "local":
        yield GitRefStore(Git(repository(tmp_path / "repo", {"a.yaml": "a: 1\n"}), environ=ENVIRON))
    else:
        with stand_in(tmp_path, {"a.yaml": "a: 1\n"}) as server:
            yield GitHubRefStore(client(server), prefetch=["incidents/a.json"])


def test_an_absent_ref_has_no_head_and_no_documents(store: RefStore) -> None:
    assert store.head() == ""
    assert store.read("") == {}


def test_what_is_written_is_read_back_and_the_rest_stays(store: RefStore) -> None:
    first = store.write("", {"incidents/a.json": b"1", "incidents/b.json": b"two\nlines\n"}, "one")
    second = store.write(first, {"incidents/a.json": b"\x00\xff"}, "two")
    assert store.head() == second
    assert store.read(second) == {"incidents/a.json": b"\x00\xff", "incidents/b.json": b"two\nlines\n"}
    assert store.read(first, ["incidents/a.json", "nowhere"]) == {"incidents/a.json": b"1"}


def test_none_deletes_and_deleting_nothing_is_no_error(store: RefStore) -> None:
    first = store.write("", {"a": b"1", "b": b"2"}, "one")
    assert store.read(store.write(first, {"a": None, "c": None}, "two")) == {"b": b"2"}


@pytest.mark.parametrize("stale", ["", "first"])
def test_a_moved_head_is_a_conflict_and_changes_nothing(store: RefStore, stale: str) -> None:
    first = store.write("", {"a": b"1"}, "one")
    second = store.write(first, {"b": b"2"}, "two")
    with pytest.raises(ConflictError):
        store.write(first if stale else "", {"a": b"3"}, "late")
    assert store.head() == second
    assert store.read(second) == {"a": b"1", "b": b"2"}


def test_the_git_store_leaves_worktree_index_and_branch_alone(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo", {"a.yaml": "a: 1\n"})
    (root / "a.yaml").write_text("a: 2\n")
    (root / "new").write_text("n")
    git(root, "add", "new")
    before = git(root, "status", "--porcelain=v2", "--branch")
    store = GitRefStore(Git(root, environ=ENVIRON))
    store.write("", {"incidents/a.json": b"{}"}, "Record [skip ci]")
    assert git(root, "status", "--porcelain=v2", "--branch") == before
    assert git(root, "ls-tree", "-r", "--name-only", "remediator-state") == "incidents/a.json"
    assert git(root, "log", "--format=%an %s %P", "remediator-state") == "Remediator Record [skip ci] "


def _write_some(store: RefStore, number: int) -> None:
    for turn in range(3):
        while True:
            try:
                store.write(store.head(), {f"incidents/{number}-{turn}.json": b"x"}, "write")
                break
            except ConflictError:
                continue


@pytest.mark.thorough
def test_twenty_processes_lose_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo", {"a": "1"})
    store = GitRefStore(Git(root, environ=ENVIRON))
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write_some, args=(store, number)) for number in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 20
    assert len(store.read(store.head())) == 60
    assert int(git(root, "rev-list", "--count", "remediator-state")) == 60


@pytest.mark.thorough
def test_twenty_clients_of_github_lose_nothing(tmp_path: Path) -> None:
    with stand_in(tmp_path, {"a": "1"}) as server:
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda number: _write_some(GitHubRefStore(client(server)), number), range(20)))
        store = GitHubRefStore(client(server))
        assert len(store.read(store.head())) == 60
        assert int(server.world.bare.run("rev-list", "--count", "remediator-state")) == 60


def test_it_says_whether_everybody_can_read_it(store: RefStore, tmp_path: Path) -> None:
    assert store.public() is False
    with stand_in(tmp_path / "public", {"a.yaml": "a: 1\n"}) as server:
        server.world.visibility = "PUBLIC"
        assert GitHubRefStore(client(server)).public()
