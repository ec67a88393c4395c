"""Every way in which Applications come to be."""

from __future__ import annotations

import json

import pytest

APP = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: argocd
spec:
  project: default
  source:
    repoURL: https://github.com/example/platform.git
    targetRevision: HEAD
    path: {path}
{more}  destination:
    server: https://kubernetes.default.svc
    namespace: {name}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n"


def app(name: str, path: str, more: str = "") -> str:
    return APP.format(name=name, path=path, more=more)


def appset(
    generators: str,
    *,
    name: str = "'{{ .name }}'",
    path: str = "'{{ .path.path }}'",
    options: str = "goTemplate: true",
    more: str = "",
) -> str:
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: set
spec:
  {options}
  generators:
{generators}
  template:
    metadata:
      name: {name}
    spec:
      project: default
      source:
        repoURL: https://github.com/example/platform.git
        targetRevision: main
        path: {path}
      destination:
        server: https://kubernetes.default.svc
        namespace: x
{more}"""


def names(repository) -> list[str]:
    return sorted(item.name for item in repository.applications)


def test_children_in_a_directory_know_their_parent(repo):
    opened = repo(
        {
            "root.yaml": app("root", "apps"),
            "apps/web.yaml": app("web", "web"),
            "apps/deep/db.yaml": app("db", "db"),
            "web/s.yaml": SERVICE,
        }
    ).open()
    parents = {item.name: item.parent for item in opened.applications}
    assert parents == {"root": "", "web": "root", "db": ""}, "a directory is not read recursively unless it says so"


def test_recurse_include_and_exclude_decide_who_is_a_child(repo):
    more = "    directory:\n      recurse: true\n      exclude: 'old/*'\n"
    opened = repo(
        {
            "root.yaml": app("root", "apps", more),
            "apps/a/web.yaml": app("web", "web"),
            "apps/old/db.yaml": app("db", "db"),
            "web/s.yaml": SERVICE,
        }
    ).open()
    assert {item.name: item.parent for item in opened.applications} == {"root": "", "web": "root", "db": ""}


def test_a_chart_of_apps_is_rendered_with_its_parents_values(repo, tools):
    template = (
        "{{- range .Values.apps }}\n---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {{ $.Values.prefix }}-{{ .name }}\n"
        "spec:\n  project: default\n  source:\n    repoURL: https://github.com/example/platform.git\n    path: {{ .path | default .name }}\n"
        "  destination:\n    server: https://kubernetes.default.svc\n    namespace: {{ .name }}\n{{- end }}\n"
    )
    files = {
        "root.yaml": app("root", "chart", "    helm:\n      valueFiles: [prod.yaml]\n"),
        "chart/Chart.yaml": "apiVersion: v2\nname: apps\nversion: 1.0.0\n",
        "chart/values.yaml": "prefix: dev\napps:\n- name: web\n",
        "chart/prod.yaml": "prefix: prod\napps:\n- name: web\n- name: db\n  path: databases/db\n",
        "chart/templates/apps.yaml": template,
        "web/s.yaml": SERVICE,
        "databases/db/s.yaml": SERVICE,
    }
    opened = repo(files).open(tools)
    assert names(opened) == ["prod-db", "prod-web", "root"]
    child = opened.application("prod-db")
    assert (child.parent, child.kind, child.sources[0].path) == ("root", "HelmChart", "databases/db")


def test_a_kustomization_that_patches_applications_yields_the_patched_ones(repo, tools):
    files = {
        "base/web.yaml": app("web", "web"),
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "overlays/prod/kustomization.yaml": "resources: [../../base]\nnamePrefix: prod-\npatches:\n- target: {kind: Application}\n  patch: |-\n    - op: replace\n      path: /spec/source/path\n      value: web/prod\n",
        "web/prod/s.yaml": SERVICE,
    }
    opened = repo(files).open(tools)
    assert names(opened) == ["prod-web"]
    assert opened.application("prod-web").sources[0].path == "web/prod"


def test_a_patch_file_is_no_application_of_its_own(repo):
    files = {
        "base/web.yaml": app("web", "web"),
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "prod/kustomization.yaml": "resources: [../base]\npatches:\n- path: patch.yaml\n",
        "prod/patch.yaml": app("web", "web2"),
    }
    opened = repo(files).open()
    assert [item.sources[0].path for item in opened.applications] == ["web2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            appset(
                "  - git:\n      repoURL: https://github.com/example/platform.git\n      directories:\n      - path: apps/*\n      - path: apps/skip\n        exclude: true",
                name="'{{ .path.basename }}'",
            ),
            {"a": "apps/a", "b": "apps/b"},
        ),
        (
            appset(
                "  - git:\n      repoURL: https://github.com/example/platform.git\n      directories:\n      - path: apps/*",
                name="'{{path[1]}}-x'",
                path="'{{path}}'",
                options="syncPolicy: {}",
            ),
            {"a-x": "apps/a", "b-x": "apps/b", "skip-x": "apps/skip"},
        ),
        (
            appset(
                "  - git:\n      repoURL: https://github.com/example/platform.git\n      pathParamPrefix: my\n      directories:\n      - path: apps/a",
                name="'{{ .my.path.basename }}'",
                path="'{{ .my.path.path }}'",
            ),
            {"a": "apps/a"},
        ),
        (
            appset(
                "  - git:\n      repoURL: https://github.com/example/platform.git\n      files:\n      - path: config/**/c.json",
                name="'{{cluster.name}}'",
                path="apps/{{app}}",
                options="syncPolicy: {}",
            ),
            {"east": "apps/a", "west": "apps/b"},
        ),
        (
            appset(
                "  - list:\n      elements:\n      - {name: one, dir: a}\n      - {name: two, dir: b}",
                path="'apps/{{ .dir }}'",
            ),
            {"one": "apps/a", "two": "apps/b"},
        ),
        (
            appset(
                "  - matrix:\n      generators:\n      - git:\n          repoURL: https://github.com/example/platform.git\n          directories:\n          - path: apps/*\n      - list:\n          elements:\n          - env: dev\n          - env: prod",
                name="'{{ .path.basename }}-{{ .env }}'",
            ),
            {
                "a-dev": "apps/a",
                "a-prod": "apps/a",
                "b-dev": "apps/b",
                "b-prod": "apps/b",
                "skip-dev": "apps/skip",
                "skip-prod": "apps/skip",
            },
        ),
        (
            appset(
                "  - merge:\n      mergeKeys: [name]\n      generators:\n      - list:\n          elements:\n          - {name: one, dir: a}\n          - {name: two, dir: a}\n      - list:\n          elements:\n          - {name: two, dir: b}",
                path="'apps/{{ .dir }}'",
            ),
            {"one": "apps/a", "two": "apps/b"},
        ),
        (appset("  - clusters: {}", name="'{{ .name }}-web'", path="apps/a"), {"in-cluster-web": "apps/a"}),
        (
            appset(
                "  - clusters:\n      selector:\n        matchLabels: {env: prod}",
                name="'{{ .name }}-web'",
                path="apps/a",
            ),
            {"*-web": "apps/a"},
        ),
        (
            appset(
                "  - list:\n      elements:\n      - {name: one, dir: a, keep: 'yes'}\n      - {name: two, dir: b, keep: 'no'}\n    selector:\n      matchLabels: {keep: 'yes'}",
                path="'apps/{{ .dir }}'",
            ),
            {"one": "apps/a"},
        ),
        (
            appset(
                "  - list:\n      elements:\n      - {name: one, dir: a}",
                path="'apps/{{ .dir }}'",
                more='  templatePatch: |\n    spec:\n      source:\n        path: apps/{{ if eq .name "one" }}b{{ end }}\n',
            ),
            {"one": "apps/b"},
        ),
        (
            appset(
                "  - list:\n      elements:\n      - {name: one}\n      template:\n        metadata: {}\n        spec:\n          source: {path: apps/b}",
                path="apps/a",
            ),
            {"one": "apps/b"},
        ),
    ],
    ids=[
        "directories",
        "old-syntax",
        "prefix",
        "files",
        "list",
        "matrix",
        "merge",
        "clusters",
        "unknown-cluster",
        "selector",
        "template-patch",
        "generator-template",
    ],
)
def test_application_sets(repo, text, expected):
    files = {
        "set.yaml": text,
        "apps/a/s.yaml": SERVICE,
        "apps/b/s.yaml": SERVICE,
        "apps/skip/s.yaml": SERVICE,
        "config/x/c.json": json.dumps({"cluster": {"name": "east"}, "app": "a"}),
        "config/y/z/c.json": json.dumps({"cluster": {"name": "west"}, "app": "b"}),
    }
    opened = repo(files).open()
    assert {item.name: item.sources[0].path for item in opened.applications} == expected
    assert all(item.parent == "set" for item in opened.applications)


def test_clusters_that_are_declared_in_the_repository_are_known(repo):
    secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: east\n  labels:\n    argocd.argoproj.io/secret-type: cluster\n    env: prod\nstringData:\n  name: east\n  server: https://east\n"
    text = appset(
        "  - clusters:\n      selector:\n        matchLabels: {env: prod}", name="'{{ .name }}-web'", path="apps/a"
    )
    opened = repo({"set.yaml": text, "c.yaml": secret, "apps/a/s.yaml": SERVICE}).open()
    assert names(opened) == ["east-web"]


@pytest.mark.parametrize("generator", ["scmProvider", "pullRequest", "plugin", "clusterDecisionResource"])
def test_generators_that_ask_outside_are_declined_by_name(repo, generator):
    opened = repo({"set.yaml": appset(f"  - {generator}: {{}}")}).open()
    assert not opened.applications
    assert [(item.kind, generator in item.message) for item in opened.problems] == [("declined", True)]


def test_an_application_set_kept_in_the_values_of_an_unseen_chart(repo):
    values = "argocd-apps:\n  applicationsets:\n    root:\n      generators:\n      - git:\n          repoURL: &url https://github.com/example/platform\n          directories:\n          - path: apps/*\n      template:\n        metadata:\n          name: '{{path.basename}}'\n        spec:\n          destination: {name: in-cluster, namespace: '{{path.basename}}'}\n          source: {repoURL: *url, path: '{{path}}'}\n"
    files = {
        "system/argocd/Chart.yaml": "apiVersion: v2\nname: argocd\nversion: 0.0.0\ndependencies:\n- {name: argocd-apps, version: 2.0.0, repository: https://charts.example.com}\n",
        "system/argocd/values.yaml": values,
        "apps/web/s.yaml": SERVICE,
    }
    opened = repo(files).open()
    assert names(opened) == ["web"]
    assert opened.locate_field(opened.application("web"), "repoURL").places[0].path == (
        "argocd-apps",
        "applicationsets",
        "root",
        "template",
        "spec",
        "source",
        "repoURL",
    )


def test_applications_kept_in_the_values_of_a_chart_that_a_kustomization_runs(repo):
    values = "default:\n  source: {repoURL: https://github.com/example/platform.git, targetRevision: HEAD}\napplications:\n  web:\n    destination: {namespace: web}\n    source: {path: apps/web}\n  off:\n    enabled: false\n    source: {path: apps/off}\n"
    files = {
        "bootstrap/kustomization.yaml": "helmCharts:\n- name: app-of-apps\n  version: 0.4.1\n  repo: https://charts.example.com\n  valuesFile: values.yaml\n",
        "bootstrap/values.yaml": values,
        "apps/web/s.yaml": SERVICE,
    }
    opened = repo(files).open()
    assert [(item.name, item.kind, item.namespace) for item in opened.applications] == [("web", "Values", "web")]


def test_the_checkout_may_be_a_part_of_the_repository(repo):
    opened = repo(
        {"apps/web.yaml": app("web", "clusters/prod/web"), "web/s.yaml": SERVICE, "other/s.yaml": SERVICE}
    ).open()
    assert [item.sources[0].path for item in opened.applications] == ["web"]


def test_the_repository_may_lie_in_a_directory_of_the_checkout(repo):
    opened = repo({"gitops/apps/web.yaml": app("web", "workloads/web"), "gitops/workloads/web/s.yaml": SERVICE}).open()
    assert [item.sources[0].path for item in opened.applications] == ["gitops/workloads/web"]


def test_sources_of_other_repositories_are_known_as_remote(repo):
    other = app("other", "charts/x").replace("example/platform", "somebody/else")
    opened = repo({"web.yaml": app("web", "web"), "other.yaml": other, "web/s.yaml": SERVICE}).open()
    assert [problem.kind for problem in opened.problems_of(opened.application("other"))] == ["remote"]


@pytest.mark.parametrize(
    ("more", "word"),
    [("    plugin: {name: x}\n", "plugin"), ("", "jsonnet")],
)
def test_what_cannot_be_followed_is_declined_by_name(repo, more, word):
    files = {"web.yaml": app("web", "web", more), "web/main.jsonnet": "{}", "web/params.libsonnet": "{}"}
    opened = repo(files).open()
    assert [(item.kind, word in item.message) for item in opened.problems_of(opened.application("web"))] == [
        ("declined", True)
    ]


def test_the_source_hydrator_is_declined(repo):
    text = (
        app("web", "web")
        .replace("  source:\n", "  sourceHydrator:\n    drySource:\n")
        .replace("    repoURL", "      repoURL")
        .replace("    targetRevision", "      targetRevision")
        .replace("    path", "      path")
    )
    opened = repo({"web.yaml": text, "web/s.yaml": SERVICE}).open()
    assert [item.kind for item in opened.problems_of(opened.applications[0])] == ["declined"]


def test_flux_is_recognised_and_not_followed(repo):
    opened = repo(
        {"hr.yaml": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: x\n"}
    ).open()
    assert [(item.kind, "Flux HelmRelease" in item.message) for item in opened.problems] == [("declined", True)]


def test_applications_that_apply_each_other_are_reported(repo):
    opened = repo({"a/app.yaml": app("b", "b"), "b/app.yaml": app("a", "a")}).open()
    assert names(opened) == ["a", "b"]
    assert [item.kind for item in opened.problems] == ["cycle"]


def test_an_application_that_manages_itself_is_no_cycle(repo):
    opened = repo(
        {"apps/root.yaml": app("root", "apps"), "apps/web.yaml": app("web", "web"), "web/s.yaml": SERVICE}
    ).open()
    assert not opened.problems
    assert {item.name: item.parent for item in opened.applications} == {"root": "", "web": "root"}


def test_a_tree_is_kept_and_forgotten_when_a_file_changes(repo, tmp_path):
    cache = tmp_path / "cache"
    repo(
        {
            "root.yaml": app("root", "apps"),
            "apps/web.yaml": app("web", "web"),
            "web/s.yaml": SERVICE,
            "set.yaml": appset("  - list:\n      elements:\n      - {name: one}", path="web"),
        }
    )
    first = repo.open(cache=cache)
    again = repo.open(cache=cache)
    assert again.applications == first.applications
    assert [item.body for item in again.applications] == [item.body for item in first.applications]
    assert [item.sources for item in again.applications] == [item.sources for item in first.applications]
    assert "_walk" not in vars(again.store)
    repo({"apps/new.yaml": app("new", "web")})
    assert "new" in names(repo.open(cache=cache))
    repo.commit("Add all")
    repo.open(cache=cache).applications  # noqa: B018 - fills the cache
    assert names(repo.open(cache=cache)) == ["new", "one", "root", "web"]
    repo({"apps/web.yaml": app("web2", "web")})
    assert "web2" in names(repo.open(cache=cache))


def test_changes_that_matter_to_the_tree_are_seen(repo):
    text = appset(
        "  - git:\n      repoURL: https://github.com/example/platform.git\n      files:\n      - path: config/*.json",
        name="'{{ .name }}'",
        path="web",
    )
    chart = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {{ .Values.name }}\nspec:\n  source: {repoURL: https://github.com/example/platform.git, path: web}\n  destination: {server: x}\n"
    files = {
        "set.yaml": text,
        "config/a.json": '{"name": "one"}',
        "web/s.yaml": SERVICE,
        "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "chart/values.yaml": "name: two\n",
        "chart/templates/a.yaml": chart,
    }
    opened = repo(files).open()
    assert names(opened) == ["one", "two"]
    same = opened.with_changes({"web/s.yaml": SERVICE.replace("web", "other").encode()})
    assert same.tree is opened.tree
    assert [item.name for item in same.objects(same.application("one"))] == ["other"]
    for file, data, expected in [
        ("config/a.json", b'{"name": "uno"}', ["two", "uno"]),
        ("config/b.json", b'{"name": "new"}', ["new", "one", "two"]),
        ("config/a.json", None, ["two"]),
        ("chart/values.yaml", b"name: due\n", ["due", "one"]),
        ("x.yaml", app("x", "web").encode(), ["one", "two", "x"]),
    ]:
        assert names(opened.with_changes({file: data})) == expected
