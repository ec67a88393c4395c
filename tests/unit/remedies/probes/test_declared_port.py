"""A declared port on which nothing listens follows the program, where no setting decides on the port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import POD, Outcome, events, log, other, propose, shop, workload

REFUSED = events(
    (
        "Unhealthy",
        POD,
        'Readiness probe failed: Get "http://10.0.0.9:80/ready": dial tcp 10.0.0.9:80: connect: connection refused',
    )
)
STARTED = log("info: Hosting[14] Now listening on: http://[::]:8080", "info: Hosting[0] Application started")


def web(port: Any, **fields: Any) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/ready", "port": port}}
    return workload({"ports": [{"name": "http", "containerPort": 80}], "readinessProbe": probe, **fields})


def older(files: dict[str, str]) -> list[dict[str, str]]:
    return [{name: text.replace("example.com/web:1.0", "example.com/web:0.9") for name, text in files.items()}]


def told_by(folder: Path, files: dict[str, str]) -> Outcome:
    return propose(folder, files, REFUSED + STARTED, before=older(files))


def service(port: Any) -> dict[str, Any]:
    return other("Service", "web", {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": port}]})


def test_a_port_used_by_its_name_changes_in_one_place(tmp_path: Path) -> None:
    told = told_by(tmp_path, shop(web=web("http"), service=service("http")))
    assert told.value("spec.template.spec.containers.0.ports.0.containerPort") == 8080
    assert list(told.changed) == ["web/web.yaml"]


def test_a_port_used_by_its_number_changes_wherever_it_stands(tmp_path: Path) -> None:
    told = told_by(tmp_path, shop(web=web(80), service=service(80)))
    container = told.value("spec.template.spec.containers.0")
    assert (container["ports"][0]["containerPort"], container["readinessProbe"]["httpGet"]["port"]) == (8080, 8080)
    assert told.value("spec.ports.0.targetPort", "web/service.yaml") == 8080


@pytest.mark.parametrize("value", ["http://+:8080", "80"])
def test_where_a_setting_names_a_port_the_manifest_is_not_what_is_wrong(tmp_path: Path, value: str) -> None:
    told = told_by(tmp_path, shop(web=web("http", env=[{"name": "URLS", "value": value}])))
    assert not any("declare port" in item.title for outcome in told.outcomes for item in outcome.proposals)


def test_an_image_that_has_long_run_did_not_move_its_port(tmp_path: Path) -> None:
    assert not propose(tmp_path, shop(web=web("http"), service=service("http")), REFUSED + STARTED).changed
