"""Faults that no text ends: a Job that has run, and a field that only the live object has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.remedies.small_repository import propose, shop


def job(image: str) -> dict[str, Any]:
    container = {"name": "build", "image": image}
    return {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "build"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }  # fmt: skip


def service(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, **spec}]},
    }  # fmt: skip


def refused(message: str) -> str:
    return (
        "$ argocd app get web\nName:               argocd/web\nNamespace:          shop\n"
        "Sync Status:        OutOfSync from main (5be0c13)\nHealth Status:      Healthy\n\n"
        f"CONDITION  MESSAGE\nSyncError  Failed last sync attempt to [5be0c13]: one or more objects failed to apply, reason: {message}\n"
    )


IMMUTABLE = refused(
    'Job.batch "build" is invalid: spec.template: Invalid value: core.PodTemplateSpec{}: field is immutable'
)
FORBIDDEN = refused(
    "Service \"web\" is invalid: spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"
)


def test_a_job_that_has_run_is_replaced_not_taken_back(tmp_path: Path) -> None:
    outcome = propose(tmp_path, shop(job=job("shop/build:2")), IMMUTABLE, before=[shop(job=job("shop/build:1"))])
    assert outcome.changed == {}
    assert "Force=true,Replace=true" in outcome.outcomes[0].reason


def test_a_field_of_the_live_object_alone_is_no_ones_edit(tmp_path: Path) -> None:
    outcome = propose(tmp_path, shop(web=service()), FORBIDDEN)
    assert outcome.changed == {}
    assert "replace the live object once" in outcome.outcomes[0].reason


def test_a_field_of_the_manifest_goes_back(tmp_path: Path) -> None:
    outcome = propose(tmp_path, shop(web=service(nodePort=30080)), FORBIDDEN, before=[shop(web=service())])
    assert outcome.actions == ["roll_back"]
    assert "nodePort" not in outcome.changed["web/web.yaml"]
