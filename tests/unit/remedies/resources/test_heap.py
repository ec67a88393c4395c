"""A full heap is raised to a share of the memory limit, where the limit leaves room; else nothing is proposed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import log, propose, shop, workload

V8 = log("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory")
JAVA = log('Exception in thread "main" java.lang.OutOfMemoryError: Java heap space')


def container(limit: str, **fields: Any) -> dict[str, Any]:
    return {"resources": {"limits": {"memory": limit}}, **fields}


@pytest.mark.parametrize(
    ("fields", "text", "path", "value"),
    [
        ({"env": [{"name": "NODE_OPTIONS", "value": "--enable-source-maps --max-old-space-size=512"}]}, V8, "env.0.value", "--enable-source-maps --max-old-space-size=1536"),
        ({"args": ["node", "--max_old_space_size=512", "server.js"]}, V8, "args.1", "--max_old_space_size=1536"),
        ({"env": [{"name": "JAVA_OPTS", "value": "-Xms256m -Xmx512m -Dfile.encoding=UTF-8"}]}, JAVA, "env.0.value", "-Xms256m -Xmx1536m -Dfile.encoding=UTF-8"),
    ],
)  # fmt: skip
def test_the_flag_is_raised_where_it_stands(
    tmp_path: Path, fields: dict[str, Any], text: str, path: str, value: str
) -> None:
    told = propose(tmp_path, shop(web=workload(container("2Gi", **fields))), text)
    assert told.actions[0] == "raise_heap"
    assert told.value(f"spec.template.spec.containers.0.{path}") == value


@pytest.mark.parametrize("limit", ["640Mi", "512Mi"])
def test_a_heap_that_fills_its_container_is_left(tmp_path: Path, limit: str) -> None:
    fields = {"env": [{"name": "NODE_OPTIONS", "value": "--max-old-space-size=480"}]}
    assert "raise_heap" not in propose(tmp_path, shop(web=workload(container(limit, **fields))), V8).actions


def test_of_two_flags_none_is_changed(tmp_path: Path) -> None:
    fields = {"env": [{"name": "A", "value": "-Xmx512m"}, {"name": "B", "value": "-Xmx256m"}]}
    assert "raise_heap" not in propose(tmp_path, shop(web=workload(container("2Gi", **fields))), JAVA).actions
