"""Pods that no node takes: selectors, affinities, tolerations, classes and requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remediator.domain.yaml_paths import MISSING
from tests.unit.remedies.small_repository import POD, Outcome, events, other, propose, shop, workload

UNMATCHED = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
NODES = """$ kubectl get nodes --show-labels
NAME       STATUS   ROLES    AGE   VERSION   LABELS
worker-a   Ready    <none>   41d   v1.31.2   kubernetes.io/os=linux,disktype=ssd,pool=general
worker-b   Ready    <none>   41d   v1.31.2   kubernetes.io/os=linux,disktype=nvme,pool=general

"""


def scheduling(message: str) -> str:
    return events(("FailedScheduling", POD, message))


def pending(tmp_path: Path, pod: Any, text: str, **files: Any) -> Outcome:
    return propose(tmp_path, shop(web=workload(pod=pod), **files), text)


def required(*expressions: dict[str, Any]) -> dict[str, Any]:
    terms = {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


@pytest.mark.parametrize(
    ("pod", "text", "path", "value"),
    [
        ({"nodeSelector": {"kubernetes.io/os": "linx"}}, "", "nodeSelector.kubernetes~io/os", "linux"),
        ({"nodeSelector": {"disktype": "nvmee"}}, NODES, "nodeSelector.disktype", "nvme"),
        ({"nodeSelector": {"pool": "generale", "disktype": "ssd"}}, NODES, "nodeSelector.pool", "general"),
        ({"nodeSelector": {"disk-type": "ssd"}}, NODES, "nodeSelector.disktype", "ssd"),
        ({"nodeSelector": {"gpu": "a100", "disktype": "ssd"}}, NODES, "nodeSelector.gpu", MISSING),
        ({"nodeSelector": {"gpu": "a100"}}, NODES, "nodeSelector", MISSING),
        (required({"key": "disktype", "operator": "In", "values": ["nvmee"]}), NODES, None, "nvme"),
        (required({"key": "kubernetes.io/arhc", "operator": "In", "values": ["amd64"]}), "", None, "kubernetes.io/arch"),
    ],
    ids=["well-known", "value", "one-of-two", "key", "dropped", "dropped-all", "affinity-value", "affinity-key"],
)  # fmt: skip
def test_a_node_label_is_one_that_nodes_have(tmp_path: Path, pod: Any, text: str, path: str | None, value: Any) -> None:
    told = pending(tmp_path, pod, scheduling(UNMATCHED) + text)
    assert told.actions[0] == "fix_node_selector"
    if path is None:
        assert f" {value}\n" in told.changed["web/web.yaml"]
    else:
        assert told.value(f"spec.template.spec.{path}") == value


@pytest.mark.parametrize(
    ("pod", "text"),
    [
        ({"nodeSelector": {"disktype": "tape"}}, NODES),
        ({"nodeSelector": {"gpu": "a100"}}, ""),
        ({"nodeSelector": {"disktype": "ssd", "kubernetes.io/os": "linux"}}, NODES),
        (required({"key": "gpu", "operator": "In", "values": ["a100"]}), NODES),
        ({}, NODES),
        ({"nodeSelector": {"gpu": "a100"}}, "$ kubectl get nodes -L pool\nNAME       STATUS   ROLES    AGE   VERSION   POOL\nworker-a   Ready    <none>   41d   v1.31.2   general\n"),
    ],
    ids=["other-value", "not-shown", "met", "affinity", "none", "columns"],
)  # fmt: skip
def test_a_node_label_stays_where_nothing_says_better(tmp_path: Path, pod: Any, text: str) -> None:
    assert pending(tmp_path, pod, scheduling(UNMATCHED) + text).actions == []


def shunning(replicas: int, key: str = "kubernetes.io/hostname", label: str = "web", **files: Any) -> dict[str, str]:
    term = {"labelSelector": {"matchLabels": {"app": label}}, "topologyKey": key}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return shop(web=workload(pod={"affinity": affinity}, spec={"replicas": replicas}), **files)


SHUNNED = "0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 node(s) didn't match pod anti-affinity rules."


def test_replicas_are_as_many_as_nodes_that_admit_one_each(tmp_path: Path) -> None:
    told = propose(tmp_path, shunning(5), scheduling(SHUNNED))
    assert told.value("spec.replicas") == 3


@pytest.mark.parametrize("reason", ["enough", "zone", "others", "autoscaled"])
def test_replicas_stay_where_the_nodes_are_not_what_is_short(tmp_path: Path, reason: str) -> None:
    scaler = other(
        "HorizontalPodAutoscaler",
        "web",
        {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 9},
        version="autoscaling/v2",
    )
    files = {
        "enough": shunning(3),
        "zone": shunning(5, "topology.kubernetes.io/zone"),
        "others": shunning(5, label="database"),
        "autoscaled": shunning(5, hpa=scaler),
    }[reason]
    assert propose(tmp_path, files, scheduling(SHUNNED)).actions == []


def test_a_topology_key_is_a_label_that_nodes_have(tmp_path: Path) -> None:
    spread = [
        {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zon",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "web"}},
        }
    ]
    text = scheduling(
        "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label)."
    )
    told = pending(tmp_path, {"topologySpreadConstraints": spread}, text)
    assert told.value("spec.template.spec.topologySpreadConstraints.0.topologyKey") == "topology.kubernetes.io/zone"


def test_a_neighbour_is_one_that_exists(tmp_path: Path) -> None:
    term = {"labelSelector": {"matchLabels": {"app": "cahce"}}, "topologyKey": "kubernetes.io/hostname"}
    pod = {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}
    text = scheduling("0/3 nodes are available: 3 node(s) didn't match pod affinity rules.")
    told = pending(tmp_path, pod, text, cache=workload(name="cache"))
    assert "app: cache\n" in told.changed["web/web.yaml"]


TAINTED = "0/2 nodes are available: 2 node(s) had untolerated taint {dedicated: batch}. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("toleration", "field", "value"),
    [
        ({"key": "dedicate", "operator": "Equal", "value": "batch", "effect": "NoSchedule"}, "key", "dedicated"),
        ({"key": "dedicated", "operator": "Equal", "value": "bacth", "effect": "NoSchedule"}, "value", "batch"),
    ],
)
def test_a_misspelt_toleration_names_the_taint(tmp_path: Path, toleration: Any, field: str, value: str) -> None:
    told = pending(tmp_path, {"tolerations": [toleration]}, scheduling(TAINTED))
    assert told.value(f"spec.template.spec.tolerations.0.{field}") == value


@pytest.mark.parametrize("tolerations", [[], [{"key": "gpu", "operator": "Exists"}]])
def test_no_toleration_is_added(tmp_path: Path, tolerations: Any) -> None:
    assert pending(tmp_path, {"tolerations": tolerations}, scheduling(TAINTED)).actions == []


def test_a_misspelt_priority_class_is_one_that_exists(tmp_path: Path) -> None:
    text = events(
        (
            "FailedCreate",
            "replicaset/web-5d7b9c6f8b",
            'Error creating: pods "web-5d7b9c6f8b-" is forbidden: no PriorityClass with name system-cluster-critcal was found',
        )
    )
    told = pending(tmp_path, {"priorityClassName": "system-cluster-critcal"}, text)
    assert told.value("spec.template.spec.priorityClassName") == "system-cluster-critical"


def resources(**requests: Any) -> dict[str, Any]:
    return {"resources": {"requests": {name.replace("_", "/"): value for name, value in requests.items()}}}


SHORT = "0/2 nodes are available: 2 Insufficient {}. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
NODE = """$ kubectl describe node worker-{0}
Name:               worker-{0}
Roles:              <none>
Labels:             kubernetes.io/os=linux
CreationTimestamp:  Tue, 11 Mar 2025 08:14:02 +0000
Taints:             <none>
Capacity:
  cpu:             4
  memory:          16Gi
  nvidia.com/gpu:  2
Allocatable:
  cpu:             4
  memory:          15Gi
  nvidia.com/gpu:  2

"""
TOP = """$ kubectl top pod -n shop
NAME                   CPU(cores)   MEMORY(bytes)
web-7c9f8b6d5f-abcde   12m          300Mi
"""
BOTH = NODE.format("a") + NODE.format("b")


@pytest.mark.parametrize(
    ("requests", "resource", "text", "value"),
    [
        ({"cpu": "4000"}, "cpu", "", "4000m"),
        ({"memory": "512Gi"}, "memory", BOTH, "512Mi"),
        ({"nvidia.com_gpu": 8}, "nvidia.com/gpu", BOTH, 2),
        ({"memory": "20Gi"}, "memory", BOTH, "7680Mi"),
        ({"memory": "20Gi"}, "memory", BOTH + TOP, "450Mi"),
    ],
    ids=["milli", "unit", "gpu", "half-a-node", "used"],
)
def test_a_request_is_what_a_node_can_give(tmp_path: Path, requests: Any, resource: str, text: str, value: Any) -> None:
    told = propose(tmp_path, shop(web=workload(resources(**requests))), scheduling(SHORT.format(resource)) + text)
    assert told.value(f"spec.template.spec.containers.0.resources.requests.{resource.replace('.', '~')}") == value


@pytest.mark.parametrize(
    ("requests", "resource", "text"),
    [
        ({"cpu": "2"}, "cpu", ""),
        ({"cpu": "2"}, "cpu", BOTH),
        ({"memory": "20Gi"}, "memory", NODE.format("a")),
        ({"nvidia.com_gpu": 1}, "nvidia.com/gpu", ""),
        ({"nvidia.com_gpu": 8}, "nvidia.com/gpu", NODE.format("a")),
    ],
    ids=["full", "fits", "one-node-shown", "no-nodes", "one-of-two-shown"],
)
def test_a_request_stays_where_the_cluster_is_just_full(
    tmp_path: Path, requests: Any, resource: str, text: str
) -> None:
    told = propose(tmp_path, shop(web=workload(resources(**requests))), scheduling(SHORT.format(resource)) + text)
    assert told.actions == []


def test_an_older_request_is_restored_where_it_was_clearly_less(tmp_path: Path) -> None:
    now, before = (shop(web=workload(resources(cpu=cpu))) for cpu in ("4", "250m"))
    told = propose(tmp_path, now, scheduling(SHORT.format("cpu")), before=[before])
    assert told.value("spec.template.spec.containers.0.resources.requests.cpu") == "250m"
    assert told.actions[0] == "lower_requests"


@pytest.mark.parametrize(("cordoned", "changes"), [(3, False), (1, True)], ids=["most", "one"])
def test_cordoned_nodes_are_no_reason_to_ask_for_less(tmp_path: Path, cordoned: int, changes: bool) -> None:
    old, new = (shop(web=workload({"resources": {"requests": {"cpu": cpu}}})) for cpu in ("200m", "900m"))
    why = f"0/4 nodes are available: {4 - cordoned} Insufficient cpu, {cordoned} node(s) were unschedulable."
    told = propose(tmp_path, new, events(("FailedScheduling", POD, why)), before=[old])
    assert bool(told.changed) is changes
    assert changes or "uncordon them" in told.outcomes[0].reason
