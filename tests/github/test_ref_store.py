"""The ref store on GitHub beyond the contract: what it costs, what it survives, what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.errors import ConfigError, ConflictError, ServiceError
from remediator.services.github.ref_store import GitHubRefStore
from tests.github.server import Server, ServerFault
from tests.github.stand_in import client, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with stand_in(tmp_path, {"a.yaml": "a: 1\n"}) as one:
        yield one


def store(server: Server, *prefetch: str) -> GitHubRefStore:
    return GitHubRefStore(client(server), prefetch=prefetch)


def test_the_branch_is_an_orphan_and_says_skip_ci(server: Server) -> None:
    first = store(server).write("", {"index.json": b"{}"}, "Record [skip ci]")
    store(server).write(first, {"index.json": b"{1}"}, "Record more [skip ci]")
    log = server.world.bare.run("log", "--format=%s %P", "remediator-state")
    assert log == f"Record more [skip ci] {first}\nRecord [skip ci] "


def test_head_index_and_write_cost_a_request_each(server: Server) -> None:
    first = store(server).write("", {"index.json": b"{}", "incidents/a.json": b"a"}, "one")
    del server.journal[:]
    found = store(server, "index.json")
    assert found.head() == first
    assert found.read(first, ["index.json"]) == {"index.json": b"{}"}
    second = found.write(first, {"index.json": b"new"}, "two")
    assert found.read(second, ["index.json"]) == {"index.json": b"new"}
    assert server.journal == ["GRAPHQL Head", "GRAPHQL Record"]


@pytest.mark.parametrize("kind", ["after", "drop", "before"])
def test_a_lost_answer_is_one_write(server: Server, kind: str) -> None:
    first = store(server).write("", {"a": b"1"}, "one")
    server.faults = [ServerFault("GRAPHQL Record", kind)]
    second = store(server).write(first, {"a": b"2"}, "two")
    assert server.world.branch("remediator-state") == second
    assert server.world.bare.run("rev-list", "--count", "remediator-state") == "2"


@pytest.mark.parametrize("kind", ["after", "drop", "before"])
def test_a_lost_answer_while_the_branch_is_made(server: Server, kind: str) -> None:
    server.faults = [ServerFault("POST .*/git/refs", kind)]
    assert store(server).write("", {"a": b"1"}, "one") == server.world.branch("remediator-state")


def test_somebody_else_making_the_branch_with_the_same_documents_wins_alone(server: Server) -> None:
    store(server).write("", {"a": b"1"}, "one")
    with pytest.raises(ConflictError):
        store(server).write("", {"a": b"1"}, "one")


@pytest.mark.parametrize("exists", [False, True])
def test_a_ruleset_that_forbids_the_branch_is_said(server: Server, exists: bool) -> None:
    head = store(server).write("", {"a": b"1"}, "one") if exists else ""
    server.world.frozen = ["remediator-state"]
    with pytest.raises(
        ConfigError, match=r"ruleset of acme/gitops forbids the branch remediator-state.*state-repository"
    ):
        store(server).write(head, {"a": b"2"}, "two")


def test_a_rate_limit_is_waited_for_and_a_long_one_is_not(server: Server) -> None:
    server.faults = [ServerFault("GRAPHQL Head", "secondary", retry_after="7")]
    waits: list[float] = []
    patient = client(server)
    patient.sleep = waits.append
    assert GitHubRefStore(patient).head() == ""
    assert waits == [7.0]
    server.faults = [ServerFault("GRAPHQL Head", "primary", reset="4000000000")]
    with pytest.raises(ServiceError, match="rate limit"):
        GitHubRefStore(patient).head()


def test_a_refused_token_and_a_missing_permission_are_named(server: Server) -> None:
    with pytest.raises(ConfigError, match="refuses the token"):
        GitHubRefStore(client(server, "nobody")).head()
    server.faults = [ServerFault("POST .*/git/trees", "403", message="Resource not accessible by integration")]
    with pytest.raises(ConfigError, match=r"with .contents: write."):
        store(server).write("", {"a": b"1"}, "one")


def test_a_large_and_a_binary_document_arrive_whole(server: Server) -> None:
    documents = {"big": b"x" * 600_000, "binary": b"\0\xff", "bom": "\ufeffa".encode()}
    head = store(server).write("", documents, "one")
    assert store(server).read(head) == documents
