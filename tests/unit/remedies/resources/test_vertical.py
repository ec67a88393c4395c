"""A container that a vertical autoscaler keeps too small: its ceiling is raised, where it was killed at just that ceiling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import propose, shop, workload

KILLED = """\
Name:             web-5d7b9c6f8b-x2m7k
Namespace:        shop
Controlled By:    ReplicaSet/web-5d7b9c6f8b
Containers:
  web:
    Image:          example.com/web:1.0
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Restart Count:  9
    Limits:
      memory:  256Mi
"""
RECOMMENDED = """
$ kubectl -n shop get vpa web -o jsonpath='{.status.recommendation}' | jq .
{
      "uncappedTarget": { "cpu": "500m", "memory": "1610612736" },
}
"""


def scaler(ceiling: str, mode: str = "Auto") -> dict[str, Any]:
    rule = {"containerName": "web", "maxAllowed": {"memory": ceiling}}
    spec = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "updatePolicy": {"updateMode": mode}, "resourcePolicy": {"containerPolicies": [rule]},
    }  # fmt: skip
    return {
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": spec,
    }


def files(ceiling: str, mode: str = "Auto") -> dict[str, str]:
    return shop(web=workload({"resources": {"limits": {"memory": "1Gi"}}}), scaler=scaler(ceiling, mode))


PLACE = "spec.resourcePolicy.containerPolicies.0.maxAllowed.memory"


@pytest.mark.parametrize(("text", "value"), [(KILLED, "512Mi"), (KILLED + RECOMMENDED, "1920Mi")])
def test_the_ceiling_is_raised_by_the_factor_or_to_what_is_recommended(tmp_path: Path, text: str, value: str) -> None:
    told = propose(tmp_path, files("256Mi"), text)
    assert list(told.changed) == ["web/scaler.yaml"]
    assert told.value(PLACE, "web/scaler.yaml") == value


@pytest.mark.parametrize(
    ("ceiling", "mode"), [("512Mi", "Auto"), ("256Mi", "Off")], ids=["another ceiling", "only advice"]
)
def test_a_ceiling_that_was_not_reached_stays(tmp_path: Path, ceiling: str, mode: str) -> None:
    assert not propose(tmp_path, files(ceiling, mode), KILLED).changed
