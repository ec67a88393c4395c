"""`remediator check` names what cannot be right, for people and machines, and says so by its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remediator.cli import main
from tests.unit.remedies.small_repository import shop, workload


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def service(port: str) -> dict[str, object]:
    ports = [{"port": 80, "targetPort": port}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": ports},
    }


WEB = workload({"ports": [{"name": "http", "containerPort": 8080}]})


def test_a_contradiction_is_named_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, shop(web=WEB, service=service("htpt")))
    assert main(["check", "--repo", str(tmp_path)]) == 3
    assert capsys.readouterr().out == (
        "! Service web forwards to port htpt, which no container behind it declares\n"
        "  web/service.yaml  spec.ports[0].targetPort → http  (service_target_port_exists)\n"
    )


def test_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, shop(web=WEB, service=service("htpt")))
    assert main(["check", "--repo", str(tmp_path), "--application", "web", "--json"]) == 3
    (item,) = json.loads(capsys.readouterr().out)
    assert item["path"] == "spec.ports[0].targetPort"
    assert item["expected"] == "http"


def test_where_everything_fits_it_exits_with_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, shop(web=WEB, service=service("http")))
    assert main(["check", "--repo", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "✓ no contradiction in 1 Application\n"


@pytest.mark.parametrize(
    ("arguments", "said"), [((), "nothing to check"), (("--application", "api"), "no Application api")]
)
def test_what_cannot_be_checked_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    if arguments:
        write(tmp_path, shop(web=WEB))
    assert main(["check", "--repo", str(tmp_path), *arguments]) == 2
    assert said in capsys.readouterr().err
