"""A wrong probe target is corrected in every probe of the container that holds it, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from tests.unit.remedies.small_repository import propose, shop, workload

REFUSED = """\
LAST SEEN   TYPE      REASON      OBJECT                         MESSAGE
14s         Warning   Unhealthy   pod/web-7d9c5b8f6d-x2x4z       Readiness probe failed: HTTP probe failed with statuscode: 404
12s         Warning   Unhealthy   pod/web-7d9c5b8f6d-x2x4z       Liveness probe failed: HTTP probe failed with statuscode: 404
"""


def probe(path: str, seconds: int) -> dict[str, object]:
    return {"httpGet": {"path": path, "port": 8080}, "timeoutSeconds": seconds}


def objects(readiness: str, liveness: str) -> dict[str, str]:
    container = {
        "ports": [{"containerPort": 8080}],
        "readinessProbe": probe(readiness, 1),
        "livenessProbe": probe(liveness, 5),
    }
    return shop(web=workload(container))


def test_both_probes_go_back_and_their_patience_stays(tmp_path: Path) -> None:
    told = propose(tmp_path, objects("/helthz", "/helthz"), REFUSED, before=[objects("/healthz", "/healthz")])
    assert told.changed["web/web.yaml"] == objects("/healthz", "/healthz")["web/web.yaml"]


def test_a_sibling_with_a_target_of_its_own_is_left_alone(tmp_path: Path) -> None:
    told = propose(
        tmp_path, objects("/helthz", "/alive"), REFUSED.rpartition("12s")[0], before=[objects("/healthz", "/alive")]
    )
    assert told.changed["web/web.yaml"] == objects("/healthz", "/alive")["web/web.yaml"]
