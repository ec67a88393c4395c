"""What a change does: rendered differences, and what it newly breaks."""

from __future__ import annotations

import pytest

from remediator.domain.yaml_paths import MISSING

APP = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd}}
spec:
  source:
    repoURL: https://github.com/example/platform.git
    path: {path}
  destination: {{server: https://kubernetes.default.svc, namespace: {name}}}
"""
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: example.com/web:1
"""


@pytest.fixture
def opened(repo):
    files = {
        "a.yaml": APP.format(name="web", path="web"),
        "b.yaml": APP.format(name="k", path="k"),
        "web/d.yaml": WEB,
        "k/kustomization.yaml": "resources: [d.yaml]\n",
        "k/d.yaml": WEB,
    }
    return repo(files).open()


def changed(opened, file, old, new):
    return opened.with_changes({file: opened.read(file).replace(old.encode(), new.encode())})


def test_fields_before_and_after(opened):
    found = opened.difference(changed(opened, "web/d.yaml", "replicas: 2", "replicas: 3"))
    assert [(item.application, item.kind, item.path, item.before, item.after, item.scope) for item in found] == [
        ("web", "Deployment", ("spec", "replicas"), 2, 3, "field")
    ]
    assert opened.read("web/d.yaml") == WEB.encode()


def test_objects_and_applications_that_come_and_go(opened):
    more = opened.with_changes(
        {
            "web/d.yaml": None,
            "web/s.yaml": b"apiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
            "c.yaml": APP.format(name="new", path="web").encode(),
        }
    )
    kinds = {
        (item.scope, item.name): (item.before is MISSING, item.after is MISSING) for item in opened.difference(more)
    }
    assert kinds == {
        ("object", "web"): (False, True),
        ("object", "s"): (True, False),
        ("application", "new"): (True, False),
    }


def test_what_no_longer_renders_is_a_failure(opened):
    found = opened.difference(changed(opened, "k/kustomization.yaml", "d.yaml", "gone.yaml"))
    assert ("k", "failure") in {(item.application, item.scope) for item in found}


@pytest.mark.parametrize(
    ("file", "old", "new", "kind", "words"),
    [
        ("web/d.yaml", "replicas: 2", "replicas: [", "parse", "not valid YAML"),
        ("k/kustomization.yaml", "d.yaml", "gone.yaml", "missing-file", "gone.yaml does not exist"),
        ("a.yaml", "path: web", "path: nowhere", "missing-path", "nowhere"),
        ("web/d.yaml", "replicas: 2", "replicas: two", "schema", "two"),
        ("web/d.yaml", "replicas: 2", "replicaz: 2", "schema", "replicaz"),
        (
            "web/d.yaml",
            "image: example.com/web:1",
            "image: example.com/web:1\n        imagePullPolicy: Sometimes",
            "schema",
            "Sometimes",
        ),
        (
            "web/d.yaml",
            "image: example.com/web:1",
            "image: example.com/web:1\n        resources: {limits: {memory: 1Gb}}",
            "schema",
            "1Gb",
        ),
    ],
)
def test_what_a_change_newly_breaks(opened, file, old, new, kind, words):
    found = opened.validate(changed(opened, file, old, new))
    assert [(item.kind, words in item.message) for item in found] == [(kind, True)]


def test_what_was_wrong_before_is_not_told_again(repo):
    files = {"a.yaml": APP.format(name="web", path="web"), "web/d.yaml": WEB.replace("replicas: 2", "replicaz: 2")}
    opened = repo(files).open()
    assert opened.validate(changed(opened, "web/d.yaml", "web:1", "web:2")) == ()


def test_custom_resources_are_not_judged(repo):
    files = {
        "a.yaml": APP.format(name="web", path="web"),
        "web/x.yaml": "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nspec: {a: 1}\n",
    }
    opened = repo(files).open()
    assert opened.validate(changed(opened, "web/x.yaml", "a: 1", "b: 2")) == ()


def test_a_chart_that_no_longer_renders(repo, helm):
    files = {
        "a.yaml": APP.format(name="web", path="c"),
        "c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "c/values.yaml": "name: x\n",
        "c/templates/d.yaml": 'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ required "name!" .Values.name }}\nspec: {}\n',
    }
    opened = repo(files).open(helm)
    found = opened.validate(changed(opened, "c/values.yaml", "name: x", "other: x"))
    assert [(item.kind, "name!" in item.message) for item in found] == [("render", True)]


def test_changes_lie_upon_changes(opened):
    first = changed(opened, "web/d.yaml", "replicas: 2", "replicas: 3")
    second = changed(first, "web/d.yaml", "web:1", "web:2")
    assert {item.path for item in opened.difference(second)} == {
        ("spec", "replicas"),
        ("spec", "template", "spec", "containers", 0, "image"),
    }
    assert [item.path[-1] for item in first.difference(second)] == ["image"]
