"""Of two workloads with one name, the one that describe showed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.remedies.small_repository import application, propose, workload

DESCRIBED = """$ kubectl describe pod web-5d7b9c6f8b-x2m7k -n shop
Name:             web-5d7b9c6f8b-x2m7k
Namespace:        shop
Priority:         0
Service Account:  default
Node:             worker-a/10.0.0.4
Labels:           app=web
                  pod-template-hash=5d7b9c6f8b
Status:           Running
IP:               10.1.0.7
Controlled By:    ReplicaSet/web-5d7b9c6f8b
Containers:
  web:
    Image:         example.com/web:1.0
    Port:          8080/TCP
    State:          Running
    Ready:          False
    Restart Count:  6
    Liveness:  http-get http://:8081/ delay=0s timeout=1s period=10s #success=1 #failure=3
    Environment:
      STAGE:  {stage}
Conditions:
  Type    Status
  Ready   False
Node-Selectors:  <none>
Events:
  Type     Reason     Age                    From     Message
  ----     ------     ---                    ----     -------
  Warning  Unhealthy  4m50s (x9 over 5m45s)  kubelet  Liveness probe failed: Get "http://10.1.0.7:8081/": dial tcp 10.1.0.7:8081: connect: connection refused
"""


def stages(*names: str) -> dict[str, str]:
    files = {}
    for name in names:
        probe = {"httpGet": {"path": "/", "port": 8081}}
        box: dict[str, Any] = {
            "ports": [{"containerPort": 8080}],
            "livenessProbe": probe,
            "env": [{"name": "STAGE", "value": name}],
        }
        files[f"apps/{name}.yaml"] = yaml.safe_dump(application(f"web-{name}", name))
        files[f"{name}/web.yaml"] = yaml.safe_dump(workload(box), sort_keys=False)
    return files


@pytest.mark.parametrize("stage", ["blue", "green"])
def test_the_one_that_was_shown_is_meant(tmp_path: Path, stage: str) -> None:
    assert set(propose(tmp_path, stages("blue", "green"), DESCRIBED.format(stage=stage)).changed) == {
        f"{stage}/web.yaml"
    }


def test_none_is_guessed_where_both_contradict_alike(tmp_path: Path) -> None:
    assert propose(tmp_path, stages("blue", "green"), DESCRIBED.format(stage="red")).actions == []
