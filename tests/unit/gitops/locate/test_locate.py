"""From a rendered field to the text that controls it."""

from __future__ import annotations

import pytest

from remediator import yamledit
from remediator.domain.change import Place
from remediator.domain.incident import Subject
from remediator.domain.yaml_paths import MISSING
from remediator.gitops import Tools

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
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: registry.example.com:5000/web:1.0
        env:
        - name: MODE
          value: fast
"""
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\nappVersion: 2.0.0\n",
    "chart/values.yaml": "replicaCount: 1\nimage:\n  repository: example.com/web\n  tag: ''\nother: 1\nresources: {}\nprobe:\n  path: /healthz\n",
    "chart/templates/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
spec:
  replicas: {{ .Values.replicaCount }}
  revisionHistoryLimit: {{ .Values.other }}
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      terminationGracePeriodSeconds: 30
      containers:
      - name: web
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        livenessProbe:
          httpGet:
            path: {{ .Values.probe.path }}
            port: 8080
        resources:
          {{- toYaml .Values.resources | nindent 10 }}
""",
}
CONTAINER = ("spec", "template", "spec", "containers", 0)


def app(name: str, path: str, more: str = "") -> str:
    return APP.format(name=name, path=path, more=more)


def locate(opened, name, path, *, kind="Deployment"):
    application = opened.application(name)
    target = next(item for item in opened.objects(application) if item.kind == kind)
    return opened.locate(application, target, path)


def where(place: Place) -> tuple[object, ...]:
    return (place.file, place.path) if not place.inside else (place.file, place.path, place.inside)


def arrives(opened, found, value) -> bool:
    """The edit that the place stands for changes just this field of just this Application."""
    place = found.places[0]
    edit = yamledit.set if place.exists else yamledit.insert
    text = edit(opened.read(place.file), place.document, place.path, value, inside=place.inside)
    changes = opened.difference(opened.with_changes({place.file: text}))
    return bool(changes) and {item.application for item in changes} <= {"web", *place.also_feeds}


def test_a_plain_manifest_holds_the_field_itself(repo):
    opened = repo(
        {
            "a.yaml": app("web", "web"),
            "web/d.yaml": "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n" + WEB,
        }
    ).open()
    found = locate(opened, "web", (*CONTAINER, "env", "name=MODE", "value"))
    assert found.status == "located"
    assert (found.places[0].document, found.places[0].path, found.places[0].proof) == (
        1,
        (*CONTAINER, "env", 0, "value"),
        "direct",
    )


def test_what_is_not_there_is_inserted(repo):
    opened = repo({"a.yaml": app("web", "web"), "web/d.yaml": WEB}).open()
    found = locate(
        opened, "web", ("spec", "template", "spec", "containers", "name=web", "resources", "limits", "memory")
    )
    assert (found.status, found.places[0].exists) == ("insert", False)
    assert found.places[0].path == (*CONTAINER, "resources", "limits", "memory")


KUSTOMIZED = {
    "a.yaml": app("web", "overlays/prod"),
    "b.yaml": app("web-dev", "overlays/dev"),
    "base/d.yaml": WEB,
    "base/kustomization.yaml": "resources:\n- d.yaml\n",
    "overlays/dev/kustomization.yaml": "resources:\n- ../../base\n",
}


@pytest.mark.parametrize(
    ("kustomization", "more", "field", "expected"),
    [
        (
            "patches:\n- path: p.yaml\n",
            {
                "overlays/prod/p.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 5}\n"
            },
            ("spec", "replicas"),
            ("overlays/prod/p.yaml", ("spec", "replicas")),
        ),
        (
            "replicas:\n- name: web\n  count: 4\n",
            {},
            ("spec", "replicas"),
            ("overlays/prod/kustomization.yaml", ("replicas", 0, "count")),
        ),
        (
            "images:\n- name: registry.example.com:5000/web\n  newTag: '2.0'\n",
            {},
            (*CONTAINER, "image"),
            ("overlays/prod/kustomization.yaml", ("images", 0, "newTag")),
        ),
        (
            "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: replace\n      path: /spec/replicas\n      value: 7\n",
            {},
            ("spec", "replicas"),
            ("overlays/prod/kustomization.yaml", ("patches", 0, "patch"), (0, "value")),
        ),
        (
            "patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata:\n      name: web\n    spec:\n      replicas: 7\n",
            {},
            ("spec", "replicas"),
            ("overlays/prod/kustomization.yaml", ("patches", 0, "patch"), ("spec", "replicas")),
        ),
        (
            "patchesJson6902:\n- target: {group: apps, version: v1, kind: Deployment, name: web}\n  path: p.yaml\n",
            {
                "overlays/prod/p.yaml": "- op: add\n  path: /spec/template/spec/containers/0/env/-\n  value: {name: EXTRA, value: x}\n"
            },
            (*CONTAINER, "env", "name=EXTRA", "value"),
            ("overlays/prod/p.yaml", (0, "value", "value")),
        ),
        (
            "components:\n- ../../component\n",
            {
                "component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nreplicas:\n- name: web\n  count: 9\n"
            },
            ("spec", "replicas"),
            ("component/kustomization.yaml", ("replicas", 0, "count")),
        ),
        ("namePrefix: prod-\n", {}, (*CONTAINER, "env", 0, "value"), ("base/d.yaml", (*CONTAINER, "env", 0, "value"))),
        (
            "labels:\n- pairs: {tier: gold}\n",
            {},
            ("metadata", "labels", "tier"),
            ("overlays/prod/kustomization.yaml", ("labels", 0, "pairs", "tier")),
        ),
    ],
    ids=[
        "strategic",
        "replicas",
        "images",
        "json-inline",
        "strategic-inline",
        "json-append",
        "component",
        "prefix",
        "labels",
    ],
)
def test_the_winning_text_of_a_kustomization(repo, tools, kustomization, more, field, expected):
    files = {**KUSTOMIZED, "overlays/prod/kustomization.yaml": "resources:\n- ../../base\n" + kustomization, **more}
    found = locate(repo(files).open(tools), "web", field)
    assert found.status == "located"
    assert where(found.places[0]) == expected
    assert found.places[0].proof == ("proved" if tools.kustomize else "read")


def test_a_shared_base_says_whom_it_feeds_and_offers_an_overlay(repo, tools):
    files = {**KUSTOMIZED, "overlays/prod/kustomization.yaml": "resources:\n- ../../base\n"}
    found = locate(repo(files).open(tools), "web", ("spec", "replicas"))
    assert (found.places[0].file, found.places[0].also_feeds) == ("base/d.yaml", ("web-dev",))
    assert where(found.candidates[0]) == ("overlays/prod/kustomization.yaml", ("patches", 0))


def test_an_overlay_is_preferred_to_a_shared_base_for_what_is_new(repo, tools):
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        env:\n        - name: MODE\n          value: slow\n"
    files = {
        **KUSTOMIZED,
        "overlays/prod/kustomization.yaml": "resources:\n- ../../base\npatches:\n- path: p.yaml\n",
        "overlays/prod/p.yaml": patch,
    }
    opened = repo(files).open(tools)
    found = locate(opened, "web", (*CONTAINER, "resources", "limits", "memory"))
    assert (found.status, where(found.places[0])) == (
        "insert",
        ("overlays/prod/p.yaml", (*CONTAINER, "resources", "limits", "memory")),
    )
    assert arrives(opened, found, "1Gi")


def test_a_generated_config_map_is_found_by_the_name_without_its_hash(repo, tools):
    files = {
        "a.yaml": app("web", "k"),
        "k/kustomization.yaml": "configMapGenerator:\n- name: settings\n  literals:\n  - MODE=fast\n  files:\n  - app.conf\n",
        "k/app.conf": "x=1\n",
    }
    opened = repo(files).open(tools)
    match = opened.find(Subject(kind="ConfigMap", name="settings"))[0]
    assert where(opened.locate(match.application, match.manifest, ("data", "MODE")).places[0]) == (
        "k/kustomization.yaml",
        ("configMapGenerator", 0, "literals", 0),
    )
    assert where(opened.locate(match.application, match.manifest, ("data", "app.conf")).places[0]) == ("k/app.conf", ())


def test_kustomize_options_of_the_application_win(repo, tools):
    more = "    kustomize:\n      images:\n      - registry.example.com:5000/web:3.0\n      replicas:\n      - name: web\n        count: 6\n"
    files = {
        **KUSTOMIZED,
        "a.yaml": app("web", "overlays/prod", more),
        "overlays/prod/kustomization.yaml": "resources:\n- ../../base\n",
    }
    found = locate(repo(files).open(tools), "web", ("spec", "replicas"))
    assert where(found.places[0]) == ("a.yaml", ("spec", "source", "kustomize", "replicas", 0, "count"))


@pytest.mark.parametrize(
    ("more", "files", "field", "expected"),
    [
        ("", {}, ("spec", "replicas"), ("chart/values.yaml", ("replicaCount",))),
        (
            "    helm:\n      valueFiles: [prod.yaml]\n",
            {"chart/prod.yaml": "replicaCount: 3\n"},
            ("spec", "replicas"),
            ("chart/prod.yaml", ("replicaCount",)),
        ),
        (
            "    helm:\n      valueFiles: [a.yaml, /env/b.yaml]\n",
            {"chart/a.yaml": "replicaCount: 3\n", "env/b.yaml": "replicaCount: 4\n"},
            ("spec", "replicas"),
            ("env/b.yaml", ("replicaCount",)),
        ),
        (
            "    helm:\n      ignoreMissingValueFiles: true\n      valueFiles: [none.yaml]\n",
            {},
            ("spec", "replicas"),
            ("chart/values.yaml", ("replicaCount",)),
        ),
        (
            "    helm:\n      values: |\n        replicaCount: 3\n",
            {},
            ("spec", "replicas"),
            ("a.yaml", ("spec", "source", "helm", "values"), ("replicaCount",)),
        ),
        (
            "    helm:\n      valuesObject:\n        replicaCount: 3\n      values: 'replicaCount: 9'\n",
            {},
            ("spec", "replicas"),
            ("a.yaml", ("spec", "source", "helm", "valuesObject", "replicaCount")),
        ),
        (
            "    helm:\n      valuesObject: {replicaCount: 3}\n      parameters:\n      - {name: replicaCount, value: '5'}\n",
            {},
            ("spec", "replicas"),
            ("a.yaml", ("spec", "source", "helm", "parameters", 0, "value")),
        ),
        (
            "",
            {"chart/.argocd-source-web.yaml": "helm:\n  parameters:\n  - {name: replicaCount, value: '5'}\n"},
            ("spec", "replicas"),
            ("chart/.argocd-source-web.yaml", ("helm", "parameters", 0, "value")),
        ),
        ("", {}, (*CONTAINER, "livenessProbe", "httpGet", "path"), ("chart/values.yaml", ("probe", "path"))),
        (
            "",
            {},
            (*CONTAINER, "livenessProbe", "httpGet", "port"),
            ("chart/templates/web.yaml", (*CONTAINER, "livenessProbe", "httpGet", "port")),
        ),
    ],
    ids=["default", "file", "last-file", "ignored", "inline", "object", "parameter", "override", "quoted", "template"],
)
def test_the_text_that_gives_a_charts_value(repo, tools, more, files, field, expected):
    found = locate(repo({**CHART, "a.yaml": app("web", "chart", more), **files}).open(tools), "web", field)
    assert found.status == "located"
    assert where(found.places[0]) == expected
    assert found.places[0].proof == (
        "proved" if tools.helm and "templates" not in expected[0] else found.places[0].proof
    )


def test_equal_values_are_told_apart_by_canaries(repo, tools):
    found = locate(repo({**CHART, "a.yaml": app("web", "chart")}).open(tools), "web", ("spec", "revisionHistoryLimit"))
    assert [where(place) for place in found.places] == [("chart/values.yaml", ("other",))]


def test_an_image_stands_in_several_places(repo, tools):
    found = locate(
        repo(
            {
                **CHART,
                "a.yaml": app("web", "chart", "    helm:\n      valuesObject:\n        image:\n          tag: '1.1'\n"),
            }
        ).open(tools),
        "web",
        (*CONTAINER, "image"),
    )
    assert [where(place) for place in found.places] == [
        ("chart/values.yaml", ("image", "repository")),
        ("a.yaml", ("spec", "source", "helm", "valuesObject", "image", "tag")),
    ]


def test_limits_are_inserted_under_the_value_that_the_chart_writes_out(repo, tools):
    opened = repo({**CHART, "a.yaml": app("web", "chart")}).open(tools)
    found = locate(opened, "web", (*CONTAINER, "resources", "limits", "memory"))
    assert (found.status, where(found.places[0])) == (
        "insert",
        ("chart/values.yaml", ("resources", "limits", "memory")),
    )
    assert arrives(opened, found, "256Mi")


def test_new_values_go_to_the_file_that_feeds_only_this_application(repo, tools):
    more = "    helm:\n      valueFiles: [{name}.yaml]\n"
    files = {
        **CHART,
        "a.yaml": app("web", "chart", more.format(name="web")),
        "b.yaml": app("shop", "chart", more.format(name="shop")),
        "chart/web.yaml": "replicaCount: 2\n",
        "chart/shop.yaml": "replicaCount: 2\n",
    }
    opened = repo(files).open(tools)
    found = locate(opened, "web", (*CONTAINER, "resources", "limits", "memory"))
    assert where(found.places[0]) == ("chart/web.yaml", ("resources", "limits", "memory"))
    assert found.places[0].also_feeds == ()
    shared = locate(opened, "web", (*CONTAINER, "livenessProbe", "httpGet", "path"))
    assert shared.places[0].also_feeds == ("shop",)
    assert where(shared.candidates[0]) == ("chart/web.yaml", ("probe", "path"))


def test_values_of_an_umbrella_charts_dependency_stand_under_its_alias(repo, tools):
    sub = {name.replace("chart/", "umbrella/charts/chart/"): text for name, text in CHART.items()}
    files = {
        **sub,
        "umbrella/Chart.yaml": "apiVersion: v2\nname: umbrella\nversion: 1.0.0\ndependencies:\n- {name: chart, version: 1.0.0, alias: front}\n",
        "umbrella/values.yaml": "front:\n  replicaCount: 3\n",
        "a.yaml": app("web", "umbrella"),
    }
    opened = repo(files).open(tools)
    assert where(locate(opened, "web", ("spec", "replicas")).places[0]) == (
        "umbrella/values.yaml",
        ("front", "replicaCount"),
    )
    found = locate(opened, "web", (*CONTAINER, "livenessProbe", "httpGet", "path"))
    assert (found.status, where(found.places[0])) == ("insert", ("umbrella/values.yaml", ("front", "probe", "path")))


def test_values_files_of_another_source_are_followed(repo, tools):
    text = app("web", "chart", "    helm:\n      valueFiles: [$values/env/web.yaml]\n").replace(
        "  source:\n", "  sources:\n  - ref: values\n    repoURL: https://github.com/example/platform.git\n  -\n"
    )
    found = locate(
        repo({**CHART, "a.yaml": text, "env/web.yaml": "replicaCount: 8\n"}).open(tools), "web", ("spec", "replicas")
    )
    assert where(found.places[0]) == ("env/web.yaml", ("replicaCount",))


UMBRELLA = {
    "apps/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.0.0\ndependencies:\n- {name: app-template, version: 2.6.0, repository: https://charts.example.com}\n",
    "apps/web/values.yaml": "app-template:\n  controllers:\n    main:\n      containers:\n        main:\n          image: {repository: example.com/web, tag: '1.0'}\n        proxy:\n          image: {repository: example.com/proxy, tag: '2.0'}\n  service:\n    main: {ports: {http: {port: 80}}}\n",
    "a.yaml": app("web", "apps/web"),
}


@pytest.mark.parametrize(
    ("container", "field", "status", "tail"),
    [
        ("proxy", "image", "located", ("proxy", "image", "tag")),
        ("main", "image", "located", ("main", "image", "tag")),
        ("proxy", "resources.limits.memory", "insert", ("proxy", "resources", "limits", "memory")),
        ("proxy", "livenessProbe.periodSeconds", "unknown", ()),
        ("stranger", "image", "unknown", ()),
    ],
)
def test_a_chart_that_is_not_at_hand_is_answered_by_name_and_marked(repo, tools, container, field, status, tail):
    opened = repo(UMBRELLA).open(tools)
    match = opened.find(Subject(application="web", kind="Deployment", name="web", container=container))[0]
    found = opened.locate_field(match.application, field, match.manifest, container)
    assert found.status == status
    assert "not vendored" in found.reason
    for place in found.places:
        assert place.proof == "unproved"
    if tail:
        assert found.places[0].path[-len(tail) :] == tail


def test_who_else_owns_the_field_is_said(repo):
    scaler = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n  minReplicas: 2\n  maxReplicas: 9\n"
    text = (
        app("web", "web")
        + "  ignoreDifferences:\n  - group: apps\n    kind: Deployment\n    jsonPointers: [/spec/replicas]\n"
    )
    found = locate(repo({"a.yaml": text, "web/d.yaml": WEB, "web/h.yaml": scaler}).open(), "web", ("spec", "replicas"))
    assert any("HorizontalPodAutoscaler web owns replicas (2 to 9)" in note for note in found.places[0].notes)
    assert any("ignoreDifferences" in note for note in found.places[0].notes)


SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: set
spec:
  generators:
  - list:
      elements:
      - {name: web, revision: v1, replicas: '3'}
      - {name: shop, revision: v2, replicas: '4'}
  template:
    metadata:
      name: '{{name}}'
    spec:
      project: default
      source:
        repoURL: https://github.com/example/platform.git
        targetRevision: '{{revision}}'
        path: chart
        helm:
          parameters:
          - name: replicaCount
            value: '{{replicas}}'
          - name: probe.path
            value: /ready
      destination:
        server: https://kubernetes.default.svc
        namespace: '{{name}}'
"""


def test_fields_of_generated_applications_stand_in_the_set(repo, tools):
    opened = repo({**CHART, "set.yaml": SET}).open(tools)
    web = opened.application("web")
    assert where(opened.locate_field(web, "targetRevision").places[0]) == (
        "set.yaml",
        ("spec", "generators", 0, "list", "elements", 0, "revision"),
    )
    path = opened.locate_field(web, "path").places[0]
    assert (path.path, path.also_feeds) == (("spec", "template", "spec", "source", "path"), ("shop",))
    assert where(locate(opened, "web", ("spec", "replicas")).places[0]) == (
        "set.yaml",
        ("spec", "generators", 0, "list", "elements", 0, "replicas"),
    )
    probe = locate(opened, "web", (*CONTAINER, "livenessProbe", "httpGet", "path")).places[0]
    assert (where(probe), probe.also_feeds) == (
        ("set.yaml", ("spec", "template", "spec", "source", "helm", "parameters", 1, "value")),
        ("shop",),
    )


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("targetRevision", ("located", "a.yaml", ("spec", "source", "targetRevision"))),
        ("path", ("located", "a.yaml", ("spec", "source", "path"))),
        ("syncOptions", ("insert", "a.yaml", ("spec", "syncPolicy", "syncOptions"))),
        ("chartVersion", ("located", "chart/Chart.yaml", ("version",))),
    ],
)
def test_fields_of_an_application(repo, field, expected):
    opened = repo({**CHART, "a.yaml": app("web", "chart")}).open()
    found = opened.locate_field(opened.application("web"), field)
    assert (found.status, *where(found.places[0])) == expected


def test_two_charts_leave_the_version_to_a_person(repo):
    files = {
        "u/Chart.yaml": "apiVersion: v2\nname: u\nversion: 1.0.0\ndependencies:\n- {name: one, version: 1.0.0, repository: https://x}\n- {name: two, version: 2.0.0, repository: https://x}\n",
        "a.yaml": app("web", "u"),
    }
    opened = repo(files).open()
    found = opened.locate_field(opened.application("web"), "chartVersion")
    assert (found.status, len(found.candidates)) == ("ambiguous", 2)


def test_the_files_that_an_application_reads(repo):
    files = {
        **KUSTOMIZED,
        **CHART,
        "overlays/prod/kustomization.yaml": "resources:\n- ../../base\n",
        "c.yaml": app("chart", "chart", "    helm:\n      valueFiles: [/env/c.yaml]\n"),
        "env/c.yaml": "replicaCount: 3\n",
        "d.yaml": app("plain", "plain"),
        "plain/d.yaml": WEB,
    }
    opened = repo(files).open()
    assert opened.files_of(opened.application("web")) == [
        "a.yaml",
        "base/d.yaml",
        "base/kustomization.yaml",
        "overlays/prod/kustomization.yaml",
    ]
    assert opened.files_of(opened.application("chart")) == ["c.yaml", *sorted(CHART), "env/c.yaml"]
    assert opened.files_of(opened.application("plain")) == ["d.yaml", "plain/d.yaml"]


REGISTRY_APP = (
    app("web", "x")
    .replace("path: x", "chart: {chart}")
    .replace("https://github.com/example/platform.git", "https://charts.example.com")
)


def unseen(repo, chart, values, subject, field):
    """Locate a field of a workload whose chart is not here."""
    lines = "".join(f"        {line}\n" for line in values.splitlines())
    text = REGISTRY_APP.format(chart=chart).replace(
        "  destination:", f"    helm:\n      values: |\n{lines}  destination:"
    )
    opened = repo({"a.yaml": text}).open(Tools.none())
    match = opened.find(subject)[0]
    located = opened.locate_field(match.application, field, match.manifest, subject.container)
    return located.status, [".".join(map(str, place.inside)) for place in located.places]


LIMIT = "resources.limits.memory"


@pytest.mark.parametrize(
    ("values", "name", "container", "field", "answer"),
    [
        ("controllers:\n  main:\n    replicas: 1\n    containers:\n      app: {image: {tag: '1'}}\nservice: {main: {}}\n",
         "web", "", "replicas", ("located", ["controllers.main.replicas"])),
        ("controllers:\n  main:\n    containers:\n      app: {image: {tag: '1'}}\nservice: {main: {}}\n",
         "web", "", LIMIT, ("insert", ["controllers.main.containers.app.resources.limits.memory"])),
        ("controllers:\n  main: {replicas: 1}\n  jobs: {replicas: 2}\n", "web-jobs", "", "replicas", ("located", ["controllers.jobs.replicas"])),
        ("web:\n  reloadStrategy: annotations\n", "web", "web", LIMIT, ("unknown", [])),
        ("web:\n  image: {tag: '1'}\n", "web", "web", LIMIT, ("insert", ["web.resources.limits.memory"])),
        ("server:\n  ingress: {enabled: true}\n", "web-server", "", LIMIT, ("insert", ["server.resources.limits.memory"])),
        ("store:\n  spec:\n    resources: {limits: {memory: 2Gi}}\n    volumeClaimTemplate: {spec: {resources: {requests: {storage: 1Gi}}}}\n",
         "web-store", "", LIMIT, ("located", ["store.spec.resources.limits.memory"])),
    ],
)  # fmt: skip
def test_a_key_of_an_unseen_chart_is_taken_by_its_name_only_where_a_container_is_described(
    repo, values, name, container, field, answer
):
    subject = Subject(application="web", kind="Deployment", name=name, container=container)
    assert unseen(repo, "front", values, subject, field) == answer


def test_a_dependency_is_told_by_its_alias_in_the_name_of_the_workload(repo):
    entry = "- {{name: redis, alias: {alias}, version: 20.0.0, repository: https://charts.example.com}}\n"
    chart = "apiVersion: v2\nname: shop\nversion: 0.0.0\ndependencies:\n" + "".join(
        entry.format(alias=alias) for alias in ("sessions", "queue")
    )
    block = "{alias}:\n  master:\n    resources: {{limits: {{memory: 1Gi}}}}\n"
    values = "".join(block.format(alias=alias) for alias in ("sessions", "queue"))
    opened = repo({"u/Chart.yaml": chart, "u/values.yaml": values, "a.yaml": app("shop", "u")}).open(Tools.none())
    match = opened.find(Subject(application="shop", kind="StatefulSet", name="shop-queue-master"))[0]
    located = opened.locate_field(match.application, LIMIT, match.manifest, "redis")
    assert [where(place) for place in located.places] == [
        ("u/values.yaml", ("queue", "master", "resources", "limits", "memory"))
    ]


BROKEN_CHART = {
    **CHART,
    "chart/templates/broken.yaml": "kind: ConfigMap\nmetadata: {name: x}\ndata: {a: {{ .Values.none.such.key }}}\n",
    "a.yaml": app("web", "chart"),
}


def test_a_chart_that_helm_refuses_is_read_from_its_templates_and_marked_so(repo, helm):
    opened = repo(BROKEN_CHART).open(helm)
    web = opened.application("web")
    problems = opened.problems_of(web)
    assert any(problem.kind == "render" and problem.fault for problem in problems)
    assert not opened.rendering(web).sure
    found = locate(opened, "web", ("spec", "replicas"))
    assert (found.status, where(found.places[0]), found.places[0].proof) == (
        "located",
        ("chart/values.yaml", ("replicaCount",)),
        "read",
    )


def test_the_mending_of_a_chart_that_helm_refused_is_compared_with_nothing(repo, helm):
    opened = repo(BROKEN_CHART).open(helm)
    changed = opened.with_changes({"chart/templates/broken.yaml": None})
    assert {change.scope for change in opened.difference(changed)} == {"object"}
    assert all(change.before is MISSING for change in opened.difference(changed))
    broken = changed.with_changes({"chart/templates/broken.yaml": BROKEN_CHART["chart/templates/broken.yaml"].encode()})
    assert {change.scope for change in changed.difference(broken)} == {"failure", "object"}
    assert any(problem.kind == "render" for problem in changed.validate(broken))
