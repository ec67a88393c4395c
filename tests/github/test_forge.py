"""The forge on GitHub beyond the contract: what it finds, what it survives, what it leaves alone, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.domain.lifecycle import Change
from remediator.errors import ConfigError, ConflictError, PolicyViolation
from remediator.services.github.forge import GitHubForge
from remediator.services.github.opening import PullRequestRequest
from tests.git_repositories import git
from tests.github.server import Server, ServerFault
from tests.github.stand_in import client, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BRANCH = "remediator/inc-abcdef-1-1"
FILES = {"apps/a.yaml": "memory: 1\n", "apps/b.yaml": "b: 1\n", ".github/CODEOWNERS": "* @ada\n"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with stand_in(tmp_path, FILES) as one:
        yield one


def forge(server: Server, **wanted: object) -> GitHubForge:
    return GitHubForge(client(server), PullRequestRequest.model_validate(wanted))


def change(one: GitHubForge, memory: int = 2, **more: object) -> Change:
    values = {
        "incident_id": "inc-abcdef-1",
        "branch": BRANCH,
        "base": more.get("base") or one.base(""),
        "title": "fix(a): raise memory",
        "body": "Why.",
        "message": "fix(a): raise memory\n\nIncident-Id: inc-abcdef-1\n",
        "files": {"apps/a.yaml": f"memory: {memory}\n"},
    }
    return Change.model_validate(values | more)


def test_opening_costs_nine_requests_with_labels_and_owners(server: Server) -> None:
    one = forge(server)
    base = one.base("")
    one.read(base, "apps/a.yaml")
    made = one.publish(change(one, base=base))
    assert len(server.journal) == 9, server.journal
    pull = server.world.pulls[made.number]
    assert (pull.labels, pull.reviewers, pull.draft) == (["remediator"], ["ada"], False)
    assert made.url.endswith(f"/pull/{made.number}")


@pytest.mark.parametrize("kind", ["after", "drop", "before"])
@pytest.mark.parametrize("call", ["POST .*/git/trees", "POST .*/git/commits", "POST .*/git/refs", "POST .*/pulls"])
def test_whatever_answer_is_lost_there_is_one_pull_request(server: Server, call: str, kind: str) -> None:
    server.faults = [ServerFault(call, kind)]
    made = forge(server).publish(change(forge(server)))
    assert list(server.world.pulls) == [made.number]
    assert server.world.bare.run("rev-list", "--count", f"main..{BRANCH}") == "1"


@pytest.mark.parametrize("call", ["POST .*/git/refs", "POST .*/pulls", "POST .*/labels"])
def test_what_a_crashed_run_left_is_adopted_and_finished(server: Server, call: str) -> None:
    server.faults = [ServerFault(call, "401", times=9)]
    with pytest.raises(ConfigError):
        forge(server).publish(change(forge(server)))
    server.faults = []
    made = forge(server).publish(change(forge(server)))
    assert list(server.world.pulls) == [made.number]
    assert (server.world.pulls[made.number].labels, server.world.pulls[made.number].reviewers) == (
        ["remediator"],
        ["ada"],
    )


@pytest.mark.parametrize("kind", ["after", "drop", "before"])
def test_a_revision_replaces_the_commit_and_the_words(server: Server, kind: str) -> None:
    one = forge(server)
    first = one.publish(change(one))
    server.faults = [ServerFault("GRAPHQL Revise", kind)]
    second = one.publish(change(one, 3, title="fix(a): raise more"))
    assert (second.number, second.head != first.head) == (first.number, True)
    assert server.world.pulls[first.number].title == "fix(a): raise more"
    assert server.world.bare.run("rev-list", "--count", f"main..{BRANCH}") == "1"


@pytest.mark.parametrize("open_", [True, False])
def test_a_persons_commit_stops_updates(server: Server, open_: bool) -> None:
    one = forge(server)
    made = one.publish(change(one))
    mine = server.world.commit_files(BRANCH, {"apps/b.yaml": "b: 2\n"}, "Mine")
    if not open_:
        del server.world.pulls[made.number]
    with pytest.raises(ConflictError, match=r"commits of others.*by ada"):
        one.publish(change(one, 3))
    assert server.world.branch(BRANCH) == mine


def test_a_person_who_commits_in_the_middle_of_a_revision_keeps_the_branch(server: Server) -> None:
    one = forge(server)
    one.publish(change(one))
    plain = one._commit

    def commit(tree: str, wanted: Change) -> str:
        if server.world.branch(BRANCH) == server.world.pulls[101].sha and not server.world.pulls[101].comments:
            server.world.commit_files(BRANCH, {"apps/b.yaml": "b: 2\n"}, "Mine")
            server.world.comment(101, "ada", "pushed")
        return plain(tree, wanted)

    one._commit = commit  # type: ignore[method-assign]
    with pytest.raises(ConflictError, match="commits of others"):
        one.publish(change(one, 3))
    assert server.world.bare.run("log", "-1", "--format=%s", BRANCH) == "Mine"


def test_nothing_is_pushed_into_the_merge_queue(server: Server) -> None:
    one = forge(server)
    made = one.publish(change(one))
    server.world.pulls[made.number].queued = True
    with pytest.raises(ConflictError, match="merge queue"):
        one.publish(change(one, 3))
    assert server.world.branch(BRANCH) == made.head


def test_a_moved_base_is_built_upon_anew(server: Server) -> None:
    one = forge(server)
    first = one.publish(change(one))
    server.world.commit_files("main", {"apps/b.yaml": "b: 2\n"}, "Unrelated")
    second = one.publish(change(one))
    assert second.number == first.number
    assert server.world.bare.run("rev-parse", f"{BRANCH}^") == server.world.branch("main")
    assert server.world.bare.run("show", f"{BRANCH}:apps/b.yaml") == "b: 2"


@pytest.mark.parametrize("delete", [True, False])
def test_what_a_person_declined_meanwhile_is_not_opened_again(server: Server, delete: bool) -> None:
    one = forge(server)
    made = one.publish(change(one))
    server.world.close(made.number, "ada")
    if delete:
        server.world.delete(BRANCH)
    assert forge(server).publish(change(one)).state == "closed"
    assert list(server.world.pulls) == [made.number]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_merge_of_each_kind_is_found(server: Server, method: str) -> None:
    one = forge(server)
    made = one.publish(change(one))
    oid = server.world.merge(made.number, "ada", method=method)
    del server.journal[:]
    merged = forge(server).merge(made)
    assert (merged.state, merged.merge_commit) == ("merged", oid)
    assert server.world.branch(BRANCH) == ""
    assert len(server.journal) == 2, server.journal


def test_a_repository_that_only_squashes_is_merged_by_squash(server: Server) -> None:
    server.world.methods = ("squash",)
    one = forge(server)
    merged = one.merge(one.publish(change(one)), message="Approve")
    assert merged.merge_commit == server.world.branch("main")
    assert server.world.bare.run("log", "-1", "--format=%s", "main") == "Approve"


def test_a_branch_that_a_person_added_to_survives_the_close(server: Server) -> None:
    one = forge(server)
    made = one.publish(change(one))
    mine = server.world.commit_files(BRANCH, {"apps/b.yaml": "b: 2\n"}, "Mine")
    assert one.close(made).state == "closed"
    assert server.world.branch(BRANCH) == mine


def test_workflows_that_may_not_open_pull_requests_are_told_which_setting(server: Server) -> None:
    server.world.may_open = False
    with pytest.raises(ConfigError, match="Allow GitHub Actions to create"):
        forge(server).publish(change(forge(server)))
    assert server.world.branch(BRANCH) == ""


def test_a_rule_that_forbids_the_branch_is_said(server: Server) -> None:
    server.world.frozen = [BRANCH]
    with pytest.raises(ConfigError, match=r"exempt `remediator/\*\*`"):
        forge(server).publish(change(forge(server)))


def test_one_reviewer_who_cannot_be_asked_does_not_cost_the_others(server: Server) -> None:
    one = forge(server, reviewers=["nobody", "bob"], team_reviewers=["ops"], assignees=["ada"], labels=["x", "y"])
    made = server.world.pulls[one.publish(change(one)).number]
    assert (made.reviewers, made.teams, made.assignees, made.labels) == (["bob", "ada"], [], ["ada"], ["x", "y"])


@pytest.mark.parametrize(
    ("urgent", "drafts", "is_draft"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_drafts(server: Server, urgent: bool, drafts: bool, is_draft: bool) -> None:
    server.world.drafts = drafts
    one = forge(server, draft=True)
    assert server.world.pulls[one.publish(change(one, urgent=urgent)).number].draft is is_draft


@pytest.mark.parametrize(
    ("fields", "labels"),
    [
        ({"draft": True, "by_model": True}, ["remediator", "model-proposed"]),
        ({"draft": True}, ["remediator"]),
        ({}, ["remediator"]),
    ],
    ids=["a model's alone", "rules and model disagree", "confirmed"],
)
def test_only_an_unconfirmed_change_of_a_model_has_its_label(
    server: Server, fields: dict[str, bool], labels: list[str]
) -> None:
    one = forge(server)
    made = server.world.pulls[one.publish(change(one, **fields)).number]
    assert (made.labels, made.draft) == (labels, bool(fields))


def test_the_repositorys_own_template_is_kept(server: Server) -> None:
    server.world.templates = {"pull_request_template.md": "- [ ] Checked\n"}
    one = forge(server)
    assert server.world.pulls[one.publish(change(one)).number].body == "Why.\n\n- [ ] Checked\n"


def test_the_branch_that_an_application_follows_is_the_base(server: Server) -> None:
    server.world.create("prod", server.world.branch("main"))
    one = forge(server)
    assert one.base("prod").branch == "prod"
    lost = one.base("v1.2")
    assert (lost.branch, "v1.2" in lost.note) == ("main", True)


def test_links_and_modes_are_kept_and_nothing_leaves_the_checkout(server: Server, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(server.world.bare.path), str(clone))
    (clone / "link").symlink_to("apps")
    (clone / "out").symlink_to("/etc")
    (clone / "run.sh").write_text("x\n")
    (clone / "run.sh").chmod(0o755)
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "Links")
    git(clone, "push", "-q", "origin", "main")
    one = forge(server)
    assert one.read(one.base(""), "link/a.yaml") == b"memory: 1\n"
    one.publish(change(one, files={"link/a.yaml": "memory: 5\r\n", "run.sh": "y\n"}))
    assert server.world.bare.run("show", f"{BRANCH}:apps/a.yaml") == "memory: 5\r"
    assert server.world.bare.run("ls-tree", BRANCH, "run.sh").startswith("100755")
    for path in ("out/passwd", "../x", "/etc/passwd", ".git/config"):
        with pytest.raises((FileNotFoundError, PolicyViolation)):
            one.read(one.base(""), path)
        with pytest.raises(PolicyViolation):
            one.publish(change(one, files={path: "x"}))
