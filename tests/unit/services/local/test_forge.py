"""The local forge beyond its contract: what it must not touch, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.domain.lifecycle import Base, Change
from remediator.errors import ConfigError, ConflictError, PolicyViolation, ServiceError
from remediator.services.local.forge import LocalForge
from remediator.services.local.git import Git
from remediator.services.preview.forge import Preview, PreviewFolder
from tests.git_repositories import ENVIRON, git, repository, write

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"apps/a.yaml": "memory: 1\nb: 1\nc: 1\nd: 1\n", "run.sh": "#!/bin/sh\n"}
BRANCH = "remediator/inc-abcdef-1-1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = repository(tmp_path / "repo", FILES)
    (root / "run.sh").chmod(0o755)
    (root / "link.yaml").symlink_to("apps/a.yaml")
    (root / "apps-link").symlink_to("apps")
    (root / "outside.yaml").symlink_to("/etc/passwd")
    (root / "circle.yaml").symlink_to("circle.yaml")
    git(root, "add", "-A")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendored")
    git(root, "commit", "-q", "-m", "More")
    (root / "vendored").mkdir()
    return root


def local(root: Path, **more: str) -> LocalForge:
    found = Git.find(root, ENVIRON)
    assert found
    return LocalForge(found, **more)


def change(forge: LocalForge, files: dict[str, str | None] | None = None, *, tracked: str = "") -> Change:
    return Change(
        incident_id="inc-abcdef-1",
        branch=BRANCH,
        base=forge.base(tracked),
        title="fix(a): raise memory",
        body="Why.",
        message="fix(a): raise memory\n\nIncident-Id: inc-abcdef-1\n",
        files=files or {"apps/a.yaml": "memory: 2\nb: 1\nc: 1\nd: 1\n"},
    )


def test_only_the_named_files_differ_and_modes_links_and_submodules_stay(root: Path) -> None:
    forge = local(root)
    forge.publish(change(forge, {"run.sh": "#!/bin/bash\n", "new.yaml": "n: 1\n", "apps/a.yaml": None}))
    assert git(root, "diff", "--raw", "--abbrev=4", "main", BRANCH).split("\n") == [
        f":100644 000000 {short(root, 'main:apps/a.yaml')} 0000 D\tapps/a.yaml",
        f":000000 100644 0000 {short(root, f'{BRANCH}:new.yaml')} A\tnew.yaml",
        f":100755 100755 {short(root, 'main:run.sh')} {short(root, f'{BRANCH}:run.sh')} M\trun.sh",
    ]


def short(root: Path, name: str) -> str:
    return git(root, "rev-parse", "--short=4", name)


@pytest.mark.parametrize("path", ["link.yaml", "apps-link/a.yaml"])
def test_a_link_is_followed_to_the_file(root: Path, path: str) -> None:
    forge = local(root)
    assert forge.read(forge.base(""), path) == FILES["apps/a.yaml"].encode()
    forge.publish(change(forge, {path: "memory: 3\n"}))
    assert git(root, "diff", "--name-only", "main", BRANCH) == "apps/a.yaml"
    assert git(root, "ls-tree", BRANCH, "link.yaml").startswith("120000")


@pytest.mark.parametrize(
    "path", ["outside.yaml", "circle.yaml", "vendored/x.yaml", "../x.yaml", "/etc/x", ".git/config"]
)
def test_nothing_leaves_the_repository(root: Path, path: str) -> None:
    forge = local(root)
    with pytest.raises(PolicyViolation):
        forge.publish(change(forge, {path: "x: 1\n"}))
    with pytest.raises((PolicyViolation, FileNotFoundError)):
        forge.read(forge.base(""), path)


def test_worktree_index_and_the_users_changes_stay(root: Path) -> None:
    write(root, {"apps/a.yaml": "mine: 1\n", "untracked": "u"})
    write(root, {"staged": "s"})
    git(root, "add", "staged")
    index, status = (root / ".git/index").read_bytes(), git(root, "status", "--porcelain")
    forge = local(root)
    made = forge.publish(change(forge))
    assert forge.read(forge.base(""), "apps/a.yaml") == FILES["apps/a.yaml"].encode()
    assert ((root / ".git/index").read_bytes(), git(root, "status", "--porcelain")) == (index, status)
    assert git(root, "show", f"{BRANCH}:apps/a.yaml").startswith("memory: 2")
    assert forge.close(made).state == "closed"
    assert git(root, "status", "--porcelain") == status


def test_the_author_is_the_configured_one_else_the_bot(root: Path) -> None:
    forge = local(root)
    forge.publish(change(forge))
    assert git(root, "log", "-1", "--format=%an %cn", BRANCH) == "Remediator Remediator"
    git(root, "config", "user.name", "Ann")
    git(root, "config", "user.email", "ann@example.com")
    forge = local(root)
    forge.publish(change(forge, {"apps/a.yaml": "memory: 9\n"}))
    assert git(root, "log", "-1", "--format=%an <%ae> %cn", BRANCH) == "Ann <ann@example.com> Ann"


def test_a_persons_commit_on_the_branch_stops_us(root: Path) -> None:
    forge = local(root)
    made = forge.publish(change(forge))
    git(root, "switch", "-q", BRANCH)
    git(root, "commit", "-q", "--allow-empty", "-m", "Mine")
    git(root, "switch", "-q", "main")
    with pytest.raises(ConflictError, match="commits of others"):
        forge.publish(change(forge, {"apps/a.yaml": "memory: 5\n"}))
    assert forge.close(made).state == "closed"
    assert git(root, "log", "-1", "--format=%s", BRANCH) == "Mine"


def test_a_branch_of_that_name_which_is_not_ours_is_left_alone(root: Path) -> None:
    git(root, "branch", BRANCH)
    other = git(root, "commit-tree", "-p", "main", "-m", "somebody's", "main^{tree}")
    git(root, "update-ref", f"refs/heads/{BRANCH}", other)
    forge = local(root)
    with pytest.raises(ConflictError, match="commits of others"):
        forge.publish(change(forge))


def test_a_checked_out_branch_is_not_replaced(root: Path) -> None:
    forge = local(root)
    forge.publish(change(forge))
    git(root, "switch", "-q", BRANCH)
    with pytest.raises(ConflictError, match="checked out"):
        forge.publish(change(forge, {"apps/a.yaml": "memory: 5\n"}, tracked="main"))


def test_an_outdated_commit_of_ours_is_built_anew_on_the_base(root: Path) -> None:
    forge = local(root)
    first = forge.publish(change(forge))
    write(root, {"other": "o"})
    git(root, "add", "other")
    git(root, "commit", "-q", "-m", "Move on")
    second = forge.publish(change(forge))
    assert second.head != first.head
    assert git(root, "rev-list", "--count", f"main..{BRANCH}") == "1"
    assert git(root, "show", f"{BRANCH}:other") == "o"


def test_the_base_is_the_tracked_branch_else_the_checked_out_one(root: Path) -> None:
    git(root, "branch", "prod")
    forge = local(root)
    assert forge.base("prod").branch == "prod"
    assert forge.base("HEAD") == forge.base("") == Base(branch="main", commit=git(root, "rev-parse", "main"))
    assert forge.base("v1.2").branch == "main"
    assert "`v1.2`, which is no branch" in forge.base("v1.2").note
    git(root, "update-ref", "refs/remotes/origin/stage", "main")
    assert forge.base("stage").branch == "stage"
    merged = forge.merge(forge.publish(change(forge, tracked="stage")))
    assert git(root, "rev-parse", "stage") == merged.merge_commit
    assert git(root, "log", "-1", "--format=%s", "main") == "More"


def test_a_detached_head_has_no_branch_to_propose_to(root: Path) -> None:
    git(root, "switch", "-q", "--detach")
    forge = local(root)
    assert Preview(forge, root).publish(change(forge)).base == ""
    with pytest.raises(ConfigError, match="detached"):
        forge.publish(change(forge))


def test_merging_into_the_checked_out_base_moves_the_worktree(root: Path) -> None:
    write(root, {"untracked": "u"})
    forge = local(root)
    merged = forge.merge(forge.publish(change(forge)))
    assert git(root, "rev-parse", "HEAD") == merged.merge_commit
    assert (root / "apps/a.yaml").read_text().startswith("memory: 2")
    assert git(root, "status", "--porcelain") == "?? untracked"
    assert git(root, "for-each-ref", "--format=%(refname:short)") == "main"


@pytest.mark.parametrize("staged", [False, True])
def test_a_dirty_worktree_is_refused_and_stays(root: Path, staged: bool) -> None:
    forge = local(root)
    made = forge.publish(change(forge))
    write(root, {"run.sh": "mine\n"})
    if staged:
        git(root, "add", "run.sh")
    with pytest.raises(ConfigError, match=r"uncommitted changes \(run.sh\): commit or stash"):
        forge.merge(made)
    assert (root / "run.sh").read_text() == "mine\n"
    assert forge.look(made).state == "open"


def test_an_untracked_file_in_the_way_is_not_overwritten(root: Path) -> None:
    forge = local(root)
    made = forge.publish(change(forge, {"new.yaml": "n: 1\n"}))
    write(root, {"new.yaml": "mine\n"})
    with pytest.raises(ServiceError):
        forge.merge(made)
    assert (root / "new.yaml").read_text() == "mine\n"
    assert forge.look(made).state == "open"


def test_a_base_in_another_worktree_follows_there(root: Path, tmp_path: Path) -> None:
    git(root, "switch", "-q", "-c", "work")
    git(root, "worktree", "add", "-q", str(tmp_path / "second"), "main")
    forge = local(root)
    forge.merge(forge.publish(change(forge, tracked="main")))
    assert (tmp_path / "second/apps/a.yaml").read_text().startswith("memory: 2")
    assert (root / "apps/a.yaml").read_text() == FILES["apps/a.yaml"]


def test_a_base_that_moved_on_is_merged_where_git_can_and_refused_where_not(root: Path) -> None:
    forge = local(root)
    made = forge.publish(change(forge))
    write(root, {"apps/a.yaml": FILES["apps/a.yaml"].replace("d: 1", "d: 2")})
    git(root, "commit", "-q", "-a", "-m", "Elsewhere in the file")
    merged = forge.merge(made)
    assert git(root, "show", f"{merged.merge_commit}:apps/a.yaml") == "memory: 2\nb: 1\nc: 1\nd: 2"
    again = forge.publish(change(forge, {"apps/a.yaml": "memory: 7\n"}))
    write(root, {"apps/a.yaml": "memory: 8\n"})
    git(root, "commit", "-q", "-a", "-m", "The same line")
    with pytest.raises(ConflictError, match="by hand"):
        forge.merge(again)
    assert git(root, "status", "--porcelain") == ""


def test_what_git_alone_merged_or_deleted_is_seen(root: Path) -> None:
    forge = local(root)
    made = forge.publish(change(forge))
    git(root, "merge", "-q", "--ff-only", BRANCH)
    git(root, "branch", "-q", "-D", BRANCH)
    assert (forge.look(made).state, forge.look(made).merge_commit) == ("merged", made.head)
    other = forge.publish(change(forge, {"apps/a.yaml": "memory: 7\n"}))
    git(root, "branch", "-q", "-D", BRANCH)
    assert forge.look(other).state == "closed"


def test_push_is_off_unless_asked_for_and_may_be_repeated(root: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "far.git")
    git(root, "remote", "add", "origin", str(tmp_path / "far.git"))
    forge = local(root)
    made = forge.publish(change(forge))
    forge.merge(made)
    assert git(tmp_path / "far.git", "for-each-ref") == ""
    merged = local(root, push="origin").merge(made)
    assert git(tmp_path / "far.git", "rev-parse", "main") == merged.merge_commit
    with pytest.raises(ServiceError, match="not pushed to nowhere"):
        local(root, push="nowhere").merge(made)


def test_a_gitops_root_below_the_repositorys_top(root: Path) -> None:
    forge = local(root / "apps")
    assert forge.read(forge.base(""), "a.yaml") == FILES["apps/a.yaml"].encode()
    forge.publish(change(forge, {"a.yaml": "memory: 4\n"}))
    assert git(root, "diff", "--name-only", "main", BRANCH) == "apps/a.yaml"


def test_a_branch_named_remediator_stands_in_the_way(root: Path) -> None:
    git(root, "branch", "remediator")
    forge = local(root)
    with pytest.raises(ConfigError, match="rename it"):
        forge.publish(change(forge))


def test_the_users_hooks_do_not_run(root: Path, tmp_path: Path) -> None:
    hook = root / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    forge = local(root)
    forge.merge(forge.publish(change(forge)))
    assert not (tmp_path / "ran").exists()


def test_git_of_another_repository_in_the_environment_is_ignored(root: Path, tmp_path: Path) -> None:
    other = repository(tmp_path / "other", {"x": "x"})
    environ = {**ENVIRON, "GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": str(other / ".git/index")}
    found = Git.find(root, environ)
    assert found
    assert found.top == root
    forge = LocalForge(found)
    forge.publish(change(forge))
    assert git(other, "for-each-ref", "--format=%(refname:short)") == "main"


def test_a_preview_reads_what_is_not_committed_yet(root: Path) -> None:
    write(root, {"fresh.yaml": "f: 1\n", "apps/a.yaml": "mine: 1\n"})
    preview = Preview(local(root), root)
    assert preview.read(preview.base(""), "fresh.yaml") == b"f: 1\n"
    assert preview.read(preview.base(""), "apps/a.yaml") == FILES["apps/a.yaml"].encode()


def test_no_repository_and_no_git(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    with pytest.raises(ConfigError, match="bare"):
        Git.find(tmp_path / "bare.git", ENVIRON)
    assert Git.find(tmp_path, ENVIRON) is None
    with pytest.raises(ConfigError, match="PATH"):
        Git.find(tmp_path, {**ENVIRON, "PATH": str(tmp_path)})


def test_a_plain_folder_reads_and_refuses_the_rest(tmp_path: Path) -> None:
    write(tmp_path / "folder", {"a.yaml": "a: 1\n"})
    write(tmp_path, {"secret": "s"})
    (tmp_path / "folder/out").symlink_to(tmp_path / "secret")
    folder = PreviewFolder(tmp_path / "folder")
    assert folder.read(folder.base(""), "a.yaml") == b"a: 1\n"
    for path in ("../secret", "out", "nowhere"):
        with pytest.raises(FileNotFoundError):
            folder.read(folder.base(""), path)
    with pytest.raises(ConfigError, match="--dry-run"):
        folder.publish(
            Change(incident_id="i", branch="b", base=Base(branch=""), title="", body="", message="", files={})
        )
