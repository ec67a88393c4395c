"""What happened last is taken back where the evidence points at it, and never because it happened last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remediator.domain.yaml_paths import MISSING
from remediator.gitops import ObjectChange
from remediator.remedies.rollback.blame import (
    asks_less,
    complaint_text,
    distinctive_words,
    gives_more,
    less_capacity,
    on_field,
)
from tests.unit.remedies.small_repository import propose, shop, workload

EVENTS = "$ kubectl get events -n shop\nLAST SEEN   TYPE      REASON             OBJECT                  MESSAGE\n"
POD = "pod/web-6d5f8c7b9-x2k4p"
REFUSED = (
    "$ argocd app get web\nName:               argocd/web\nProject:            default\nNamespace:          shop\n"
    "Sync Status:        OutOfSync from main (3f9a2c1)\nHealth Status:      Healthy\n\nCONDITION  MESSAGE  LAST TRANSITION\n"
    "SyncError  Failed last sync attempt to 3f9a2c1: one or more objects failed to apply, reason: {} (retried 5 times).  2026-03-09 09:10:00 +0000 UTC\n"
)
STATEFUL = (
    'StatefulSet.apps "web" is invalid: spec: Forbidden: updates to statefulset spec for fields other than '
    "'replicas', 'template', 'updateStrategy' and 'minReadySeconds' are forbidden"
)


def event(reason: str, message: str) -> str:
    return f"{EVENTS}{'2m':<12}{'Warning':<10}{reason:<19}{POD:<24}{message}\n"


def container(**more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "env": [{"name": "TZ", "value": "UTC"}],
        "resources": {"requests": {"memory": "64Mi", "cpu": "50m"}, "limits": {"memory": "128Mi"}},
    }
    return body | more


@pytest.mark.parametrize(
    ("before", "log"),
    [
        pytest.param({"env": [{"name": "TZ", "value": "Europe/Oslo"}]}, event("Failed", 'Error: secret "gone-credentials" not found'), id="missing-secret"),
        pytest.param({"resources": {"requests": {"memory": "64Mi", "cpu": "50m"}, "limits": {"memory": "96Mi"}}}, event("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory."), id="limit-raised-no-room"),
        pytest.param({"resources": {"requests": {"memory": "96Mi", "cpu": "50m"}, "limits": {"memory": "128Mi"}}}, event("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory."), id="request-lowered-no-room"),
        pytest.param({"resources": {"requests": {"memory": "64Mi", "cpu": "50m"}, "limits": {"memory": "96Mi"}}}, event("Evicted", "The node was low on resource: memory. Threshold quantity: 96Mi, available: 12Mi."), id="a-figure-of-the-node"),
        pytest.param({"env": [{"name": "TZ", "value": "Europe/Oslo"}]}, REFUSED.format('Deployment.apps "web" is invalid: spec.template.spec.dnsPolicy: Invalid value: "Nowhere": is wrong'), id="another-field-is-invalid"),
        pytest.param({"env": [{"name": "TZ", "value": "Europe/Oslo"}]}, REFUSED.format('Deployment.apps "other" is invalid: spec.template.spec.containers[0].env[0].value: Invalid value: "UTC": is wrong'), id="another-object-is-invalid"),
    ],
)  # fmt: skip
def test_an_innocent_change_stays(tmp_path: Path, before: dict[str, Any], log: str) -> None:
    told = propose(tmp_path, shop(web=workload(container())), log, before=[shop(web=workload(container(**before)))])
    assert "roll_back" not in told.actions


def killed(limit: str) -> str:
    return (
        f"$ kubectl describe {POD} -n shop\nName:             web-6d5f8c7b9-x2k4p\nNamespace:        shop\n"
        "Controlled By:  ReplicaSet/web-6d5f8c7b9\nContainers:\n  web:\n    State:          Waiting\n      Reason:       CrashLoopBackOff\n"
        f"    Last State:     Terminated\n      Reason:       OOMKilled\n      Exit Code:    137\n    Limits:\n      memory:  {limit}\n"
    )


@pytest.mark.parametrize(("limit", "actions"), [("128Mi", ["raise_memory_limit"]), ("64Mi", [])])
def test_a_limit_that_never_ran_is_not_what_failed(tmp_path: Path, limit: str, actions: list[str]) -> None:
    now, older = (container(resources={"limits": {"memory": amount}}) for amount in ("128Mi", "512Mi"))
    told = propose(tmp_path, shop(web=workload(now)), killed(limit), before=[shop(web=workload(older))])
    assert told.actions[:1] == actions
    reason = next(outcome.reason for outcome in told.outcomes)
    assert ("the repository has 128Mi: that value is newer or not synced yet" in reason) == (not actions)


def test_a_setting_is_not_taken_back_for_memory_that_ran_out(tmp_path: Path) -> None:
    log = killed("128Mi")
    older = container(env=[{"name": "TZ", "value": "Europe/Oslo"}])
    told = propose(tmp_path, shop(web=workload(container())), log, before=[shop(web=workload(older))])
    assert "roll_back" not in told.actions
    assert told.actions[0] == "raise_memory_limit"


def test_a_field_that_is_complained_of_is_taken_back(tmp_path: Path) -> None:
    now, then = container(env=[{"name": "TZ", "value": "a"}], lifecycle={"postStart": {}}), container()
    log = REFUSED.format(
        'Deployment.apps "web" is invalid: spec.template.spec.containers[0].lifecycle.postStart: Required value: must specify a handler type'
    )
    told = propose(tmp_path, shop(web=workload(now)), log, before=[shop(web=workload(then))])
    assert told.actions == ["roll_back"]
    assert told.value("spec.template.spec.containers.0.env.0.value") == "a"
    assert "lifecycle" not in told.changed["web/web.yaml"]


def effect(path: tuple[str | int, ...], before: Any, after: Any) -> ObjectChange:
    return ObjectChange("web", "apps/v1", "Deployment", "web", "shop", path, before, after)


LIMITS = ("spec", "template", "spec", "containers", 0, "resources", "limits")


def test_which_way_a_quantity_was_turned() -> None:
    assert gives_more(effect((*LIMITS, "memory"), "64Mi", "128Mi"), "limits")
    assert gives_more(effect((*LIMITS, "memory"), "64Mi", MISSING), "limits")
    assert gives_more(effect(LIMITS[:-1], {"limits": {"memory": "64Mi"}}, MISSING), "limits")
    assert not gives_more(effect((*LIMITS, "memory"), "128Mi", "64Mi"), "limits")
    requests = (*LIMITS[:-1], "requests", "memory")
    assert asks_less(effect(requests, "1Gi", "64Mi"), ["memory"])
    assert not asks_less(effect(requests, "1Gi", "64Mi"), ["cpu"])
    assert not asks_less(effect(requests, "64Mi", "1Gi"), [])
    assert asks_less(effect((*LIMITS, "nvidia.com/gpu"), "2", MISSING), ["nvidia.com/gpu"])
    env = ("spec", "template", "spec", "containers", 0, "env", 0, "value")
    assert less_capacity(effect(env, "-Xmx2048m", "-Xmx512m"), "JAVA_OPTS")
    assert not less_capacity(effect(env, "-Xmx512m", "-Xmx2048m"), "JAVA_OPTS")
    assert not less_capacity(effect(env, "1001", "1000"), "PUID")
    assert not less_capacity(effect((*LIMITS, "memory"), "128Mi", "96Mi"), "")


def test_fields_as_the_api_server_names_them() -> None:
    path = ("spec", "template", "spec", "containers", 0, "ports", 1, "name")
    assert on_field(path, "spec.template.spec.containers[0].ports[1].name")
    assert on_field(path, "spec.template.spec.containers.ports.name")
    assert not on_field(path, "spec.template.spec.containers[0].ports[0].name")
    assert not on_field(path, "spec")
    assert on_field(("spec", "template", "metadata", "labels", "app.kubernetes.io/version"), "spec.template.labels")


def test_words_that_tell_something() -> None:
    assert distinctive_words(["value", "web", "UTC", "7"], ["web"]) == ["UTC"]
    assert "replicas" not in complaint_text([STATEFUL])
