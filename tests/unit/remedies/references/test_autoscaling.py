"""Autoscalers that point at no workload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import events, other, propose, shop, workload


def scaler(name: str = "web", target: str = "web", kind: str = "Deployment") -> dict[str, Any]:
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": target}
    return other(
        "HorizontalPodAutoscaler",
        name,
        {"minReplicas": 1, "maxReplicas": 3, "scaleTargetRef": reference},
        version="autoscaling/v2",
    )


def failed(missing: str, scaled: str = "web", kind: str = "deployments") -> str:
    return events(("FailedGetScale", f"horizontalpodautoscaler/{scaled}", f'{kind}/scale.apps "{missing}" not found'))


@pytest.mark.parametrize(
    ("hpa", "workloads", "right"),
    [
        (scaler("api-hpa", "apii-server"), ["api-server", "web"], {"name": "api-server", "kind": "Deployment"}),
        (scaler("web", "frontend"), ["web", "api"], {"name": "web", "kind": "Deployment"}),
        (scaler("scale", "frontend"), ["web"], {"name": "web", "kind": "Deployment"}),
    ],
    ids=["slip", "own-name", "only"],
)
def test_the_workload_that_exists_is_scaled(
    tmp_path: Path, hpa: Any, workloads: list[str], right: dict[str, str]
) -> None:
    files = shop(hpa=hpa, work=[workload(name=name) for name in workloads])
    missing = hpa["spec"]["scaleTargetRef"]["name"]
    told = propose(tmp_path, files, failed(missing, hpa["metadata"]["name"]))
    found = told.value("spec.scaleTargetRef", "web/hpa.yaml")
    assert {key: found[key] for key in right} == right


def test_the_kind_of_the_workload_is_corrected(tmp_path: Path) -> None:
    told = propose(tmp_path, shop(hpa=scaler(), work=workload(kind="StatefulSet")), failed("web"))
    assert told.value("spec.scaleTargetRef.kind", "web/hpa.yaml") == "StatefulSet"


@pytest.mark.parametrize(
    ("hpa", "workloads", "missing"),
    [
        (scaler("scale", "frontend"), ["web", "api"], "frontend"),
        (scaler("web", "web"), ["web"], "web"),
        (scaler("web", "web"), ["web"], "wbe"),
    ],
    ids=["two", "there", "mended"],
)
def test_what_nobody_can_know_is_left_alone(tmp_path: Path, hpa: Any, workloads: list[str], missing: str) -> None:
    files = shop(hpa=hpa, work=[workload(name=name) for name in workloads])
    assert not propose(tmp_path, files, failed(missing, hpa["metadata"]["name"])).changed
