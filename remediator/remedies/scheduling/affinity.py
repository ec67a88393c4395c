"""Pods that exclude each other from nodes, or that need neighbours or topology keys that do not exist.

The number of replicas is lowered only where each node admits one pod and the scheduler says how many nodes have one; an
autoscaled workload is left alone, since its replicas are not decided in the manifest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath, get
from remediator.gitops import Manifest, Match
from remediator.remedies.engine.acceptable_values import different_value, within
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import nearest
from remediator.remedies.views.nodes import VOCABULARY, nodes_of
from remediator.remedies.views.service_view import pod_labels

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_OCCUPIED_NODES = re.compile(
    r"(?P<count>\d+) node\(s\) didn't (?:match pod anti-affinity rules|have free ports for the requested pod ports)"
)


def fix_affinity(case: RemedyContext) -> Iterator[Fix]:
    """Lower the replicas to the number of nodes, or correct a misspelt topology key or neighbour's label."""
    for piece in case.signals(*case.action.ends):
        for target in case.targets:
            yield from _fewer_replicas(case, target, piece)
            yield from _topology_keys(case, target, piece)
            yield from _neighbour_labels(case, target, piece)


def _fewer_replicas(case: RemedyContext, target: Match, piece: Evidence) -> Iterator[Fix]:
    """Lower the replicas to the number of nodes that have a pod, where each node admits one pod of the workload."""
    manifest = target.manifest
    match = _OCCUPIED_NODES.search(piece.text)
    replicas = manifest.body.get("spec", {}).get("replicas")
    if (
        match is None
        or not isinstance(replicas, int)
        or manifest.kind not in ("Deployment", "StatefulSet", "ReplicaSet", "Rollout")
    ):
        return
    room = int(match["count"])
    running = _running(case, target)
    if (
        not (_repels_itself(manifest) or _uses_host_port(manifest))
        or not 0 < room < replicas
        or _is_autoscaled(case, target)
    ):
        return
    if running is not None and running > room:
        return
    yield Fix(
        title=f"run {room} replicas of `{manifest.name}` instead of {replicas}",
        reason=f"Each node admits one pod of `{manifest.name}`, and {room} nodes have one already; {replicas} cannot run.",
        evidence=case.cite(piece),
        wants=(Want(target.application, manifest, ("spec", "replicas"), room),),
        parameters={"from": str(replicas), "to": str(room)},
        score=0.65,
        accepts=within(low=Decimal(1), high=Decimal(room)),
    )


def _running(case: RemedyContext, target: Match) -> int | None:
    """Return the number of the workload's running pods in a table of pods; None where no table is shown."""
    states = {
        statement.subject.pod: statement.reason
        for statement in case.statements
        if statement.channel == "status"
        and statement.subject.pod
        and statement.subject.name == target.manifest.name
        and statement.facts.get("ready")
    }
    return sum(1 for reason in states.values() if reason == "Running") if states else None


def _terms(manifest: Manifest, kind: str) -> Iterator[tuple[dict[str, Any], YamlPath]]:
    """Yield the required terms of `podAffinity` or `podAntiAffinity` with their paths."""
    pod = manifest.pod_spec()
    if pod is None:
        return
    path = (*pod[1], "affinity", kind, _REQUIRED)
    terms = get(manifest.body, path)
    for index, term in enumerate(terms if isinstance(terms, list) else ()):
        if isinstance(term, dict):
            yield term, (*path, index)


def _repels_itself(manifest: Manifest) -> bool:
    """Return True where a required anti-affinity keeps the workload's pods on different nodes."""
    labels, _ = pod_labels(manifest)
    return any(
        term.get("topologyKey") == "kubernetes.io/hostname" and _selects(term.get("labelSelector"), labels)
        for term, _ in _terms(manifest, "podAntiAffinity")
    )


def _selects(selector: Any, labels: Mapping[str, str]) -> bool:
    if not isinstance(selector, dict):
        return False
    exact = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    return (
        bool(exact or expressions)
        and all(labels.get(key) == str(value) for key, value in exact.items())
        and all(
            isinstance(item, dict)
            and item.get("operator") == "In"
            and labels.get(str(item.get("key"))) in [str(value) for value in item.get("values") or ()]
            for item in expressions
        )
    )


def _uses_host_port(manifest: Manifest) -> bool:
    return any(
        isinstance(port, dict) and port.get("hostPort")
        for body, _, _ in manifest.containers()
        for port in body.get("ports") or ()
    )


def _is_autoscaled(case: RemedyContext, target: Match) -> bool:
    """Return True where an autoscaler sets the replicas: the number in the workload has no effect then."""
    for manifest in case.namespace_objects(target, "HorizontalPodAutoscaler", "ScaledObject"):
        reference = manifest.body.get("spec", {}).get("scaleTargetRef") or {}
        if (
            reference.get("name") == target.manifest.name
            and reference.get("kind", target.manifest.kind) == target.manifest.kind
        ):
            return True
    return False


def _topology_keys(case: RemedyContext, target: Match, piece: Evidence) -> Iterator[Fix]:
    """Correct a topology key that no node has to a label of nodes that is one slip away."""
    keys = [(key, path) for key, path in _topologies(target.manifest) if key]
    nodes = nodes_of(case, tuple(key for key, _ in keys))
    labels = {key for node in nodes for key in node.labels} | set(VOCABULARY)
    for key, path in keys:
        if key in labels or not (new := nearest(key, labels)):
            continue
        yield Fix(
            title=f"spread `{target.manifest.name}` over {new} instead of {key}",
            reason=f"No node has the label {key}; {new} is its name.",
            evidence=case.cite(piece),
            wants=(Want.of(target, path, new),),
            parameters={"from": key, "to": new},
            score=0.8,
            accepts=different_value(key),
        )


def _topologies(manifest: Manifest) -> Iterator[tuple[str, YamlPath]]:
    pod = manifest.pod_spec()
    if pod is None:
        return
    spec, base = pod
    for index, item in enumerate(spec.get("topologySpreadConstraints") or ()):
        if isinstance(item, dict) and item.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule":
            yield str(item.get("topologyKey", "")), (*base, "topologySpreadConstraints", index, "topologyKey")
    for term, path in _terms(manifest, "podAffinity"):
        yield str(term.get("topologyKey", "")), (*path, "topologyKey")


def _neighbour_labels(case: RemedyContext, target: Match, piece: Evidence) -> Iterator[Fix]:
    """Correct the label of a required neighbour that no pod of the namespace has to one that is a slip away."""
    if "anti-affinity rules" in piece.text and "affinity/anti-affinity" not in piece.text:
        return
    pods = [pod_labels(manifest)[0] for manifest in case.namespace_objects(target) if manifest.pod_spec()]
    for term, path in _terms(target.manifest, "podAffinity"):
        selector = term.get("labelSelector")
        match_labels = selector.get("matchLabels") if isinstance(selector, dict) else None
        if not isinstance(match_labels, dict) or term.get("namespaces") or term.get("namespaceSelector"):
            continue
        for key, value in match_labels.items():
            values = {labels[key] for labels in pods if key in labels}
            if str(value) in values or not (new := nearest(str(value), values)):
                continue
            yield Fix(
                title=f"look for neighbours with {key}={new} of `{target.manifest.name}`",
                reason=f"No workload here has pods with {key}={value}; {key}={new} exists.",
                evidence=case.cite(piece),
                wants=(Want.of(target, (*path, "labelSelector", "matchLabels", key), new),),
                parameters={"label": key, "from": str(value), "to": new},
                score=0.75,
                accepts=different_value(value, among=values),
            )
