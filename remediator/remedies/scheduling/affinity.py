"""Pods that keep each other away, or wait for neighbours and topologies that are nowhere."""

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
_ONE_PER_NODE = re.compile(
    r"(?P<count>\d+) node\(s\) didn't (?:match pod anti-affinity rules|have free ports for the requested pod ports)"
)


def fix_affinity(case: RemedyContext) -> Iterator[Fix]:
    """As many replicas as nodes that admit one each; or the topology key or neighbour's label that was misspelt."""
    for one in case.signals(*case.action.ends):
        for target in case.targets:
            yield from _fewer_replicas(case, target, one)
            yield from _topology_keys(case, target, one)
            yield from _neighbours(case, target, one)


def _fewer_replicas(case: RemedyContext, target: Match, one: Evidence) -> Iterator[Fix]:
    """Where each node admits one pod of this workload: the scheduler's count of nodes that hold one already."""
    manifest = target.manifest
    found = _ONE_PER_NODE.search(one.text)
    replicas = manifest.body.get("spec", {}).get("replicas")
    if (
        found is None
        or not isinstance(replicas, int)
        or manifest.kind not in ("Deployment", "StatefulSet", "ReplicaSet", "Rollout")
    ):
        return
    room = int(found["count"])
    running = _running(case, target)
    if not (_shuns_itself(manifest) or _host_port(manifest)) or not 0 < room < replicas or _autoscaled(case, target):
        return
    if running is not None and running > room:
        return
    yield Fix(
        title=f"run {room} replicas of `{manifest.name}` instead of {replicas}",
        reason=f"Each node admits one pod of `{manifest.name}`, and {room} nodes hold one already; {replicas} can never run.",
        evidence=case.cite(one),
        wants=(Want(target.application, manifest, ("spec", "replicas"), room),),
        parameters={"from": str(replicas), "to": str(room)},
        score=0.65,
        accepts=within(low=Decimal(1), high=Decimal(room)),
    )


def _running(case: RemedyContext, target: Match) -> int | None:
    """Pods of the workload that run, by a table of pods; None where no such table was shown."""
    states = {
        one.subject.pod: one.reason
        for one in case.statements
        if one.channel == "status"
        and one.subject.pod
        and one.subject.name == target.manifest.name
        and one.facts.get("ready")
    }
    return sum(1 for reason in states.values() if reason == "Running") if states else None


def _terms(manifest: Manifest, kind: str) -> Iterator[tuple[dict[str, Any], YamlPath]]:
    """Required terms of `podAffinity` or `podAntiAffinity`, with their paths."""
    found = manifest.pod_spec()
    if found is None:
        return
    path = (*found[1], "affinity", kind, _REQUIRED)
    terms = get(manifest.body, path)
    for index, term in enumerate(terms if isinstance(terms, list) else ()):
        if isinstance(term, dict):
            yield term, (*path, index)


def _shuns_itself(manifest: Manifest) -> bool:
    """Whether a required anti-affinity keeps the workload's own pods on different nodes."""
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


def _host_port(manifest: Manifest) -> bool:
    return any(
        isinstance(port, dict) and port.get("hostPort")
        for body, _, _ in manifest.containers()
        for port in body.get("ports") or ()
    )


def _autoscaled(case: RemedyContext, target: Match) -> bool:
    """Whether an autoscaler owns the replicas: what stands in the workload is then not what counts."""
    for manifest in case.namespace_objects(target, "HorizontalPodAutoscaler", "ScaledObject"):
        reference = manifest.body.get("spec", {}).get("scaleTargetRef") or {}
        if (
            reference.get("name") == target.manifest.name
            and reference.get("kind", target.manifest.kind) == target.manifest.kind
        ):
            return True
    return False


def _topology_keys(case: RemedyContext, target: Match, one: Evidence) -> Iterator[Fix]:
    """A topology key that no node has, one slip away from a label that nodes do have."""
    keys = [(key, path) for key, path in _topologies(target.manifest) if key]
    nodes = nodes_of(case, tuple(key for key, _ in keys))
    labels = {key for node in nodes for key in node.labels} | set(VOCABULARY)
    for key, path in keys:
        if key in labels or not (new := nearest(key, labels)):
            continue
        yield Fix(
            title=f"spread `{target.manifest.name}` over {new} instead of {key}",
            reason=f"No node has the label {key}; {new} is its name.",
            evidence=case.cite(one),
            wants=(Want(target.application, target.manifest, path, new),),
            parameters={"from": key, "to": new},
            score=0.8,
            accepts=different_value(key),
        )


def _topologies(manifest: Manifest) -> Iterator[tuple[str, YamlPath]]:
    found = manifest.pod_spec()
    if found is None:
        return
    spec, base = found
    for index, item in enumerate(spec.get("topologySpreadConstraints") or ()):
        if isinstance(item, dict) and item.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule":
            yield str(item.get("topologyKey", "")), (*base, "topologySpreadConstraints", index, "topologyKey")
    for term, path in _terms(manifest, "podAffinity"):
        yield str(term.get("topologyKey", "")), (*path, "topologyKey")


def _neighbours(case: RemedyContext, target: Match, one: Evidence) -> Iterator[Fix]:
    """A required neighbour whose label no pod of the namespace has, one slip away from one that does."""
    if "anti-affinity rules" in one.text and "affinity/anti-affinity" not in one.text:
        return
    pods = [pod_labels(manifest)[0] for manifest in case.namespace_objects(target) if manifest.pod_spec()]
    for term, path in _terms(target.manifest, "podAffinity"):
        selector = term.get("labelSelector")
        wanted = selector.get("matchLabels") if isinstance(selector, dict) else None
        if not isinstance(wanted, dict) or term.get("namespaces") or term.get("namespaceSelector"):
            continue
        for key, value in wanted.items():
            known = {labels[key] for labels in pods if key in labels}
            if str(value) in known or not (new := nearest(str(value), known)):
                continue
            yield Fix(
                title=f"look for neighbours with {key}={new} of `{target.manifest.name}`",
                reason=f"No workload here has pods with {key}={value}; {key}={new} exists.",
                evidence=case.cite(one),
                wants=(Want(target.application, target.manifest, (*path, "labelSelector", "matchLabels", key), new),),
                parameters={"label": key, "from": str(value), "to": new},
                score=0.75,
                accepts=different_value(value, among=known),
            )
