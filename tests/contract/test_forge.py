"""What every forge promises, the fake included."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from remediator.domain.lifecycle import Change
from remediator.errors import ConflictError
from remediator.services.github.forge import GitHubForge
from remediator.services.local.forge import LocalForge
from remediator.services.local.git import Git
from tests.fake_ports import FakeForge
from tests.git_repositories import ENVIRON, git, repository
from tests.github.stand_in import client, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remediator.domain.ports import Forge

FILES = {"apps/a.yaml": "memory: 1\n", "apps/b.yaml": "b: 1\n", "old.yaml": "x: 1\n"}


@pytest.fixture(params=["fake", "local", "github"])
def forge(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Forge]:
    if request.param == "fake":
        yield FakeForge(dict(FILES))
    elif request.param == "local":
        yield LocalForge(Git(repository(tmp_path / "repo", FILES), environ=ENVIRON))
    else:
        with stand_in(tmp_path, FILES) as server:
            yield GitHubForge(client(server))


def change(forge: Forge, *, attempt: int = 1, memory: int = 2, **more: object) -> Change:
    values = {
        "incident_id": "inc-abcdef-1",
        "branch": f"remediator/inc-abcdef-1-{attempt}",
        "base": forge.base(""),
        "title": "fix(a): raise memory",
        "body": "Why.",
        "message": "fix(a): raise memory\n\nIncident-Id: inc-abcdef-1\n",
        "files": {"apps/a.yaml": f"memory: {memory}\n", "old.yaml": None},
    }
    return Change.model_validate(values | more)


def test_reading_the_base(forge: Forge) -> None:
    assert forge.read(forge.base(""), "apps/a.yaml") == b"memory: 1\n"
    with pytest.raises(FileNotFoundError):
        forge.read(forge.base(""), "nowhere.yaml")


def test_publishing_opens_a_pull_request_and_leaves_the_base_alone(forge: Forge) -> None:
    made = forge.publish(change(forge))
    assert (made.branch, made.base, made.state) == ("remediator/inc-abcdef-1-1", "main", "open")
    assert made.head
    assert forge.look(made) == made
    assert forge.read(forge.base(""), "apps/a.yaml") == b"memory: 1\n"


def test_publishing_the_same_branch_twice_gives_one_pull_request(forge: Forge) -> None:
    assert forge.publish(change(forge)) == forge.publish(change(forge))


def test_a_revision_replaces_the_commit(forge: Forge) -> None:
    first = forge.publish(change(forge))
    second = forge.publish(change(forge, memory=3))
    assert second.head != first.head
    assert forge.look(first).head == second.head


def test_a_change_that_the_base_already_has_is_a_conflict(forge: Forge) -> None:
    with pytest.raises(ConflictError):
        forge.publish(change(forge, files={"apps/b.yaml": "b: 1\n"}))


def test_merging_brings_the_change_to_the_base_and_may_be_repeated(forge: Forge) -> None:
    opened = forge.publish(change(forge))
    merged = forge.merge(opened)
    assert merged.state == "merged"
    assert merged.merge_commit
    base = forge.base("")
    assert forge.read(base, "apps/a.yaml") == b"memory: 2\n"
    assert forge.read(base, "apps/b.yaml") == b"b: 1\n"
    with pytest.raises(FileNotFoundError):
        forge.read(base, "old.yaml")
    assert forge.merge(opened).merge_commit == merged.merge_commit
    assert forge.look(opened).merge_commit == merged.merge_commit


def test_closing_may_be_repeated_and_forbids_merging(forge: Forge) -> None:
    opened = forge.publish(change(forge))
    assert forge.close(opened).state == "closed"
    assert forge.look(opened).state == "closed"
    assert forge.close(opened).state == "closed"
    with pytest.raises(ConflictError):
        forge.merge(opened)


def test_a_merged_pull_request_cannot_be_closed(forge: Forge) -> None:
    opened = forge.publish(change(forge))
    forge.merge(opened)
    assert forge.close(opened).state == "merged"


def test_the_next_attempt_is_its_own_branch(forge: Forge) -> None:
    first = forge.publish(change(forge))
    forge.merge(first)
    second = forge.publish(change(forge, attempt=2, files={"apps/a.yaml": "memory: 4\n"}))
    assert second.branch != first.branch
    assert forge.look(second).state == "open"


def _publish(root: Path) -> None:
    forge = LocalForge(Git(root, environ={**ENVIRON, "GIT_COMMITTER_DATE": ""}))
    forge.publish(change(forge))


def test_twenty_processes_publishing_one_change_make_one_branch(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo", FILES)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_publish, args=(root,)) for _ in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 20
    assert git(root, "for-each-ref", "--format=%(refname)") == ("refs/heads/main\nrefs/heads/remediator/inc-abcdef-1-1")
    assert git(root, "rev-list", "--count", "main..remediator/inc-abcdef-1-1") == "1"


def test_twenty_clients_of_github_publishing_one_change_make_one_pull_request(tmp_path: Path) -> None:
    with stand_in(tmp_path, FILES) as server:
        with ThreadPoolExecutor(20) as pool:
            forges = [GitHubForge(client(server)) for _ in range(20)]
            made = list(pool.map(lambda forge: forge.publish(change(forge)), forges))
        assert len({(one.number, one.head) for one in made}) == 1
        assert len(server.world.pulls) == 1
        assert server.world.bare.run("rev-list", "--count", "main..remediator/inc-abcdef-1-1") == "1"
