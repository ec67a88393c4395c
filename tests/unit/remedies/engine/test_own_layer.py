"""What one Application needs is written into its own values or overlay, not into a text that others read too."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.unit.remedies.small_repository import application, propose

REFUSED = 'FATAL giving up: pq: no pg_hba.conf entry for host "10.4.1.9", user "web", database "web", no encryption'


def log(*, beside: str = "") -> str:
    """Return what was pasted: the pod of the live environment, its log, and a sentence of a person."""
    return (
        f"{beside}\n$ kubectl --context live-eu logs -n shop web-5d7b9c6f8b-x2m7k\n"
        f"2026-03-02 10:11:12 info starting\n2026-03-02 10:11:13 {REFUSED}\n"
    )


def apps(source: dict[str, dict[str, object]]) -> dict[str, str]:
    """Return an Application for each environment, in a cluster of its name."""
    files = {}
    for name, more in source.items():
        body = application(f"web-{name}", "")
        body["spec"]["source"] |= more
        body["spec"]["destination"] = {"name": f"{name}-eu", "namespace": "shop"}
        files[f"apps/{name}.yaml"] = yaml.safe_dump(body, sort_keys=False)
    return files


POD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: example.com/web:1.0
"""
BASE = {
    "base/web.yaml": f"{POD}          envFrom: [{{configMapRef: {{name: web-env}}}}]\n",
    "base/kustomization.yaml": "resources: [web.yaml]\nconfigMapGenerator:\n  - name: web-env\n    literals:\n      - DB_HOST=db\n      - DB_SSLMODE=disable\n",
}
OVERLAY = "resources: [../base]\nconfigMapGenerator:\n  - name: web-env\n    behavior: merge\n    literals:\n      - LEVEL=info\n"


def overlays(*names: str) -> dict[str, str]:
    files = {f"{name}/kustomization.yaml": OVERLAY for name in names}
    return {**BASE, **files, **apps({name: {"path": name} for name in names})}


def test_a_literal_of_a_shared_base_is_set_in_the_overlay_of_the_cluster_that_the_command_names(tmp_path: Path) -> None:
    told = propose(tmp_path, overlays("live", "trial"), log())
    assert told.changed == {"live/kustomization.yaml": f"{OVERLAY}      - DB_SSLMODE=require\n"}
    assert not any(line.startswith("web-trial") for line in told.outcomes[0].proposals[0].rendered)


def test_a_literal_that_nobody_else_reads_is_set_where_it_stands(tmp_path: Path) -> None:
    told = propose(tmp_path, overlays("live"), log())
    changed = BASE["base/kustomization.yaml"].replace("disable", "require")
    assert told.changed == {"base/kustomization.yaml": changed}


CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "chart/templates/web.yaml": POD
    + "          args: {{- toYaml .Values.args | nindent 12 }}\n          env:\n            - {name: DB_SSLMODE, value: {{ .Values.sslMode }}}\n",
    "chart/values.yaml": "sslMode: disable\nargs: [--verbose, --port=80]\n",
    "live.yaml": "replicas: 2\n",
    "trial.yaml": "replicas: 1\n",
}


def charts(values: str, *names: str) -> dict[str, str]:
    sources = {name: {"path": "chart", "helm": {"valueFiles": [f"../{name}.yaml"]}} for name in names}
    return {**CHART, "chart/values.yaml": values, **apps(sources)}


def test_a_chart_default_that_others_read_is_overridden_in_the_own_values(tmp_path: Path) -> None:
    told = propose(tmp_path, charts(CHART["chart/values.yaml"], "live", "trial"), log())
    assert told.changed == {"live.yaml": "replicas: 2\nsslMode: require\n"}


def test_a_chart_default_of_one_reader_is_set_where_it_stands(tmp_path: Path) -> None:
    told = propose(tmp_path, charts(CHART["chart/values.yaml"], "live"), log())
    assert list(told.changed) == ["chart/values.yaml"]


def test_a_shared_default_is_itself_at_fault_where_another_reader_is_in_the_evidence(tmp_path: Path) -> None:
    files = charts(CHART["chart/values.yaml"], "live", "trial")
    told = propose(tmp_path, files, log(beside="the pods of web-trial do not start either, since this morning"))
    assert list(told.changed) in ([], ["chart/values.yaml"])


def test_an_item_of_a_shared_list_takes_the_whole_list_along(tmp_path: Path) -> None:
    files = charts("args:\n  - --verbose\n  - --db=postgres://db/web?sslmode=disable\n", "live", "trial")
    template = files["chart/templates/web.yaml"].partition("          env:")[0]
    told = propose(tmp_path, {**files, "chart/templates/web.yaml": template}, log())
    assert list(told.changed) == ["live.yaml"]
    assert yaml.safe_load(told.changed["live.yaml"]) == {
        "replicas": 2,
        "args": ["--verbose", "--db=postgres://db/web?sslmode=require"],
    }
