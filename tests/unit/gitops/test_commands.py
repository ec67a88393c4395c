"""`remediator apps` and `remediator locate`, as people and scripts call them."""

from __future__ import annotations

import argparse
import json

import pytest

from remediator.commands import apps, locate
from remediator.errors import ConfigError
from tests.unit.gitops.sources.registries import CHART, packed, serving

APP = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd}}
spec:
  source: {{repoURL: https://github.com/example/platform.git, targetRevision: {revision}, path: {path}}}
  destination: {{server: https://kubernetes.default.svc, namespace: {name}}}
"""
WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  template:\n    spec:\n      containers:\n      - {name: web, image: 'web:1'}\n      - {name: side, image: 'side:1'}\n"


@pytest.fixture
def call(repo, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    repo(
        {
            "root.yaml": APP.format(name="root", path="apps", revision="HEAD"),
            "apps/web.yaml": APP.format(name="web", path="web", revision="v1.2.3"),
            "apps/shop.yaml": APP.format(name="shop", path="web", revision="main"),
            "web/d.yaml": WEB,
        }
    )

    def run(command, *words):
        top = argparse.ArgumentParser()
        command.register(top.add_subparsers(required=True))
        name = command.__name__.rpartition(".")[2]
        args = top.parse_args([name, "--repo", str(repo.root), *words])
        code = args.handler(args)
        return code, capsys.readouterr().out

    return run


def test_the_tree_for_people(call):
    code, out = call(apps)
    assert code == 0
    assert out.splitlines()[0].startswith("root")
    assert "\n  web → web" in out


def test_where_there_are_no_applications_it_is_said(tmp_path, capsys):
    args = argparse.Namespace(repo=tmp_path, json=False)
    assert apps.run(args) == 0
    assert capsys.readouterr().out == f"no Applications found in {tmp_path}\n"


def test_the_tree_as_json(call):
    _, out = call(apps, "--json")
    found = json.loads(out)
    assert {item["name"]: item["parent"] for item in found["applications"]} == {
        "root": "",
        "web": "root",
        "shop": "root",
    }


def test_a_located_field_as_json(call):
    code, out = call(
        locate,
        "--application",
        "web",
        "--namespace",
        "web",
        "--workload",
        "Deployment/web",
        "--container",
        "side",
        "--field",
        "image",
        "--json",
    )
    found = json.loads(out)
    assert (code, found["status"], found["places"][0]["file"], found["places"][0]["document"]) == (
        0,
        "located",
        "web/d.yaml",
        0,
    )
    assert found["places"][0]["path"] == ["spec", "template", "spec", "containers", 1, "image"]
    assert found["places"][0]["value"] == "side:1"
    assert found["places"][0]["also_feeds"] == ["shop"]
    assert found["base"]["pinned"] is True


def test_a_missing_field_is_an_insertion(call):
    code, out = call(
        locate,
        "--application",
        "web",
        "--workload",
        "Deployment/web",
        "--container",
        "web",
        "--field",
        "resources.limits.memory",
        "--json",
    )
    assert (code, json.loads(out)["status"]) == (0, "insert")


def test_a_field_of_an_application(call):
    code, out = call(locate, "--application", "web", "--field", "targetRevision", "--json")
    assert (code, json.loads(out)["places"][0]["value"]) == (0, "v1.2.3")


def test_people_are_told_who_else_is_fed(call):
    code, out = call(locate, "--application", "web", "--workload", "Deployment/web", "--field", "replicas")
    assert code == 0
    assert "web/d.yaml spec.replicas = 2" in out
    assert "also feeds shop" in out


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--workload", "Deployment/nobody", "--field", "image"), "unknown"),
        (
            ("--workload", "Deployment/web", "--application", "web", "--container", "nobody", "--field", "image"),
            "unknown",
        ),
        (("--application", "nobody", "--field", "path"), "unknown"),
    ],
)
def test_what_cannot_be_told_ends_with_three(call, words, status):
    code, out = call(locate, *words, "--json")
    assert (code, json.loads(out)["status"]) == (3, status)
    assert json.loads(out)["reason"]


def test_twins_whose_field_is_one_place_are_no_ambiguity(call):
    code, out = call(locate, "--workload", "Deployment/web", "--field", "replicas", "--json")
    assert (code, json.loads(out)["status"]) == (0, "located")


def test_neither_workload_nor_application_is_the_users_mistake(call):
    with pytest.raises(ConfigError):
        call(locate, "--field", "image")


@pytest.mark.needs_tools("helm")
@pytest.mark.parametrize(("policy", "proof"), [("", "proved"), ("charts: {pull: {enabled: false}}\n", "unproved")])
def test_a_chart_is_pulled_as_the_policy_of_the_repository_says(call, repo, policy, proof):
    with serving() as registry:
        registry.serve_index(packed(CHART))
        source = f"{{repoURL: '{registry.http}', chart: front, targetRevision: 1.2.3, helm: {{valuesObject: {{replicaCount: 4}}}}}}"
        plain = "{repoURL: https://github.com/example/platform.git, targetRevision: v1, path: x}"
        text = APP.format(name="front", path="x", revision="v1").replace(plain, source)
        repo({"apps/front.yaml": text, ".github/remediator.yml": policy})
        code, out = call(
            locate, "--application", "front", "--workload", "Deployment/front", "--field", "replicas", "--json"
        )
    answer = json.loads(out)
    assert (code, [place["proof"] for place in answer["places"]]) == (0, [proof])
    assert ("charts.pull.enabled is false" in answer["reason"]) == bool(policy)
