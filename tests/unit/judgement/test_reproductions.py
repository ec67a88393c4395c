"""A failure that shows here too is ended by the smallest change that makes it go away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.unit.remedies.small_repository import application, propose, shop, workload

pytestmark = pytest.mark.needs_tools("helm")

CHART = {
    "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "web/values.schema.json": json.dumps({"properties": {"count": {"type": "integer"}, "tag": {"type": "string"}}}),
    "web/templates/web.yaml": yaml.safe_dump(workload())
    .replace("replicas: 1", "replicas: {{ .Values.count }}")
    .replace("example.com/web:1.0", "'example.com/web:{{ .Values.tag }}'"),
}
REFUSED = (
    'time="2026-03-20T09:24:42Z" level=error msg="`helm template . --name-template web --namespace shop --kube-version 1.32`'
    " failed exit status 1: Error: values don't meet the specifications of the schema(s) in the following chart(s):"
    '\\nweb:\\n- count: Invalid type. Expected: integer, given: string"\n'
)


def values(count: str, tag: str) -> dict[str, str]:
    return {"web/values.yaml": f"count: {count}\ntag: {tag}\n"}


def test_of_a_commit_only_the_part_that_fails_is_taken_back(tmp_path: Path) -> None:
    now = {**shop(), **CHART, **values("'3'", "'1.10'")}
    told = propose(tmp_path, now, REFUSED, before=[values("2", "'1.9'")])
    assert told.changed == values("2", "'1.10'")


def test_what_fails_without_a_commit_that_brought_it_is_left_to_a_person(tmp_path: Path) -> None:
    now = {**shop(), **CHART, **values("'3'", "'1.10'")}
    assert not propose(tmp_path, now, REFUSED, before=[values("'2'", "'1.9'")]).changed


def test_a_chart_that_renders_here_is_not_reproduced(tmp_path: Path) -> None:
    now = {**shop(), **CHART, **values("3", "'1.10'")}
    assert not propose(tmp_path, now, REFUSED, before=[values("2", "'1.9'")]).changed


SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: web
  namespace: argocd
spec:
  goTemplate: true
  goTemplateOptions: ["missingkey=error"]
  generators:
    - git:
        repoURL: https://example.com/shop.git
        revision: main
        files:
          - path: stages/*/stage.yaml
  template:
    metadata:
      name: 'web-{{ .path.basename }}'
    spec:
      project: default
      source:
        repoURL: https://example.com/shop.git
        targetRevision: main
        path: '{{ .manifests }}'
      destination:
        server: https://kubernetes.default.svc
        namespace: shop
"""
NO_KEY = """\
$ kubectl -n argocd describe applicationset web
Name:         web
Namespace:    argocd
Kind:         ApplicationSet
Status:
  Conditions:
    Message:  failed to execute go template {{ .manifests }}: template: :1:3: executing "" at <.manifests>: map has no entry for key "manifests"
    Reason:   RenderTemplateParamsError
    Status:   True
    Type:     ErrorOccurred
"""


def stages(key: str) -> dict[str, str]:
    """Return a set with two stages, of which one has its key written as given."""
    return {
        "sets/web.yaml": SET,
        "web/web.yaml": yaml.safe_dump(workload()),
        "stages/live/stage.yaml": "manifests: web\n",
        "stages/test/stage.yaml": f"# beside the others\n{key}: web\n",
    }


def test_a_slip_of_the_missing_key_is_renamed(tmp_path: Path) -> None:
    told = propose(tmp_path, stages("manifest"), NO_KEY)
    assert told.changed == {"stages/test/stage.yaml": "# beside the others\nmanifests: web\n"}


def test_another_key_is_no_slip(tmp_path: Path) -> None:
    assert not propose(tmp_path, stages("folder"), NO_KEY).changed


def test_a_key_that_only_one_file_has_stands_for_the_one_that_all_others_have(tmp_path: Path) -> None:
    files = stages("manifests")
    files["sets/web.yaml"] = SET.replace("{{ .manifests }}", "{{ .plan.folder }}")
    files["stages/live/stage.yaml"] = "plan:\n  folder: web\n"
    files["stages/test/stage.yaml"] = "plan:\n  directory: web\n"
    told = propose(tmp_path, files, NO_KEY.replace(".manifests", ".plan.folder").replace('"manifests"', '"folder"'))
    assert told.changed == {"stages/test/stage.yaml": "plan:\n  folder: web\n"}


PATCHED = """\
$ argocd app get web
Name:               argocd/web
Project:            default
Sync Status:        Unknown
Health Status:      Healthy

CONDITION        MESSAGE  LAST TRANSITION
ComparisonError  Failed to load target state: rpc error: code = Unknown desc = Manifest generation error (cached): `kustomize build <path to cached source>/web` failed exit status 1: Error: no resource matches strategic merge patch "Deployment.v1.apps/api.[noNs]": no matches for Id Deployment.v1.apps/api.[noNs]; failed to find unique target for patch Deployment.v1.apps/api.[noNs]  2026-03-01 10:00:00 +0000 UTC
"""


def overlay(base: str, patch: str, *, more: str) -> dict[str, str]:
    """Return an Application of a kustomization whose patch names an object by the given name."""
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": patch}, "spec": {"replicas": 3}}
    other = {**body, "metadata": {"name": more}, "spec": {"paused": False}}
    return {
        **shop(),
        "web/kustomization.yaml": "resources: [api.yaml]\npatches:\n  - path: size.yaml\n  - path: pause.yaml\n",
        "web/api.yaml": yaml.safe_dump(workload(name=base)),
        "web/size.yaml": yaml.safe_dump(body, sort_keys=False),
        "web/pause.yaml": yaml.safe_dump(other, sort_keys=False),
    }


def test_a_patch_follows_the_renaming_of_its_object(tmp_path: Path) -> None:
    now = overlay("shop-api", "api", more="shop-api")
    told = propose(tmp_path, now, PATCHED, before=[overlay("api", "api", more="api")])
    assert list(told.changed) == ["web/size.yaml"]
    assert told.value("metadata.name", "web/size.yaml") == "shop-api"


def test_a_patch_of_an_object_that_nobody_renamed_is_left(tmp_path: Path) -> None:
    assert not propose(tmp_path, overlay("shop-api", "api", more="shop-api"), PATCHED).changed


NULLED = """\
$ argocd app get web
Name:               argocd/web
Project:            default
Sync Status:        Unknown
Health Status:      Healthy

CONDITION        MESSAGE  LAST TRANSITION
ComparisonError  Failed to load target state: rpc error: code = Unknown desc = Manifest generation error (cached): `helm template . --name-template web` failed exit status 1: Error: web/templates/monitor.yaml:1:14 executing "web/templates/monitor.yaml" at <.Values.metrics.enabled>: nil pointer evaluating interface {}.enabled  2026-03-01 10:00:00 +0000 UTC
"""


def emptied(metrics: str) -> dict[str, str]:
    """Return a chart in git whose defaults one values file takes away."""
    app = application("web", "web")
    app["spec"]["source"]["helm"] = {"valueFiles": ["site.yaml"]}
    return {
        "apps/web.yaml": yaml.safe_dump(app, sort_keys=False),
        "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        "web/values.yaml": "metrics:\n  enabled: false\n",
        "web/site.yaml": f"replicas: 2\nmetrics:{metrics}\n",
        "web/templates/monitor.yaml": "{{- if .Values.metrics.enabled }}\nkind: ConfigMap\n{{- end }}\n",
        "web/templates/web.yaml": yaml.safe_dump(workload()),
    }


def test_a_key_without_a_value_keeps_the_defaults_of_the_chart(tmp_path: Path) -> None:
    told = propose(tmp_path, emptied(""), NULLED)
    assert told.changed == {"web/site.yaml": "replicas: 2\nmetrics: {}\n"}
