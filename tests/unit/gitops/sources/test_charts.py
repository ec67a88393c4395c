"""Charts of registries, served here from loopback."""

from __future__ import annotations

import functools
import http.server
import io
import tarfile
import threading

import pytest

from remediator.gitops import Repository
from remediator.gitops.sources.charts import unpack

APP = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web, namespace: argocd}}
spec:
  source:
    repoURL: {url}
    chart: front
    targetRevision: {version}
    helm:
      valuesObject: {{}}
  destination: {{server: https://kubernetes.default.svc, namespace: web}}
"""
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: front\nversion: 1.2.3\n",
    "values.yaml": "replicaCount: 2\n",
    "templates/d.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  replicas: {{ .Values.replicaCount }}\n",
}


def packed(files: dict[str, str], top: str = "front") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def registry(tmp_path, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "registry"
    root.mkdir()
    (root / "front-1.2.3.tgz").write_bytes(packed(CHART))
    (root / "index.yaml").write_text(
        "apiVersion: v1\nentries:\n  front:\n  - {apiVersion: v2, name: front, version: 1.2.3, urls: [front-1.2.3.tgz]}\n"
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_allowed_chart_is_pulled_once_and_its_values_are_proved(repo, registry, helm, tmp_path):
    repo({"a.yaml": APP.format(url=registry, version="1.2.3")})
    cache = tmp_path / "cache"
    opened = Repository.open(repo.root, tools=helm, cache=cache, pull=["http://127.0.0.1:*"])
    web = opened.application("web")
    (made,) = opened.objects(web)
    assert (made.kind, made.body["spec"]["replicas"]) == ("Deployment", 2)
    found = opened.locate(web, made, ("spec", "replicas"))
    assert (found.status, found.places[0].file, found.places[0].path, found.places[0].proof) == (
        "insert",
        "a.yaml",
        ("spec", "source", "helm", "valuesObject", "replicaCount"),
        "proved",
    )
    assert len(list((cache / "charts").glob("*.tgz"))) == 1


@pytest.mark.parametrize(
    ("version", "pull"),
    [("1.2.3", []), ("1.2.3", ["https://elsewhere/*"]), ("1.x", ["*"]), ("9.9.9", ["*"])],
    ids=["not-asked", "not-allowed", "no-pin", "not-served"],
)
def test_what_is_not_allowed_pinned_or_served_stays_remote(repo, registry, helm, tmp_path, version, pull):
    repo({"a.yaml": APP.format(url=registry, version=version)})
    opened = Repository.open(repo.root, tools=helm, cache=tmp_path / "cache", pull=pull)
    assert [item.kind for item in opened.problems_of(opened.application("web"))] == ["remote"]


def test_a_missing_dependency_is_pulled(repo, registry, helm, tmp_path):
    app = APP.format(url="https://github.com/example/platform.git", version="HEAD").replace(
        "    chart: front\n", "    path: u\n"
    )
    repo(
        {
            "a.yaml": app,
            "u/Chart.yaml": f"apiVersion: v2\nname: u\nversion: 1.0.0\ndependencies:\n- {{name: front, version: 1.2.3, repository: '{registry}'}}\n",
            "u/values.yaml": "front: {}\n",
        }
    )
    opened = Repository.open(repo.root, tools=helm, cache=tmp_path / "cache", pull=["*"])
    web = opened.application("web")
    (made,) = opened.objects(web)
    found = opened.locate(web, made, ("spec", "replicas"))
    assert found.places[0].path[-2:] == ("front", "replicaCount")
    assert opened.problems_of(web) == ()


def test_archives_are_read_without_their_tricks():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, kind in (
            ("front/../../evil", tarfile.REGTYPE),
            ("front/link", tarfile.SYMTYPE),
            ("/abs/x", tarfile.REGTYPE),
            ("front/ok", tarfile.REGTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member, io.BytesIO(b""))
    assert unpack(out.getvalue()) == {"ok": b""}
    assert unpack(b"no archive") is None
