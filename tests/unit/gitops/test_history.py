from __future__ import annotations

import subprocess

import pytest

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING
from remediator.gitops import history

PLACE = Place(file="d.yaml", path=("spec", "replicas"))


def text(replicas: object, image: str = "web:1") -> str:
    return f"kind: Deployment\nspec:\n  replicas: {replicas}\n  image: {image}\n"


def test_the_commits_that_changed_the_value_newest_first(repo):
    repo({"d.yaml": text(1)}).commit("Add web", when="2026-01-01T10:00:00Z")
    repo({"d.yaml": text(1, "web:2")}).commit("Bump image", when="2026-01-02T10:00:00Z")
    last = repo({"d.yaml": text(5, "web:2")}).commit("Scale web", when="2026-01-03T10:00:00Z")
    found = history.changes(repo.root, PLACE)
    assert found.complete
    assert [(item.subject, item.old, item.new) for item in found.changes] == [
        ("Scale web", 1, 5),
        ("Add web", MISSING, 1),
    ]
    newest = found.changes[0]
    assert (newest.commit, newest.author, newest.when) == (last, "ops", "2026-01-03T10:00:00Z".replace("Z", "+00:00"))


def test_renames_are_followed(repo):
    body = text(1) + "".join(f"x{number}: {number}\n" for number in range(40))
    repo({"old/w.yaml": body}).commit("Add")
    repo.git("mv", "old/w.yaml", "d.yaml")
    repo.commit("Move")
    repo({"d.yaml": body.replace("replicas: 1", "replicas: 2")}).commit("Scale")
    found = history.changes(repo.root, PLACE)
    assert [(item.subject, item.file) for item in found.changes] == [("Scale", "d.yaml"), ("Add", "old/w.yaml")]


def test_values_inside_a_string(repo):
    repo({"a.yaml": "values: |\n  a:\n    b: 1\n"}).commit("Add")
    repo({"a.yaml": "values: |\n  a:\n    b: 2\n"}).commit("Change")
    found = history.changes(repo.root, Place(file="a.yaml", path=("values",), inside=("a", "b")))
    assert [(item.old, item.new) for item in found.changes] == [(1, 2), (MISSING, 1)]


def test_a_shallow_clone_gives_no_wrong_answer(repo, tmp_path):
    repo({"d.yaml": text(1)}).commit("Add")
    repo({"d.yaml": text(2)}).commit("Scale")
    repo({"d.yaml": text(2, "x")}).commit("Image")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{repo.root}", str(clone)], check=True, capture_output=True
    )
    found = history.changes(clone, PLACE)
    assert (found.complete, found.changes) == (False, ())
    assert "shallow" in found.why


@pytest.mark.parametrize(
    "prepare", [lambda repo: None, lambda repo: repo.git("init", "-q")], ids=["no-git", "no-commit"]
)
def test_no_history_is_said(repo, prepare):
    repo({"d.yaml": text(1)})
    prepare(repo)
    found = history.changes(repo.root, PLACE)
    assert (found.complete, found.changes) == (False, ())
    assert found.why
    assert history.recent(repo.root) == ()
    assert history.file_at(repo.root, "HEAD", "d.yaml") is None


def test_a_part_of_a_repository_has_its_own_names(repo):
    repo({"part/d.yaml": text(1), "x.yaml": "a: 1\n"}).commit("Add")
    repo({"part/d.yaml": text(2)}).commit("Scale")
    found = history.changes(repo.root / "part", PLACE)
    assert [(item.old, item.new) for item in found.changes] == [(1, 2), (MISSING, 1)]
    assert history.file_at(repo.root / "part", "HEAD~1", "d.yaml") == text(1).encode()
    assert history.recent(repo.root / "part")[0].files == ("d.yaml",)


def test_what_touched_files_before_a_time(repo):
    repo({"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"}).commit("Both", when="2026-01-01T00:00:00Z")
    repo({"b.yaml": "b: 2\n"}).commit("B", when="2026-01-02T00:00:00Z")
    repo({"a.yaml": "a: 2\n"}).commit("A", when="2026-01-03T00:00:00Z")
    assert [item.subject for item in history.commits_touching(repo.root, ["a.yaml"]).commits] == ["A", "Both"]
    assert [item.subject for item in history.recent(repo.root, until="2026-01-02T12:00:00Z")] == ["B", "Both"]
    assert history.recent(repo.root, limit=1)[0].files == ("a.yaml",)


def test_merged_branches_count_once_at_their_merge(repo):
    repo({"d.yaml": text(1)}).commit("Add", when="2026-01-01T00:00:00Z")
    repo.git("checkout", "-q", "-b", "side")
    repo({"d.yaml": text(4)}).commit("Scale on a branch", when="2026-01-02T00:00:00Z")
    repo.git("checkout", "-q", "main")
    repo({"other": "x"}).commit("Other", when="2026-01-03T00:00:00Z")
    repo.git("merge", "-q", "--no-ff", "side", "-m", "Merge side", when="2026-01-04T00:00:00Z")
    assert [(item.subject, item.old, item.new) for item in history.changes(repo.root, PLACE).changes] == [
        ("Merge side", 1, 4),
        ("Add", MISSING, 1),
    ]


def test_strange_names_and_subjects_are_data(repo):
    name = "odd \n name.yaml"
    repo({name: text(1), "-x.yaml": text(1), "d.yaml": text(1)}).commit("Add --all; $(touch x)\x1f")
    assert history.changes(repo.root, Place(file="-x.yaml", path=("spec", "replicas"))).changes[0].new == 1
    assert history.changes(repo.root, Place(file=name, path=("spec", "replicas"))).changes == ()
    assert history.file_at(repo.root, "--help", "d.yaml") is None
    assert not (repo.root / "x").exists()


def test_hooks_and_external_programs_do_not_run(repo):
    repo({"d.yaml": text(1)}).commit("Add")
    marker = repo.root / "ran"
    repo.git("config", "core.fsmonitor", f"touch {marker}")
    repo.git("config", "diff.external", f"touch {marker}")
    repo({"d.yaml": text(2), ".gitattributes": "*.yaml diff=x\n"}).commit("Change")
    marker.unlink(missing_ok=True)
    history.changes(repo.root, PLACE)
    history.recent(repo.root)
    assert not marker.exists()
