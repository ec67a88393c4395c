"""What the rules may propose the model may try and conclude, and what it may not do directly it may not do round about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.judgement.model.shop import call, investigation
from tests.unit.judgement.model.test_outcome import concluded

UNSEEN = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: store, namespace: argocd}
spec:
  project: default
  source:
    repoURL: https://charts.example.com/stable
    chart: store
    targetRevision: 1.2.0
    helm:
      valuesObject:
        ingress:
          annotations: {team: shop}
        service:
          port: 80
  destination: {server: https://kubernetes.default.svc, namespace: shop}
"""
VALUES = "spec.source.helm.valuesObject"


def test_a_proposal_of_the_rules_is_concluded_by_its_id(tmp_path: Path) -> None:
    case = investigation(tmp_path)
    best = case.plan.proposals[0]
    result = concluded(case, tried=["R1"])
    assert result.draft == ""
    assert result.proposals[0].edits == best.edits
    assert result.note.startswith("It agrees with the rules.")


def test_a_number_that_the_rules_have_not_given_is_no_proposal(tmp_path: Path) -> None:
    case = investigation(tmp_path)
    number = len(case.plan.proposals) + 1
    answer = call(
        case,
        "conclude",
        cause="x",
        category="oom",
        severity="critical",
        cites=["E1"],
        tried=[f"R{number}"],
        confidence=1,
    )
    assert "no proved change has the id" in answer.text


def unseen(folder: Path, **edit: Any) -> str:
    case = investigation(folder, files={"argocd/store.yaml": UNSEEN}, rules=False)
    return call(case, "try_change", edits=[{"file": "argocd/store.yaml", **edit}], cites=["E1"]).text


@pytest.mark.parametrize(
    "edit",
    [
        {"op": "insert", "path": f'{VALUES}.ingress.annotations["example.com/size"]', "value": "8m"},
        {"path": f"{VALUES}.ingress.annotations", "value": {"team": "shop", "example.com/size": "8m"}},
    ],
    ids=["the entry", "the mapping"],
)
def test_an_entry_of_annotations_may_be_added_to_a_chart_that_is_not_at_hand(
    tmp_path: Path, edit: dict[str, Any]
) -> None:
    assert "passed the proof" in unseen(tmp_path, **edit)


@pytest.mark.parametrize(
    "edit",
    [
        {"op": "insert", "path": f"{VALUES}.service.nodePort", "value": 30080},
        {"path": f"{VALUES}.service", "value": {"port": 80, "nodePort": 30080}},
    ],
    ids=["the key", "the mapping"],
)
def test_a_new_key_of_a_chart_that_is_not_at_hand_is_refused_either_way(tmp_path: Path, edit: dict[str, Any]) -> None:
    assert "a new key" in unseen(tmp_path, **edit)


JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: store-migrate, namespace: shop}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: migrate, image: "registry.example.com/shop/store:1.4.2"}
"""
IMMUTABLE = """\
$ argocd app get store
Name:               argocd/store
Project:            default
Namespace:          shop
Sync Status:        OutOfSync from main (1f2e3d4)
Health Status:      Healthy

GROUP  KIND  NAMESPACE  NAME           STATUS     HEALTH   HOOK  MESSAGE
batch  Job   shop       store-migrate  SyncFailed  Healthy        Job.batch "store-migrate" is invalid: spec.template: Invalid value: {}: field is immutable
"""


@pytest.mark.parametrize(("value", "told"), [("Force=true,Replace=true", "passed"), ("Prune=false", "has run")])
def test_the_annotation_that_a_refusal_asks_for_passes(tmp_path: Path, value: str, told: str) -> None:
    case = investigation(tmp_path, log=IMMUTABLE, files={"apps/store/job.yaml": JOB}, rules=False)
    field = 'metadata.annotations["argocd.argoproj.io/sync-options"]'
    edit = {"kind": "Job", "name": "store-migrate", "field": field, "value": value}
    assert told in call(case, "try_change", edits=[edit], cites=["E1"]).text
