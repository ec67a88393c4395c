"""A killed container gets the limit on which its peers agree; one peer, or peers that differ, are no measure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import propose, shop, workload

LIMIT = "spec.template.spec.containers.0.resources.limits.memory"
KILLED = """\
Name:             web-5d7b9c6f8b-x2m7k
Namespace:        shop
Controlled By:    ReplicaSet/web-5d7b9c6f8b
Containers:
  web:
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Limits:
      memory:  200Mi
"""


def box(limit: str, heap: str = "-Xmx128m", image: str = "") -> dict[str, Any]:
    body: dict[str, Any] = {
        "resources": {"limits": {"memory": limit}},
        "env": [{"name": "JAVA_OPTS", "value": f"{heap} -Dx=1"}],
    }
    return body | ({"image": image} if image else {})


@pytest.mark.parametrize(
    ("peers", "limit"),
    [
        ([box("640Mi"), box("640Mi")], "640Mi"),
        ([box("640Mi")], "400Mi"),
        ([box("640Mi"), box("512Mi")], "400Mi"),
        ([box("640Mi", "-Xmx512m"), box("640Mi", "-Xmx512m")], "400Mi"),
        ([box("4Gi"), box("4Gi")], "400Mi"),
        ([box("100Mi"), box("100Mi")], "400Mi"),
    ],
    ids=["agreed", "one alone", "they differ", "another heap", "above the policy's bound", "lower"],
)
def test_the_limit_of_peers_goes_before_the_factor(tmp_path: Path, peers: list[dict[str, Any]], limit: str) -> None:
    more = {f"peer{number}": workload(peer, name=f"peer{number}") for number, peer in enumerate(peers)}
    assert propose(tmp_path, shop(web=workload(box("200Mi")), **more), KILLED).value(LIMIT) == limit


def test_containers_of_one_image_are_peers_where_no_heap_is_set(tmp_path: Path) -> None:
    def plain(limit: str, tag: str) -> dict[str, Any]:
        return {"image": f"example.com/worker:{tag}", "resources": {"limits": {"memory": limit}}}

    more = {f"peer{n}": workload(plain("320Mi", "1.1"), name=f"peer{n}") for n in range(2)}
    assert propose(tmp_path, shop(web=workload(plain("200Mi", "1.2")), **more), KILLED).value(LIMIT) == "320Mi"
