"""The metrics server's flag, in a manifest and in the values of its chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.remedies.small_repository import application, log, propose, shop, workload

REFUSED = log(
    'E0511 21:57:06.607078 1 scraper.go:140] "Failed to scrape node" err="Get \\"https://10.0.0.4:10250/metrics/resource\\": x509: cannot validate '
    'certificate for 10.0.0.4 because it doesn\'t contain any IP SANs" node="worker-a"',
    pod="metrics-server-6467f65c76-z7t5v",
)
FLAG = "--kubelet-insecure-tls"


def server(*args: str, image: str = "registry.k8s.io/metrics-server/metrics-server:v0.7.2") -> dict[str, Any]:
    return workload({"image": image, "args": list(args)}, name="metrics-server")


def test_the_flag_goes_to_the_manifest(tmp_path: Path) -> None:
    told = propose(tmp_path, shop(web=server("--cert-dir=/tmp", "--secure-port=10250")), REFUSED)
    assert told.value("spec.template.spec.containers.0.args") == ["--cert-dir=/tmp", "--secure-port=10250", FLAG]


@pytest.mark.parametrize(
    "body",
    [server("--cert-dir=/tmp", FLAG), server("--cert-dir=/tmp", image="example.com/scraper:1")],
    ids=["there-already", "another"],
)
def test_no_other_program_gets_it(tmp_path: Path, body: Any) -> None:
    assert propose(tmp_path, shop(web=body), REFUSED).actions == []


@pytest.mark.parametrize(
    ("values", "key"), [("replicas: 2\nargs: []\n", "args"), ("defaultArgs:\n  - --cert-dir=/tmp\n", "defaultArgs")]
)
def test_the_flag_goes_to_the_values_of_a_chart_that_lies_elsewhere(tmp_path: Path, values: str, key: str) -> None:
    body = application("metrics-server", "")
    body["spec"]["source"] = {
        "repoURL": "https://kubernetes-sigs.github.io/metrics-server/", "chart": "metrics-server", "targetRevision": "3.12.2", "helm": {"values": values},
    }  # fmt: skip
    told = propose(tmp_path, {"apps/metrics.yaml": yaml.safe_dump(body, sort_keys=False)}, REFUSED)
    changed = yaml.safe_load(told.changed["apps/metrics.yaml"])["spec"]["source"]["helm"]["values"]
    assert yaml.safe_load(changed)[key][-1] == FLAG
