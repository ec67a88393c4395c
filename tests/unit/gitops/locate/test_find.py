"""From what an incident names to the objects it can mean."""

from __future__ import annotations

import pytest

from remediator.domain.incident import Subject
from remediator.gitops.locate.find import owners

APP = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: argocd
spec:
  source:
    repoURL: https://github.com/example/platform.git
    path: {path}
  destination:
    name: {cluster}
    namespace: {namespace}
"""


def app(name: str, path: str, namespace: str, cluster: str = "in-cluster") -> str:
    return APP.format(name=name, path=path, namespace=namespace, cluster=cluster)


def workload(kind: str, name: str, image: str = "example.com/x:1", container: str = "main") -> str:
    spec = f"spec:\n      containers:\n      - name: {container}\n        image: {image}\n"
    if kind == "Pod":
        return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n  - name: {container}\n    image: {image}\n"
    if kind == "CronJob":
        return f"apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: {name}}}\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - name: {container}\n            image: {image}\n"
    return f"apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n  template:\n    {spec}"


@pytest.fixture
def shop(repo):
    return repo(
        {
            "apps/web.yaml": app("web", "web", "shop"),
            "apps/db.yaml": app("db", "db", "shop"),
            "apps/stage.yaml": app("web-stage", "web", "stage"),
            "web/web.yaml": workload("Deployment", "web", "docker.io/library/nginx:1.25", "nginx"),
            "web/agent.yaml": workload("DaemonSet", "agent"),
            "web/once.yaml": workload("Job", "migrate"),
            "web/nightly.yaml": workload("CronJob", "nightly", container="backup"),
            "web/s.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {}\n",
            "db/db.yaml": workload("StatefulSet", "postgres", "postgres:16", "postgres"),
            "db/pod.yaml": workload("Pod", "debug"),
        }
    ).open()


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (Subject(pod="web-7d9c5b8f6d-x2x4z", namespace="shop"), "Deployment/web of web"),
        (Subject(kind="Pod", name="web-7d9c5b8f6d-x2x4z", namespace="stage"), "Deployment/web of web-stage"),
        (Subject(kind="Deployment", name="web", application="web"), "Deployment/web of web"),
        (Subject(kind="ReplicaSet", name="web-7d9c5b8f6d", namespace="shop"), "Deployment/web of web"),
        (Subject(pod="postgres-0"), "StatefulSet/postgres of db"),
        (Subject(pod="agent-x2x4z", namespace="shop"), "DaemonSet/agent of web"),
        (Subject(pod="nightly-28391040-b7k2w", namespace="shop"), "CronJob/nightly of web"),
        (Subject(kind="Job", name="nightly-28391040", namespace="shop"), "CronJob/nightly of web"),
        (Subject(kind="Job", name="migrate", namespace="shop"), "Job/migrate of web"),
        (Subject(kind="Pod", name="debug"), "Pod/debug of db"),
        (Subject(kind="Service", name="web", namespace="shop"), "Service/web of web"),
        (Subject(image="nginx:1.25", namespace="shop"), "Deployment/web of web"),
        (Subject(image="index.docker.io/library/postgres:16"), "StatefulSet/postgres of db"),
        (Subject(container="backup", namespace="shop"), "CronJob/nightly of web"),
        (Subject(application="argocd/db", container="postgres"), "StatefulSet/postgres of db"),
    ],
)
def test_the_best_match(shop, subject, expected):
    found = shop.find(subject)
    best = found[0]
    assert f"{best.manifest.kind}/{best.manifest.name} of {best.application.name}" == expected
    assert len(found) == 1 or found[1].score < best.score


def test_two_environments_that_fit_equally_are_an_ambiguity(shop):
    first, second, *_ = shop.find(Subject(kind="Deployment", name="web"))
    assert first.score == second.score
    assert {first.application.name, second.application.name} == {"web", "web-stage"}


@pytest.mark.parametrize(
    "subject",
    [
        Subject(kind="Deployment", name="nobody"),
        Subject(pod="web-7d9c5b8f6d-x2x4z", namespace="elsewhere"),
        Subject(kind="Deployment", name="web", namespace="shop", container="nobody"),
        Subject(),
    ],
)
def test_what_is_not_here_is_not_found(shop, subject):
    assert shop.find(subject) == ()


def test_kinds_narrow_the_search(shop):
    found = shop.find(Subject(namespace="shop"), kinds=("Service",))
    assert [item.manifest.name for item in found] == ["web"]


def test_the_container_is_told_from_the_image(shop):
    assert shop.find(Subject(image="nginx:1.25", namespace="shop"))[0].container == "nginx"


def test_a_release_before_the_name_is_understood(repo, tools):
    chart = {
        "c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "c/templates/d.yaml": workload("Deployment", "{{ .Release.Name }}-web"),
    }
    opened = repo({"a.yaml": app("prod", "c", "shop"), **chart}).open(tools)
    assert opened.find(Subject(pod="prod-web-7d9c5b8f6d-x2x4z"))[0].manifest.name == "prod-web"
    assert opened.find(Subject(kind="Deployment", name="web", namespace="shop"))[0].manifest.name == "prod-web"


def test_the_cluster_tells_twins_apart(repo):
    opened = repo(
        {
            "e.yaml": app("web-east", "web", "shop", "east"),
            "w.yaml": app("web-west", "web", "shop", "west"),
            "web/d.yaml": workload("Deployment", "web"),
        }
    ).open()
    assert [item.application.name for item in opened.find(Subject(kind="Deployment", name="web", cluster="west"))] == [
        "web-west"
    ]


def test_addresses_tell_twins_apart_where_it_is_known_what_they_stand_for(repo):
    opened = repo(
        {
            "e.yaml": app("web-east", "web", "shop", "https://east.example.com"),
            "w.yaml": app("web-west", "web", "shop", "https://west.example.com"),
            "web/d.yaml": workload("Deployment", "web"),
        }
    ).open()
    asked = Subject(kind="Deployment", name="web", cluster="prod-west")
    assert len(opened.find(asked)) == 2
    opened.clusters = {"https://west.example.com": "west", "prod-west": "west", "https://east.example.com": "east"}
    assert [item.application.name for item in opened.find(asked)] == ["web-west"]
    assert opened.with_changes({}).clusters == opened.clusters
    elsewhere = Subject(kind="Deployment", name="web", cluster="https://east.example.com")
    assert [item.application.name for item in opened.find(elsewhere)] == ["web-east"]


def test_applications_that_do_not_speak_of_the_name_are_not_rendered(shop):
    shop.find(Subject(pod="postgres-0"))
    rendered = {key[1] for key in shop.renderer._renderings}
    assert rendered == {"db"}


@pytest.mark.parametrize(
    ("pod", "first"),
    [("web-7d9c5b8f6d-x2x4z", "web"), ("a-b-c-0", "a-b-c"), ("job-28391040-b7k2w", "job"), ("plain", "plain")],
)
def test_owners_of_a_pod(pod, first):
    assert owners(pod)[0][0] == first
