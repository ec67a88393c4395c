"""The stand-in itself: GitHub's manners, judged by GitHub's own descriptions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.github.api_descriptions import Lie, openapi
from tests.github.hub_state import Artifact
from tests.github.server import Server, ServerFault
from tests.github.stand_in import stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with stand_in(tmp_path, {"a.yaml": "a: 1\n", "apps/b.yaml": "b: 1\n"}) as one:
        yield one


def call(server: Server, method: str, path: str, body: Any = None, token: str = "bot-token", **more: Any) -> Any:
    url = path if path.startswith("http") else f"{server.url}/repos/acme/gitops{path}"
    return requests.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=60, **more)


def commit(server: Server, text: str, parent: str) -> str:
    tree = {"base_tree": parent, "tree": [{"path": "a.yaml", "mode": "100644", "type": "blob", "content": text}]}
    sha = call(server, "POST", "/git/trees", tree).json()["sha"]
    made = call(server, "POST", "/git/commits", {"message": "m", "tree": sha, "parents": [parent]})
    assert made.status_code == 201, made.text
    return str(made.json()["sha"])


def test_a_ref_moves_forward_only_unless_forced(server: Server) -> None:
    tip = server.world.branch("main")
    first, second = commit(server, "a: 2\n", tip), commit(server, "a: 3\n", tip)
    assert call(server, "POST", "/git/refs", {"ref": "refs/heads/x", "sha": first}).status_code == 201
    again = call(server, "POST", "/git/refs", {"ref": "refs/heads/x", "sha": first})
    assert (again.status_code, again.json()["message"]) == (422, "Reference already exists")
    moved = call(server, "PATCH", "/git/refs/heads/x", {"sha": second, "force": False})
    assert (moved.status_code, moved.json()["message"]) == (422, "Update is not a fast forward")
    assert call(server, "PATCH", "/git/refs/heads/x", {"sha": second, "force": True}).status_code == 200
    assert server.world.branch("x") == second


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_the_life_of_a_pull_request(server: Server, method: str) -> None:
    tip = server.world.branch("main")
    head = commit(server, "a: 2\n", tip)
    call(server, "POST", "/git/refs", {"ref": "refs/heads/x", "sha": head})
    wanted = {"title": "t", "head": "x", "base": "main", "body": "b"}
    made = call(server, "POST", "/pulls", wanted)
    assert made.status_code == 201, made.text
    number = made.json()["number"]
    twice = call(server, "POST", "/pulls", wanted)
    assert twice.status_code == 422
    assert "already exists for acme:x" in twice.json()["errors"][0]["message"]
    assert [p["number"] for p in call(server, "GET", "/pulls", params={"head": "acme:x"}).json()] == [number]
    assert call(server, "POST", f"/issues/{number}/labels", {"labels": ["l"]}).json()[0]["name"] == "l"
    assert call(server, "POST", f"/pulls/{number}/requested_reviewers", {"reviewers": ["eve"]}).status_code == 422
    assert call(server, "POST", f"/pulls/{number}/requested_reviewers", {"reviewers": ["ada"]}).status_code == 201
    assert call(server, "POST", f"/issues/{number}/assignees", {"assignees": ["ada"]}).status_code == 201
    note = call(server, "POST", f"/issues/{number}/comments", {"body": "hello"}).json()["id"]
    assert call(server, "PATCH", f"/issues/comments/{note}", {"body": "edited"}).json()["body"] == "edited"
    assert call(server, "POST", f"/issues/comments/{note}/reactions", {"content": "eyes"}).status_code == 201
    assert call(server, "POST", f"/issues/comments/{note}/reactions", {"content": "eyes"}).status_code == 200
    stale = call(server, "PUT", f"/pulls/{number}/merge", {"sha": tip})
    assert stale.status_code == 409
    merged = call(server, "PUT", f"/pulls/{number}/merge", {"sha": head, "merge_method": method}, "ada-token")
    assert merged.status_code == 200, merged.text
    now = call(server, "GET", f"/pulls/{number}").json()
    assert (now["merged"], now["merge_commit_sha"]) == (True, server.world.branch("main"))
    assert now["merged_by"]["login"] == "ada"
    assert call(server, "GET", "/contents/a.yaml", params={"ref": "main"}).json()["encoding"] == "base64"
    compared = call(server, "GET", f"/compare/{tip}...main").json()
    assert (compared["status"], compared["ahead_by"]) == ("ahead", 2 if method == "merge" else 1)


def test_reading_what_there_is(server: Server) -> None:
    tip = server.world.branch("main")
    assert call(server, "GET", "").json()["default_branch"] == "main"
    assert call(server, "GET", "/branches/main").json()["commit"]["sha"] == tip
    assert call(server, "GET", "/git/ref/heads/none").status_code == 404
    paths = call(server, "GET", f"/git/trees/{tip}", params={"recursive": "1"}).json()["tree"]
    assert {row["path"] for row in paths} == {"a.yaml", "apps", "apps/b.yaml"}
    assert call(server, "GET", "/collaborators/ada/permission").json()["permission"] == "write"
    assert call(server, "GET", "/actions/variables/OFF").status_code == 404
    assert call(server, "GET", f"{server.url}/rate_limit").status_code == 200
    assert call(server, "GET", "", token="nobody").status_code == 401


def test_an_artifact_is_fetched_from_elsewhere(server: Server) -> None:
    server.world.artifacts = [Artifact(7, "log", 1, b"PK"), Artifact(8, "old", 1, b"", expired=True)]
    listed = call(server, "GET", "/actions/runs/1/artifacts", params={"name": "log"}).json()
    assert [one["id"] for one in listed["artifacts"]] == [7]
    answer = call(server, "GET", "/actions/artifacts/7/zip", allow_redirects=False)
    assert answer.status_code == 302
    assert "/storage/7" in answer.headers["Location"]
    assert call(server, "GET", "/actions/artifacts/8/zip").status_code == 410


def test_faults_come_before_or_after_the_effect(server: Server) -> None:
    tip = server.world.branch("main")
    wanted = {"ref": "refs/heads/x", "sha": tip}
    server.faults = [
        ServerFault(".*git/refs", "before"),
        ServerFault(".*git/refs", "after"),
        ServerFault(".*git/refs", "secondary", retry_after="3"),
    ]
    assert call(server, "POST", "/git/refs", wanted).status_code == 502
    assert server.world.branch("x") == ""
    assert call(server, "POST", "/git/refs", wanted).status_code == 502
    assert server.world.branch("x") == tip
    limited = call(server, "POST", "/git/refs", wanted)
    assert (limited.status_code, limited.headers["Retry-After"]) == (403, "3")
    server.faults = [ServerFault(".*git/refs", "drop")]
    with pytest.raises(requests.ConnectionError):
        call(server, "POST", "/git/refs", {**wanted, "ref": "refs/heads/y"})
    assert server.world.branch("y") == tip


def test_the_judge_refuses_what_github_would_not_understand(server: Server) -> None:
    judge = openapi()
    with pytest.raises(Lie, match="has no"):
        judge.operation("GET", "/repos/a/b/nonsense")
    with pytest.raises(Lie, match="required"):
        judge.check_request("POST", "/repos/a/b/git/refs", {}, {"ref": "refs/heads/x"})
    with pytest.raises(Lie, match="nobody reads"):
        judge.check_request("POST", "/repos/a/b/git/refs", {}, {"ref": "refs/heads/x", "sha": "1" * 40, "forc": True})
    with pytest.raises(Lie, match="no parameter"):
        judge.check_request("GET", "/repos/a/b/pulls", {"stat": "all"}, None)
    with pytest.raises(Lie, match="never answers"):
        judge.check_answer("GET", "/repos/a/b/pulls", 418, None)
    with pytest.raises(Lie, match="not of type"):
        judge.check_answer(
            "GET", "/repos/a/b/collaborators/x/permission", 200, {"permission": 1, "role_name": "", "user": None}
        )


def test_graphql_commits_by_compare_and_swap_once(server: Server) -> None:
    server.world.create("state", server.world.branch("main"))
    tip, done = server.world.branch("main"), []
    query = "mutation Commit($i: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $i) { commit { oid } } }"

    def write(number: int) -> None:
        change = {"additions": [{"path": f"{number}", "contents": "eA=="}]}
        branch = {"repositoryNameWithOwner": "acme/gitops", "branchName": "state"}
        wanted = {"branch": branch, "message": {"headline": "m"}, "expectedHeadOid": tip, "fileChanges": change}
        done.append(call(server, "POST", f"{server.url}/graphql", {"query": query, "variables": {"i": wanted}}).json())

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(1 for one in done if "errors" not in one) == 1
    assert {one["errors"][0]["type"] for one in done if "errors" in one} == {"STALE_DATA"}
