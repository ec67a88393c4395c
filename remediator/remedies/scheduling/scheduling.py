"""Pods that no node takes because of node labels, tolerations or missing classes.

A label is corrected towards labels that nodes are shown to have, well-known labels, or labels that other workloads use.
A toleration is never added: that would put pods on nodes which are kept for others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Manifest, Match
from remediator.remedies.engine.acceptable_values import different_value, exactly
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.intended_name import intended_name
from remediator.remedies.engine.spelling import is_typo, nearest
from remediator.remedies.views.nodes import VOCABULARY, ClusterNode, nodes_of

Changes = tuple[tuple[YamlPath, Any], ...]
"""Paths in the workload and the values that they should have."""

BUILT_IN_CLASSES = ("system-cluster-critical", "system-node-critical")


@dataclass(frozen=True)
class NodeDemand:
    """A label that a pod demands of its node: in the selector, or in an expression of a required affinity."""

    key: str
    value: str
    key_path: YamlPath
    """The path of the selector's entry (key and value in one), or of the expression's `key`."""
    value_path: YamlPath
    in_selector: bool


def node_demands(manifest: Manifest) -> Iterator[NodeDemand]:
    """Yield every label that a node must have, by `nodeSelector` and by required node affinity with one term."""
    pod = manifest.pod_spec()
    if pod is None:
        return
    spec, base = pod
    for key, value in (spec.get("nodeSelector") or {}).items():
        path = (*base, "nodeSelector", str(key))
        yield NodeDemand(str(key), _label_text(value), path, path, in_selector=True)
    affinity = (
        *base,
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    )
    terms = get(manifest.body, affinity)
    if not isinstance(terms, list) or len(terms) != 1 or not isinstance(terms[0], dict):
        return
    for index, item in enumerate(terms[0].get("matchExpressions") or ()):
        values = item.get("values") if isinstance(item, dict) else None
        if isinstance(values, list) and len(values) == 1 and item.get("operator") == "In":
            path = (*affinity, 0, "matchExpressions", index)
            yield NodeDemand(
                str(item.get("key", "")),
                _label_text(values[0]),
                (*path, "key"),
                (*path, "values", 0),
                in_selector=False,
            )


def _label_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def fix_node_selector(case: RemedyContext) -> Iterator[Fix]:
    """Demand the nearest label that nodes have, or remove a selector that no shown node meets."""
    evidence = case.signals(*case.action.ends)
    for target in case.targets:
        demanded = list(node_demands(target.manifest))
        if not demanded or not _selector_is_current(case, demanded):
            continue
        nodes = nodes_of(case, tuple(demand.key for demand in demanded))
        unmet = [demand for demand in demanded if _is_met(demand, nodes) is False]
        for demand in unmet or (demand for demand in demanded if demand.value not in VOCABULARY.get(demand.key, ())):
            yield from _older_label_fix(case, target, demand, nodes)
        if len(unmet) != 1:
            continue
        demand = unmet[0]
        if correction := _corrected_label(case, target, demand, nodes) or _removed_selector(target, demand, nodes):
            changes, why = correction
            new = next((str(value) for _, value in changes if value is not MISSING), "")
            yield Fix(
                title=_label_title(demand, changes, target.manifest.name),
                reason=f"No node has the label {demand.key}={demand.value}; {why}.",
                evidence=case.cite(*evidence),
                wants=tuple(Want.of(target, path, value) for path, value in changes),
                parameters={"label": demand.key, "from": demand.value, "to": new},
                score=0.8 if new else 0.6,
            )


def _label_title(demand: NodeDemand, changes: Changes, name: str) -> str:
    if all(value is MISSING for _, value in changes):
        return f"drop the node selector {demand.key}={demand.value} of `{name}`"
    path, value = changes[-1]
    if path == demand.value_path:
        return f"demand {demand.key}={value} of the nodes of `{name}` instead of {demand.value}"
    return f"demand the node label {path[-1] if demand.in_selector else value} for `{name}` instead of {demand.key}"


def _selector_is_current(case: RemedyContext, demanded: list[NodeDemand]) -> bool:
    """Return False where `kubectl describe` shows another selector than the repository: it was changed since."""
    pods = {piece.subject.pod for piece in case.signals(*case.action.ends) if piece.subject.pod}
    for statement in case.statements:
        if statement.subject.pod in pods and "node_selectors" in statement.facts:
            selector = {pair.strip() for pair in statement.facts["node_selectors"].split(",")} - {"", "<none>"}
            return selector == {f"{demand.key}={demand.value}" for demand in demanded if demand.in_selector}
    return True


def _is_met(demand: NodeDemand, nodes: list[ClusterNode]) -> bool | None:
    """Return True where a node has the label; None where the shown nodes do not tell."""
    values = [node.labels[demand.key] for node in nodes if demand.key in node.labels]
    if demand.value in values:
        return True
    if values or (nodes and all(node.complete for node in nodes)):
        return False
    if usual_values := VOCABULARY.get(demand.key):
        return None if demand.value in usual_values else False
    return False if demand.key not in VOCABULARY and nearest(demand.key, VOCABULARY) else None


def _older_label_fix(case: RemedyContext, target: Match, demand: NodeDemand, nodes: list[ClusterNode]) -> Iterator[Fix]:
    """Yield a fix to the older label, where nodes are known to have it or are not shown."""
    values = {node.labels[demand.key] for node in nodes if demand.key in node.labels}
    yield Fix(
        title=f"restore the demanded node label {demand.key}",
        reason=f"No node has the label {demand.key}={demand.value}.",
        evidence=case.cite(*case.signals(*case.action.ends)),
        wants=(Want.of(target, demand.value_path, demand.value),),
        parameters={"label": demand.key, "from": demand.value},
        score=0.0,
        accepts=different_value(demand.value, among=values, absent=True),
    )


def _corrected_label(
    case: RemedyContext, target: Match, demand: NodeDemand, nodes: list[ClusterNode]
) -> tuple[Changes, str] | None:
    """Return the change to the right value of the key, or to the right key of the value, where it is one slip away."""
    values = dict.fromkeys(node.labels[demand.key] for node in nodes if demand.key in node.labels)
    value = (
        nearest(demand.value, values)
        or nearest(demand.value, VOCABULARY.get(demand.key, ()))
        or _common_value(case, target, demand)
    )
    if value and (not values or value in values):
        return ((demand.value_path, value),), f"they have the value {value}"
    if values:
        return None
    keys = [key for node in nodes for key, label in node.labels.items() if label == demand.value]
    key = nearest(demand.key, keys) or nearest(demand.key, VOCABULARY)
    if not key or (nodes and all(node.complete for node in nodes) and key not in keys):
        return None
    if demand.in_selector:
        current = get(target.manifest.body, demand.value_path)
        return ((demand.value_path, MISSING), ((*demand.value_path[:-1], key), current)), f"the label's name is {key}"
    return ((demand.key_path, key),), f"the label's name is {key}"


def _common_value(case: RemedyContext, target: Match, demand: NodeDemand) -> str:
    """Return the value one slip away that other workloads demand of the same label."""
    values = {
        used.value
        for application in case.repository.applications
        for manifest in case.repository.objects(application)
        if (application, manifest.name) != (target.application, target.manifest.name)
        for used in node_demands(manifest)
        if used.key == demand.key
    }
    return nearest(demand.value, values - {demand.value})


def _removed_selector(target: Match, demand: NodeDemand, nodes: list[ClusterNode]) -> tuple[Changes, str] | None:
    """Return the removal of the demand, where all labels of all nodes are shown and none is similar."""
    if not demand.in_selector or not nodes or not all(node.complete for node in nodes):
        return None
    if any(demand.key in node.labels or nearest(demand.key, node.labels) for node in nodes):
        return None
    selector = demand.value_path[:-1]
    labels = get(target.manifest.body, selector)
    path = selector if isinstance(labels, dict) and len(labels) == 1 else demand.value_path
    return ((path, MISSING),), "all labels of all nodes are shown, and none is similar"


def fix_toleration(case: RemedyContext) -> Iterator[Fix]:
    """Correct a toleration that is one slip away from the taint that rejects the pod; never add one."""
    for piece in case.signals(*case.action.ends):
        taints = dict(_taints(piece.text))
        for target in case.targets:
            pod = target.manifest.pod_spec()
            if pod is None:
                continue
            spec, base = pod
            for index, item in enumerate(spec.get("tolerations") or ()):
                if not isinstance(item, dict):
                    continue
                for field, wrong, right in _near_taints(item, taints):
                    yield Fix(
                        title=f"tolerate {right} instead of {wrong} in `{target.manifest.name}`",
                        reason=f"The nodes' taint is {right}, and the toleration says {wrong}.",
                        evidence=case.cite(piece),
                        wants=(Want.of(target, (*base, "tolerations", index, field), right),),
                        parameters={"field": field, "from": wrong, "to": right},
                        score=0.75,
                        accepts=exactly(right),
                    )


def _taints(text: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"taints? \{(?P<key>[^:}\s]+): ?(?P<value>[^}\s]*)\}", text):
        yield match["key"], match["value"]


def _near_taints(item: dict[str, Any], taints: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield (field, wrong, right) of the taint that a toleration nearly names."""
    key, value = str(item.get("key", "")), str(item.get("value", ""))
    if key in taints:
        if item.get("operator") != "Exists" and is_typo(value, taints[key]):
            yield "value", value, taints[key]
    elif (right := nearest(key, taints)) and (item.get("operator") == "Exists" or value == taints[right]):
        yield "key", key, right


def fix_class_name(case: RemedyContext) -> Iterator[Fix]:
    """Correct the name of a missing priority or runtime class to an existing one that is a slip away."""
    for field, kind, signal in (
        ("priorityClassName", "PriorityClass", "priority_class_missing"),
        ("runtimeClassName", "RuntimeClass", "runtime_class_missing"),
    ):
        for piece in case.signals(signal):
            missing = piece.facts.get("missing", "")
            classes = _classes(case, kind) | (set(BUILT_IN_CLASSES) if kind == "PriorityClass" else set())
            for target in case.targets:
                pod = target.manifest.pod_spec()
                if pod is None or pod[0].get(field) != missing or missing in classes:
                    continue
                new, why = intended_name(case, missing, classes)
                yield Fix(
                    title=f"use {kind} `{new}` in `{target.manifest.name}` instead of `{missing}`"
                    if new
                    else f"restore {field} of `{target.manifest.name}`",
                    reason=f"There is no {kind} `{missing}`; {why}" if new else f"There is no {kind} `{missing}`.",
                    evidence=case.cite(piece),
                    wants=(Want.of(target, (*pod[1], field), new or missing),),
                    parameters={"field": field, "from": missing, "to": new},
                    score=0.8 if new else 0.0,
                    accepts=different_value(missing, absent=True),
                )


def _classes(case: RemedyContext, kind: str) -> set[str]:
    reported = {statement.subject.name for statement in case.statements if statement.subject.kind == kind}
    return reported | {
        manifest.name
        for app in case.repository.applications
        for manifest in case.repository.objects(app)
        if manifest.kind == kind
    } - {""}
