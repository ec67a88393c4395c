"""A checkout is untrusted: what it does ends in a report, not in harm."""

from __future__ import annotations

import os

import pytest

from remediator.errors import ConfigError
from remediator.gitops import Repository, Tools

APP = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd}}
spec:
  source: {{repoURL: https://github.com/example/platform.git, path: {path}}}
  destination: {{server: https://kubernetes.default.svc, namespace: x}}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"


def app(name: str, path: str) -> str:
    return APP.format(name=name, path=path)


def kinds(problems) -> set[str]:
    return {item.kind for item in problems}


def test_links_out_of_the_checkout_are_not_followed(repo, tmp_path, tools):
    secret = tmp_path / "secret.yaml"
    secret.write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: stolen}\n")
    repo(
        {
            "a.yaml": app("web", "web"),
            "web/s.yaml": SERVICE,
            "c.yaml": app("chart", "chart"),
            "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
            "chart/templates/s.yaml": SERVICE,
            "k.yaml": app("k", "k"),
            "k/kustomization.yaml": "resources: [link.yaml]\n",
        }
    )
    for name in ("web/link.yaml", "chart/templates/link.yaml", "k/link.yaml"):
        (repo.root / name).symlink_to(secret)
    (repo.root / "web" / "directory").symlink_to(tmp_path)
    (repo.root / "web" / "loop").symlink_to("..")
    opened = repo.open(tools)
    found = [item for application in opened.applications for item in opened.objects(application)]
    assert {item.name for item in found} == {"web"}
    assert kinds(opened.problems) == {"symlink"}
    with pytest.raises(ConfigError):
        opened.read("web/link.yaml")


def test_links_within_the_checkout_are_followed(repo):
    repo({"a.yaml": app("web", "alias"), "web/s.yaml": SERVICE})
    (repo.root / "alias").symlink_to("web")
    opened = repo.open()
    assert [item.name for item in opened.objects(opened.applications[0])] == ["web"]


@pytest.mark.parametrize("path", ["../outside", "/../../etc", "web/../../etc"])
def test_paths_cannot_leave_the_checkout(repo, path):
    opened = repo({"a.yaml": app("web", path), "b.yaml": app("ok", "web"), "web/s.yaml": SERVICE}).open()
    assert kinds(opened.problems_of(opened.application("web"))) == {"missing-path"}
    with pytest.raises(ConfigError):
        opened.read(path + "/passwd")


def test_large_files_are_said_and_not_read(repo):
    repo({"a.yaml": app("web", "web"), "web/s.yaml": SERVICE})
    with (repo.root / "web" / "big.yaml").open("wb") as out:
        out.truncate(1 << 40)  # without holding a byte on the disk; no memory could take it
    opened = repo.open()
    assert [item.name for item in opened.objects(opened.applications[0])] == ["web"]
    assert kinds(opened.problems) == {"too-large"}


def test_bombs_and_deep_nesting_are_problems_of_their_file(repo):
    bomb = "kind: Application\nx: argoproj.io/\na0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
    )
    opened = repo(
        {"a.yaml": app("web", "web"), "web/s.yaml": SERVICE, "web/bomb.yaml": bomb, "web/deep.yaml": "[" * 100_000}
    ).open()
    assert [item.name for item in opened.objects(opened.applications[0])] == ["web"]
    assert {item.file for item in opened.problems_of(opened.applications[0])} == {"web/bomb.yaml", "web/deep.yaml"}


def test_names_with_newlines_and_bytes_are_told_on_one_line(repo):
    repo({"a\nb.yaml": app("web", "'no\nwhere'"), "web/s.yaml": SERVICE})
    (repo.root / os.fsdecode(b"\xff.yaml")).write_text(app("odd", "web"))
    opened = repo.open()
    assert {item.name for item in opened.applications} == {"web", "odd"}
    assert all("\n" not in item.message for item in opened.problems_of(opened.application("web")))


def test_a_fifo_does_not_block(repo):
    repo({"a.yaml": app("web", "web"), "web/s.yaml": SERVICE})
    os.mkfifo(repo.root / "web" / "pipe.yaml")
    opened = repo.open()
    assert [item.name for item in opened.objects(opened.applications[0])] == ["web"]


def test_a_set_with_millions_of_results_is_refused(repo):
    elements = "".join(f"\n          - {{n: '{number}'}}" for number in range(300))
    generators = "".join(f"\n      - list:\n          elements:{elements.replace('n:', key + ':')}" for key in "ab")
    text = f"apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {{name: s}}\nspec:\n  goTemplate: true\n  generators:\n  - matrix:\n      generators:{generators}\n  template:\n    metadata: {{name: '{{{{.a}}}}-{{{{.b}}}}'}}\n    spec: {{source: {{repoURL: https://x/y, path: web}}, destination: {{}}}}\n"
    opened = repo({"s.yaml": text, "web/s.yaml": SERVICE}).open()
    assert opened.applications == ()
    assert ["more than" in item.message for item in opened.problems] == [True]


def test_a_chart_that_renders_itself_ends(repo, tools):
    files = {
        "a.yaml": app("a", "c"),
        "c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "c/templates/a.yaml": app("'{{ .Release.Name }}x'", "c"),
    }
    opened = repo(files).open(tools)
    assert "cycle" in kinds(opened.problems)


def test_kustomizations_that_include_each_other_end(repo, tools):
    files = {
        "a.yaml": app("a", "k"),
        "k/kustomization.yaml": "resources: [../l]\n",
        "l/kustomization.yaml": "resources: [../k]\n",
    }
    opened = repo(files).open(tools)
    assert "cycle" in kinds(opened.problems_of(opened.applications[0]))


def test_broken_texts_say_file_and_line(repo):
    opened = repo(
        {
            "a.yaml": app("web", "web"),
            "bad.yaml": app("bad", "web") + "\tx: 1\n",
            "web/s.yaml": SERVICE,
            "web/b.yaml": "a: 1\nb: ]\n",
        }
    ).open()
    assert [(item.kind, item.file, item.line > 0) for item in opened.problems] == [("parse", "bad.yaml", True)]
    assert [(item.file, item.line) for item in opened.problems_of(opened.application("web"))] == [("web/b.yaml", 2)]


def test_a_missing_directory_is_the_users_mistake(tmp_path):
    with pytest.raises(ConfigError, match="not a directory"):
        Repository.open(tmp_path / "nowhere", tools=Tools.none())


def test_tools_see_no_secrets_and_no_network(helm):
    from pathlib import Path

    from remediator.gitops.sources.tools import _environment

    environment = _environment(Path("/tmp/home"))
    assert environment["HTTPS_PROXY"].startswith("http://127.0.0.1")
    assert not {name for name in environment if "TOKEN" in name or "KEY" in name}
    assert environment["HOME"] == "/tmp/home"
