"""Pods that no node takes because of what they ask of its labels and of their neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Manifest, Match
from remediator.remedies.engine.acceptable_values import different_value, exactly
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import is_typo, nearest
from remediator.remedies.views.nodes import VOCABULARY, ClusterNode, nodes_of

Changes = tuple[tuple[YamlPath, Any], ...]
"""Paths in the workload and the values that they should have."""

BUILT_IN_CLASSES = ("system-cluster-critical", "system-node-critical")


@dataclass(frozen=True)
class Demand:
    """One label that a pod demands of its node: in the selector, or in a required affinity's expression."""

    key: str
    value: str
    key_path: YamlPath
    """Of the mapping entry (selector: key and value in one) or of the expression's `key`."""
    value_path: YamlPath
    in_selector: bool


def demands(manifest: Manifest) -> Iterator[Demand]:
    """Every label that must be there, of `nodeSelector` and of required node affinity with one term."""
    found = manifest.pod_spec()
    if found is None:
        return
    spec, base = found
    for key, value in (spec.get("nodeSelector") or {}).items():
        path = (*base, "nodeSelector", str(key))
        yield Demand(str(key), _text(value), path, path, in_selector=True)
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
            yield Demand(
                str(item.get("key", "")), _text(values[0]), (*path, "key"), (*path, "values", 0), in_selector=False
            )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def fix_node_selector(case: RemedyContext) -> Iterator[Fix]:
    """Demand a label that nodes have: the nearest one; or drop a selector that all shown nodes lack altogether."""
    evidence = case.signals(*case.action.ends)
    for target in case.targets:
        wanted = list(demands(target.manifest))
        if not wanted or not _selectors_as_seen(case, wanted):
            continue
        nodes = nodes_of(case, tuple(one.key for one in wanted))
        unmet = [one for one in wanted if _met(one, nodes) is False]
        for one in unmet or (other for other in wanted if other.value not in VOCABULARY.get(other.key, ())):
            yield from _history_only(case, target, one, nodes)
        if len(unmet) != 1:
            continue
        one = unmet[0]
        if found := _corrected(case, target, one, nodes) or _dropped(target, one, nodes):
            changes, why = found
            new = next((str(value) for _, value in changes if value is not MISSING), "")
            yield Fix(
                title=_title(one, changes, target.manifest.name),
                reason=f"No node has the label {one.key}={one.value}; {why}.",
                evidence=case.cite(*evidence),
                wants=tuple(Want(target.application, target.manifest, path, value) for path, value in changes),
                parameters={"label": one.key, "from": one.value, "to": new},
                score=0.8 if new else 0.6,
            )


def _title(one: Demand, changes: Changes, name: str) -> str:
    if all(value is MISSING for _, value in changes):
        return f"drop the node selector {one.key}={one.value} of `{name}`"
    path, value = changes[-1]
    if path == one.value_path:
        return f"demand {one.key}={value} of the nodes of `{name}` instead of {one.value}"
    return f"demand the node label {path[-1] if one.in_selector else value} for `{name}` instead of {one.key}"


def _selectors_as_seen(case: RemedyContext, wanted: list[Demand]) -> bool:
    """False where describe shows another selector than the repository holds: it was changed since."""
    own = {one.subject.pod for one in case.signals(*case.action.ends) if one.subject.pod}
    for one in case.statements:
        if one.subject.pod in own and "node_selectors" in one.facts:
            shown = {pair.strip() for pair in one.facts["node_selectors"].split(",")} - {"", "<none>"}
            return shown == {f"{demand.key}={demand.value}" for demand in wanted if demand.in_selector}
    return True


def _met(one: Demand, nodes: list[ClusterNode]) -> bool | None:
    """Whether a node has the label; None where what was shown does not tell."""
    values = [node.labels[one.key] for node in nodes if one.key in node.labels]
    if one.value in values:
        return True
    if values or (nodes and all(node.complete for node in nodes)):
        return False
    if known := VOCABULARY.get(one.key):
        return None if one.value in known else False
    return False if one.key not in VOCABULARY and nearest(one.key, VOCABULARY) else None


def _history_only(case: RemedyContext, target: Match, one: Demand, nodes: list[ClusterNode]) -> Iterator[Fix]:
    """What stood there before, where nodes are known to have it or are not shown."""
    held = {node.labels[one.key] for node in nodes if one.key in node.labels}
    yield Fix(
        title=f"restore the demanded node label {one.key}",
        reason=f"No node has the label {one.key}={one.value}.",
        evidence=case.cite(*case.signals(*case.action.ends)),
        wants=(Want(target.application, target.manifest, one.value_path, one.value),),
        parameters={"label": one.key, "from": one.value},
        score=0.0,
        accepts=different_value(one.value, among=held, absent=True),
    )


def _corrected(case: RemedyContext, target: Match, one: Demand, nodes: list[ClusterNode]) -> tuple[Changes, str] | None:
    """The right value of the key, or the right key of the value, where one slip leads there."""
    values = dict.fromkeys(node.labels[one.key] for node in nodes if one.key in node.labels)
    value = (
        nearest(one.value, values)
        or nearest(one.value, VOCABULARY.get(one.key, ()))
        or _common_value(case, target, one)
    )
    if value and (not values or value in values):
        return ((one.value_path, value),), f"{value} is what they have"
    if values:
        return None
    keys = [key for node in nodes for key, held in node.labels.items() if held == one.value]
    key = nearest(one.key, keys) or nearest(one.key, VOCABULARY)
    if not key or (nodes and all(node.complete for node in nodes) and key not in keys):
        return None
    if one.in_selector:
        present = get(target.manifest.body, one.value_path)
        return ((one.value_path, MISSING), ((*one.value_path[:-1], key), present)), f"the label's name is {key}"
    return ((one.key_path, key),), f"the label's name is {key}"


def _common_value(case: RemedyContext, target: Match, one: Demand) -> str:
    """The value that other workloads demand of the same label, one slip away."""
    values = {
        other.value
        for application in case.repository.applications
        for manifest in case.repository.objects(application)
        if (application, manifest.name) != (target.application, target.manifest.name)
        for other in demands(manifest)
        if other.key == one.key
    }
    return nearest(one.value, values - {one.value})


def _dropped(target: Match, one: Demand, nodes: list[ClusterNode]) -> tuple[Changes, str] | None:
    """Removal, only where all labels of all nodes are shown and none is near."""
    if not one.in_selector or not nodes or not all(node.complete for node in nodes):
        return None
    if any(one.key in node.labels or nearest(one.key, node.labels) for node in nodes):
        return None
    selector = one.value_path[:-1]
    whole = get(target.manifest.body, selector)
    path = selector if isinstance(whole, dict) and len(whole) == 1 else one.value_path
    return ((path, MISSING),), "all labels of all nodes are shown, and none is like it"


def fix_toleration(case: RemedyContext) -> Iterator[Fix]:
    """Correct a toleration that is one slip away from the taint that keeps the pod out; never adds one."""
    for one in case.signals(*case.action.ends):
        taints = dict(_taints(one.text))
        for target in case.targets:
            found = target.manifest.pod_spec()
            if found is None:
                continue
            spec, base = found
            for index, item in enumerate(spec.get("tolerations") or ()):
                if not isinstance(item, dict):
                    continue
                for field, wrong, right in _slips(item, taints):
                    yield Fix(
                        title=f"tolerate {right} instead of {wrong} in `{target.manifest.name}`",
                        reason=f"The nodes' taint is {right}, and the toleration says {wrong}.",
                        evidence=case.cite(one),
                        wants=(Want(target.application, target.manifest, (*base, "tolerations", index, field), right),),
                        parameters={"field": field, "from": wrong, "to": right},
                        score=0.75,
                        accepts=exactly(right),
                    )


def _taints(text: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"taints? \{(?P<key>[^:}\s]+): ?(?P<value>[^}\s]*)\}", text):
        yield found["key"], found["value"]


def _slips(item: dict[str, Any], taints: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """(field, wrong, right) of the one taint that a toleration nearly names."""
    key, value = str(item.get("key", "")), str(item.get("value", ""))
    if key in taints:
        if item.get("operator") != "Exists" and is_typo(value, taints[key]):
            yield "value", value, taints[key]
    elif (right := nearest(key, taints)) and (item.get("operator") == "Exists" or value == taints[right]):
        yield "key", key, right


def fix_class_name(case: RemedyContext) -> Iterator[Fix]:
    """Name the priority or runtime class that exists, where the missing one is a slip away from it."""
    for field, kind, signal in (
        ("priorityClassName", "PriorityClass", "priority_class_missing"),
        ("runtimeClassName", "RuntimeClass", "runtime_class_missing"),
    ):
        for one in case.signals(signal):
            missing = one.facts.get("missing", "")
            known = _classes(case, kind) | (set(BUILT_IN_CLASSES) if kind == "PriorityClass" else set())
            for target in case.targets:
                found = target.manifest.pod_spec()
                if found is None or found[0].get(field) != missing or missing in known:
                    continue
                new = nearest(missing, known)
                yield Fix(
                    title=f"use {kind} `{new}` in `{target.manifest.name}` instead of `{missing}`"
                    if new
                    else f"restore {field} of `{target.manifest.name}`",
                    reason=f"There is no {kind} `{missing}`; `{new}` exists."
                    if new
                    else f"There is no {kind} `{missing}`.",
                    evidence=case.cite(one),
                    wants=(Want(target.application, target.manifest, (*found[1], field), new or missing),),
                    parameters={"field": field, "from": missing, "to": new},
                    score=0.8 if new else 0.0,
                    accepts=different_value(missing, absent=True),
                )


def _classes(case: RemedyContext, kind: str) -> set[str]:
    shown = {one.subject.name for one in case.statements if one.subject.kind == kind}
    return shown | {
        manifest.name
        for app in case.repository.applications
        for manifest in case.repository.objects(app)
        if manifest.kind == kind
    } - {""}
