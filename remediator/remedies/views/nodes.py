"""Nodes of the cluster as the evidence shows them: labels, capacity, taints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.remedies.engine.case import RemedyContext

VOCABULARY: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/os": ("linux", "windows"),
    "beta.kubernetes.io/os": ("linux", "windows"),
    "kubernetes.io/arch": ("amd64", "arm64", "arm", "ppc64le", "s390x", "riscv64"),
    "beta.kubernetes.io/arch": ("amd64", "arm64", "arm", "ppc64le", "s390x", "riscv64"),
    "kubernetes.io/hostname": (),
    "topology.kubernetes.io/zone": (),
    "topology.kubernetes.io/region": (),
    "node.kubernetes.io/instance-type": (),
    "node-role.kubernetes.io/control-plane": (),
    "node-role.kubernetes.io/worker": (),
}
"""Labels that kubelets and clouds set, with their possible values where these are few.

Source: kubernetes.io/docs/reference/labels-annotations-taints.
"""


@dataclass(frozen=True)
class ClusterNode:
    """One node, as far as the evidence shows it."""

    name: str
    labels: Mapping[str, str]
    complete: bool
    """True where all labels are shown, False where only some columns of them are."""
    facts: Mapping[str, str]

    def quantity(self, resource: str) -> Decimal | None:
        """Return the largest amount of a resource that the node can give; None where it is not shown."""
        key = "".join(char if char.isalnum() else "_" for char in resource.lower())
        return quantities.parse(
            self.facts.get(f"allocatable_{key}")
            or self.facts.get(f"capacity_{key}")
            or self.facts.get(f"status_allocatable_{key}")
        )

    @property
    def described(self) -> bool:
        """True where any of its resources is shown."""
        return any(key.startswith(("allocatable_", "capacity_", "status_allocatable_")) for key in self.facts)


def nodes_of(case: RemedyContext, columns: tuple[str, ...] = ()) -> list[ClusterNode]:
    """Return every node of the evidence; `columns` are label keys, of which a table shows the last part as a heading."""
    merged: dict[str, dict[str, str]] = {}
    for evidence in case.statements:
        if evidence.subject.kind == "Node" and evidence.subject.name and evidence.channel in ("status", "text"):
            merged.setdefault(evidence.subject.name, {}).update(
                {
                    key: value
                    for key, value in evidence.facts.items()
                    if value or key not in merged[evidence.subject.name]
                }
            )
    return [_node(name, facts, columns) for name, facts in merged.items()]


def _node(name: str, facts: dict[str, str], columns: tuple[str, ...]) -> ClusterNode:
    labels = {}
    for pair in facts.get("labels", "").split(", "):
        key, equals, value = pair.strip().partition("=")
        if equals:
            labels[key] = value
    complete = bool(labels)
    for key in columns:
        column = "".join(char if char.isalnum() else "_" for char in key.rpartition("/")[2].lower())
        if key not in labels and facts.get(column) and column not in ("status", "roles", "age", "version"):
            labels[key] = facts[column]
    return ClusterNode(name, labels, complete, facts)


def total_nodes(evidence: Sequence[Evidence]) -> int:
    """Return the number of nodes in the scheduler's message; 0 where it has none."""
    return max(
        (int(count) for statement in evidence if (count := statement.facts.get("nodes", "")).isdigit()), default=0
    )
