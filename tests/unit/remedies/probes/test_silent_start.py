"""A log that ends with the start, without an error, tells of a start that the probe cuts short."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.remedies.small_repository import POD, events, log, propose, shop, workload

PROBE = {"httpGet": {"path": "/health", "port": 3000}, "periodSeconds": 5, "failureThreshold": 3}
REFUSED = events(
    ("Unhealthy", POD, 'Startup probe failed: Get "http://10.1.0.7:3000/health": dial tcp 10.1.0.7:3000: connect: connection refused'),
    ("Killing", POD, "Container web failed startup probe, will be restarted"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["> web@1.0.0 start", "> node app.js"], 15),
        (["> web@1.0.0 start", "Error: Cannot find module 'express'"], None),
        (["> web@1.0.0 start", "waiting for database at db:5432"], None),
        (["> web@1.0.0 start", "Server listening on port 8080"], None),
        (["hello"], None),
    ],
    ids=["start alone", "error", "waits", "listens elsewhere", "no start"],
)
def test_a_start_that_is_cut_short_gets_more_time(tmp_path: Path, lines: list[str], expected: int | None) -> None:
    files = shop(web=workload({"ports": [{"containerPort": 3000}], "startupProbe": PROBE}))
    told = propose(tmp_path, files, REFUSED + log(*lines))
    path = "spec.template.spec.containers.0.startupProbe.failureThreshold"
    assert (told.value(path) if told.changed else None) == expected
