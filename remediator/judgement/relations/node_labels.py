"""Relations between the labels that pods ask of nodes, and the labels that nodes of today have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import mapping, pod_template
from remediator.judgement.world import World

RENAMED = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "node-role.kubernetes.io/master": "node-role.kubernetes.io/control-plane",
}
"""Node labels that Kubernetes has replaced: https://kubernetes.io/docs/reference/labels-annotations-taints/."""


def node_labels_are_current(world: World) -> Iterator[Broken]:
    """Yield pods that ask for a node label under a name that Kubernetes has replaced: new nodes do not carry it."""
    for workload in world.workloads:
        spec, base = pod_template(workload)
        changes = list(_asked(spec, base))
        for label in dict.fromkeys(label for label, _ in changes):
            (path, value), *rest = [pair for other, pairs in changes if other == label for pair in pairs]
            yield Broken(
                relation="node_labels_are_current", at=workload, path=path, value=value, sure=0.9,
                also=tuple((workload, at, new) for at, new in rest),
                message=f"Pods of {workload.name} ask nodes for the label {label}, which is {RENAMED[label]} by now",
                causes=("scheduling_failure",), words=(label, workload.name),
            )  # fmt: skip


def _asked(spec: dict[str, Any], base: YamlPath) -> Iterator[tuple[str, list[tuple[YamlPath, Any]]]]:
    """Yield each replaced label with the changes of fields that name the new one."""
    for label, value in mapping(spec.get("nodeSelector")).items():
        if label in RENAMED:
            yield label, [((*base, "nodeSelector", RENAMED[label]), value), ((*base, "nodeSelector", label), MISSING)]
    for part in ("topologySpreadConstraints", "affinity"):
        for path, label in _named(spec.get(part), (*base, part)):
            yield label, [(path, RENAMED[label])]


def _named(node: Any, path: YamlPath) -> Iterator[tuple[YamlPath, str]]:
    """Yield the fields below that name a replaced label: `topologyKey` and an expression's `key`."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _named(item, (*path, index))
    for key, value in node.items() if isinstance(node, dict) else ():
        if key in {"topologyKey", "key"} and value in RENAMED:
            yield (*path, key), str(value)
        elif isinstance(value, dict | list):
            yield from _named(value, (*path, key))
