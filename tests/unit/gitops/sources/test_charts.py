"""Charts of registries: pulled by a real helm from servers on loopback, by policy, and kept by digest."""

from __future__ import annotations

import gzip
import io
import tarfile
import time

import pytest

from remediator.domain.charts import ChartPull
from remediator.gitops import Repository
from remediator.gitops.sources.archives import unpack
from remediator.gitops.sources.chart_index import digest_of
from remediator.gitops.sources.chart_pull import host_of, is_oci
from tests.unit.gitops.sources.registries import CHART, packed, serving

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
UMBRELLA = APP.format(url="https://github.com/example/platform.git", version="HEAD").replace(
    "    chart: front\n", "    path: u\n"
)


@pytest.fixture
def registry(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving() as server:
        yield server


@pytest.fixture
def opened(repo, helm, tmp_path):
    """Open the written files with a policy; each call is another run with the same kept charts."""

    def open_repository(files, **rules):
        repo(files)
        return Repository.open(repo.root, tools=helm, pull=lambda: ChartPull(**rules), kept_charts=tmp_path / "kept")

    return open_repository


def reason(repository):
    """Return the reason that is given for the chart that was not pulled."""
    (problem,) = repository.problems_of(repository.application("web"))
    assert problem.kind == "remote"
    assert not problem.fault
    return problem.message.partition(" was not pulled: ")[2]


@pytest.mark.parametrize("protocol", ["http", "oci", "oci-without-scheme"])
def test_a_chart_of_a_registry_is_rendered_and_its_values_are_proved(opened, registry, protocol):
    archive = packed(CHART)
    registry.serve_index(archive)
    registry.serve_oci(archive)
    url = {"http": registry.http, "oci": registry.oci, "oci-without-scheme": registry.oci.removeprefix("oci://")}
    repository = opened({"a.yaml": APP.format(url=url[protocol], version="1.2.3")})
    web = repository.application("web")
    (rendered,) = repository.objects(web)
    assert (rendered.kind, rendered.body["spec"]["replicas"]) == ("Deployment", 2)
    location = repository.locate(web, rendered, ("spec", "replicas"))
    assert (location.status, location.places[0].file, location.places[0].path, location.places[0].proof) == (
        "insert",
        "a.yaml",
        ("spec", "source", "helm", "valuesObject", "replicaCount"),
        "proved",
    )


def test_a_kept_archive_is_used_without_the_registry_and_only_with_its_digest(opened, registry, tmp_path):
    registry.serve_index(packed(CHART))
    files = {"a.yaml": APP.format(url=registry.http, version="1.2.3")}
    assert opened(files).objects(opened(files).application("web"))
    (archive,) = (tmp_path / "kept" / "charts" / "sha256").glob("*.tgz")
    registry.requests.clear()
    registry.status = 500
    again = opened(files)
    assert again.objects(again.application("web"))
    assert registry.requests == []
    archive.write_bytes(packed({**CHART, "values.yaml": "replicaCount: 9\n"}))
    assert reason(opened(files)) != ""
    assert registry.requests
    registry.status = 0
    mended = opened(files)
    assert mended.objects(mended.application("web"))[0].body["spec"]["replicas"] == 2


def test_one_chart_of_several_applications_is_pulled_once(opened, registry):
    registry.serve_index(packed(CHART))
    text = APP.format(url=registry.http, version="1.2.3")
    repository = opened({"a.yaml": text, "b.yaml": text.replace("name: web,", "name: shop,")})
    assert [len(repository.objects(app)) for app in repository.applications] == [1, 1]
    assert registry.requests.count("/front-1.2.3.tgz") == 1


@pytest.mark.parametrize(
    ("version", "rules", "words"),
    [
        ("1.2.3", {"enabled": False}, "charts.pull.enabled is false"),
        ("1.2.3", {"hosts": ("charts.example.com",)}, "charts.pull.hosts of the policy does not list 127.0.0.1"),
        ("1.x", {}, "its version 1.x is a range"),
        ("1.2", {}, "its version 1.2 is a range"),
        ("''", {}, "it has no version"),
        ("9.9.9", {}, "its registry does not have it"),
    ],
    ids=["disabled", "not-listed", "range", "partial", "no-version", "not-served"],
)
def test_what_is_not_allowed_pinned_or_served_is_not_pulled(opened, registry, version, rules, words):
    registry.serve_index(packed(CHART))
    assert reason(opened({"a.yaml": APP.format(url=registry.http, version=version)}, **rules)).startswith(words)
    assert "/front-1.2.3.tgz" not in registry.requests


def test_a_host_of_the_policy_is_asked_also_by_pattern(opened, registry):
    registry.serve_index(packed(CHART))
    files = {"a.yaml": APP.format(url=registry.http, version="1.2.3")}
    for pattern in ("127.0.0.1", "127.0.*", f"127.0.0.1:{registry.port}"):
        repository = opened(files, hosts=("charts.example.com", pattern))
        assert repository.objects(repository.application("web"))


def test_a_change_that_is_only_tried_cannot_name_another_host(opened, registry):
    registry.serve_index(packed(CHART))
    repository = opened({"a.yaml": APP.format(url="https://charts.example.invalid", version="1.2.3")}, timeout=5)
    changed = repository.with_changes({"a.yaml": APP.format(url=registry.http, version="1.2.3").encode()})
    assert "does not list 127.0.0.1" in reason(changed)
    assert registry.requests == []


RETRIED = pytest.mark.thorough
"""helm asks an OCI registry again, for some seconds, before it gives up on these."""


@pytest.mark.parametrize(
    ("protocol", "status", "words"),
    [
        ("http", 401, "asks for a login"),
        ("http", 403, "asks for a login"),
        ("http", 429, "refuses further requests"),
        ("http", 500, "its registry fails"),
        ("oci", 401, "asks for a login"),
        ("oci", 403, "asks for a login"),
        pytest.param("oci", 429, "refuses further requests", marks=RETRIED),
        pytest.param("oci", 500, "its registry fails", marks=RETRIED),
    ],
)
def test_a_registry_that_refuses_is_not_asked_for_the_next_chart(opened, registry, protocol, status, words):
    registry.status = status
    text = APP.format(url=getattr(registry, protocol), version="1.2.3")
    repository = opened({"a.yaml": text, "b.yaml": text.replace("name: web,", "name: shop,").replace("1.2.3", "1.2.4")})
    assert words in reason(repository)
    count = len(registry.requests)
    assert repository.problems_of(repository.application("shop"))
    assert len(registry.requests) == count


def test_an_archive_without_the_digest_of_the_index_is_refused(opened, registry, tmp_path):
    registry.serve_index(packed(CHART), digest="ab" * 32)
    repository = opened({"a.yaml": APP.format(url=registry.http, version="1.2.3")})
    assert reason(repository) == "its archive does not have the digest that the index states"
    assert not list((tmp_path / "kept").rglob("*.tgz"))


def test_a_blob_without_the_digest_of_its_manifest_is_refused(opened, registry, tmp_path):
    archive = packed(CHART)
    registry.serve_oci(archive, sent=b"x" * len(archive))
    assert reason(opened({"a.yaml": APP.format(url=registry.oci, version="1.2.3")}))
    assert not list((tmp_path / "kept").rglob("*.tgz"))


def test_a_redirect_is_followed_and_its_archive_compared(opened, registry):
    with serving() as store:
        store.answers["/front-1.2.3.tgz"] = packed(CHART)
        registry.serve_index(packed(CHART))
        registry.redirect = store.http
        files = {"a.yaml": APP.format(url=registry.http, version="1.2.3")}
        repository = opened(files)
        assert repository.objects(repository.application("web"))
        assert store.requests == ["/front-1.2.3.tgz"]


def test_a_redirect_to_another_archive_is_refused(opened, registry):
    with serving() as store:
        store.answers["/front-1.2.3.tgz"] = packed({**CHART, "values.yaml": "replicaCount: 3\n"})
        registry.serve_index(packed(CHART))
        registry.redirect = store.http
        assert "digest" in reason(opened({"a.yaml": APP.format(url=registry.http, version="1.2.3")}))


def test_a_slow_registry_is_given_up_and_asked_once(opened, registry):
    registry.delay = 20
    text = APP.format(url=registry.http, version="1.2.3")
    repository = opened({"a.yaml": text, "b.yaml": text.replace("name: web,", "name: shop,")}, timeout=0.5)
    began = time.monotonic()
    assert reason(repository) == "pulling it takes longer than charts.pull.timeout (0.5 s)"
    assert repository.problems_of(repository.application("shop"))
    assert time.monotonic() - began < 8


def test_a_registry_that_is_not_there_is_said(opened, registry):
    assert reason(opened({"a.yaml": APP.format(url="http://127.0.0.1:9", version="1.2.3")})) == (
        "its registry cannot be reached"
    )


def test_an_archive_beyond_the_bound_is_refused(opened, registry):
    noise = bytes(range(256)) * 64
    registry.serve_index(packed({**CHART, "noise": gzip.compress(noise) + noise * 40}))
    repository = opened({"a.yaml": APP.format(url=registry.http, version="1.2.3")}, max_bytes=1500)
    assert "charts.pull.max_bytes" in reason(repository)


@pytest.mark.parametrize("name", ["zeros", "../zeros"], ids=["a-file", "a-file-that-is-skipped"])
def test_an_archive_that_unpacks_to_too_much_is_refused(opened, registry, name):
    registry.serve_index(packed({**CHART, name: b"\0" * 9_000_000}))
    repository = opened({"a.yaml": APP.format(url=registry.http, version="1.2.3")}, max_bytes=100_000)
    assert reason(repository) == ("its archive is damaged, or too large when it is unpacked (charts.pull.max_bytes)")


def test_a_missing_dependency_is_pulled_at_the_version_of_the_lock(opened, registry):
    registry.serve_index(packed(CHART))
    files = {
        "a.yaml": UMBRELLA,
        "u/Chart.yaml": f"apiVersion: v2\nname: u\nversion: 1.0.0\ndependencies:\n- {{name: front, version: ~1.2, repository: '{registry.http}'}}\n",
        "u/values.yaml": "front: {}\n",
    }
    assert "its version ~1.2 is a range" in reason(opened(files))
    lock = f"dependencies:\n- name: front\n  repository: {registry.http}\n  version: 1.2.3\ndigest: sha256:00\n"
    repository = opened({"u/Chart.lock": lock})
    web = repository.application("web")
    (rendered,) = repository.objects(web)
    location = repository.locate(web, rendered, ("spec", "replicas"))
    assert (location.places[0].path[-2:], location.places[0].proof) == (("front", "replicaCount"), "proved")
    assert repository.problems_of(web) == ()


def test_a_dependency_of_a_chart_behind_file_is_pulled(opened, registry):
    registry.serve_index(packed(CHART))
    files = {
        "a.yaml": UMBRELLA,
        "u/Chart.yaml": "apiVersion: v2\nname: u\nversion: 1.0.0\ndependencies:\n- {name: inner, version: 1.0.0, repository: 'file://../inner'}\n",
        "u/values.yaml": "inner: {front: {replicaCount: 5}}\n",
        "inner/Chart.yaml": f"apiVersion: v2\nname: inner\nversion: 1.0.0\ndependencies:\n- {{name: front, version: 1.2.3, repository: '{registry.http}'}}\n",
    }
    repository = opened(files)
    web = repository.application("web")
    (rendered,) = repository.objects(web)
    location = repository.locate(web, rendered, ("spec", "replicas"))
    assert (location.places[0].file, location.places[0].path, location.places[0].proof) == (
        "u/values.yaml",
        ("inner", "front", "replicaCount"),
        "proved",
    )


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
    assert unpack(out.getvalue(), 1_000_000) == {"ok": b""}
    assert unpack(out.getvalue(), 100) is None
    assert unpack(out.getvalue()[:-9], 1_000_000) is None
    assert unpack(b"no archive", 1_000_000) is None


@pytest.mark.parametrize(
    ("index", "stated"),
    [
        (
            b"entries:\n  front:\n  - version: v1.2.3\n    digest: AB\n  rear:\n  - version: 1.2.3\n    digest: cd\n",
            "ab",
        ),
        (b"entries:\n  front:\n    - digest: sha256:ab\n      version: 1.2.3\ngenerated: now\n", "ab"),
        (b'{"entries": {"front": [{"version": "1.2.3", "digest": "ab"}]}}', "ab"),
        (b"entries:\n  front:\n  - version: 1.2.3\n", ""),
        (b"entries:\n  front-end:\n  - {version: 1.2.3, digest: ab}\n", ""),
        (b"entries: [\n", ""),
    ],
)
def test_the_digest_of_a_version_is_read_from_the_index(index, stated):
    assert digest_of(index, "front", "1.2.3") == stated


def test_registries_are_told_by_their_scheme():
    assert [is_oci(url) for url in ("oci://ghcr.io/x", "ghcr.io/x", "https://charts.example.com")] == [
        True,
        True,
        False,
    ]
    assert [
        host_of(url) for url in ("oci://ghcr.io/x", "registry.example.com:5000/x", "https://u:p@Charts.example.com/a")
    ] == [
        "ghcr.io",
        "registry.example.com:5000",
        "charts.example.com",
    ]
