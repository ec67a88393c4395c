"""A sweep: every open incident looked at, few requests, one commit, and none held up by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.cli import main
from remediator.commands.sweep import sweep
from remediator.errors import ServiceError
from tests.git_repositories import git
from tests.servers.http_server import serve
from tests.servers.many_incidents import Servers, repository_with, services

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 12


def commits(root: Path) -> int:
    return int(git(root, "rev-list", "--count", "remediator-state"))


def test_one_commit_and_at_most_four_requests_each(tmp_path: Path) -> None:
    root, commit = repository_with(tmp_path, COUNT)
    before = commits(root)
    with serve(Servers(commit, 0.0, sick=frozenset({3}))) as server:
        swept = sweep(services(root, server.url))
        assert len(server.asked) <= 4 * COUNT
    assert commits(root) == before + 1
    assert len(swept) == COUNT
    results = {one.record.incident_id: one.result.state for one in swept if one.result}
    assert {state["verification_status"] for state in results.values()} == {"pending"}
    (sick,) = [state for state in results.values() if "not ready" in state["recovery_result"]]
    assert sick["affected_apps"] == ["app-3"]
    well = [state["recovery_result"] for state in results.values() if state is not sick]
    assert all("to be seen unchanged at" in said for said in well)


def test_the_second_look_ends_what_has_settled(tmp_path: Path, monkeypatch) -> None:
    root, commit = repository_with(tmp_path, 3)
    with serve(Servers(commit, 0.0)) as server:
        sweep(services(root, server.url))
        found = services(root, server.url)
        monkeypatch.setattr("remediator.wiring.duration", lambda text: __import__("datetime").timedelta(0))
        swept = sweep(found)
    assert {one.result.state["workflow_status"] for one in swept if one.result} == {"resolved"}
    assert sweep(services(root, server.url)) == []


def test_one_that_fails_holds_up_no_other(tmp_path: Path, monkeypatch) -> None:
    root, commit = repository_with(tmp_path, 3)
    with serve(Servers(commit, 0.0)) as server:
        found = services(root, server.url)
        bad = found.driver.records()[1].incident_id
        real = type(found.driver).resume

        def resume(self, incident_id, review):
            if incident_id == bad:
                raise ServiceError("GitHub answers 502", retryable=True)
            return real(self, incident_id, review)

        monkeypatch.setattr(type(found.driver), "resume", resume)
        swept = sweep(found)
    assert [result.message for result in swept if result.code] == ["GitHub answers 502"]
    assert sum(1 for one in swept if one.result) == 2


def test_verify_looks_again_while_the_policy_has_patience(tmp_path: Path, monkeypatch, capsys) -> None:
    root, commit = repository_with(tmp_path, 1)
    (root / ".github").mkdir()
    (root / ".github/remediator.yml").write_text("verification: {settle: 1s, patience: 20s}\n")
    with serve(Servers(commit, 0.0)) as server:
        for name, text in services(root, server.url).settings.environ.items():
            monkeypatch.setenv(name, text)
        incident = services(root, server.url).records()[0].incident_id
        assert main(["verify", incident, "--repo", str(root)]) == 0
        looks = sum(asked.path.endswith("/pods") for asked in server.asked)
    assert "resolved" in capsys.readouterr().out
    assert looks > 1


def test_what_the_caps_leave_no_room_for_is_told_as_it_was(tmp_path: Path) -> None:
    root, commit = repository_with(tmp_path, 2, admitted=1)
    (root / ".github").mkdir()
    (root / ".github/remediator.yml").write_text("guardrails: {max_open_pull_requests: 0}\n")
    with serve(Servers(commit, 0.0)) as server:
        said = [result.message for result in sweep(services(root, server.url))]
    assert len(said) == 2
    assert [one for one in said if one.startswith("queued: 1 pull requests were opened in this run")]
