"""`kubectl describe` of anything but a pod: one status with the fields as facts, and one per condition in trouble."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.formats import condition_blocks
from remediator.evidence.formats.containers import Container, statements
from remediator.evidence.formats.describe_pod import container
from remediator.evidence.formats.tree import ResourceRow, find, value
from remediator.evidence.kinds import WORKLOADS
from remediator.evidence.lines import rfc3339
from remediator.evidence.tables import columns, none, snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.evidence.draft import Draft

_SKIPPED = frozenset(
    {
        "Name",
        "Namespace",
        "Events",
        "Pod Template",
        "Conditions",
        "Annotations",
        "Non-terminated Pods",
        "Addresses",
        "System Info",
    }
)
_HOLDS_WHEN_FALSE = re.compile(
    r".*(?:Pressure|Unavailable|Limited|Failure|Failed|Deadlock|Problem|Readonly\w*|Corrupt\w*|Frequent\w*|Unhealthy)$"
)
"""Condition types that tell trouble by being True: node pressures, ReplicaFailure, JobFailed, node-problem-detector's."""

_FACT = 2_000
"""Characters of a fact: annotations and data of any length stand in objects."""


def tells_trouble(condition: str, status: str) -> bool:
    """Return True if a condition means trouble: a good one that is not True, or a bad one that is not False."""
    return status != ("False" if _HOLDS_WHEN_FALSE.match(condition) else "True")


def read(kind: str, tree: list[ResourceRow], base: Draft) -> Iterator[Draft]:
    """Yield the object itself, its template's containers for workloads, then its conditions."""
    facts = _facts(tree)
    if kind == "Node":
        facts |= _node_facts(tree)
    summary = base.like(facts={**base.facts, **facts})
    summary.reason = value(tree, "Status") or facts.get("condition_reason", "")
    if kind == "Service" and find(tree, "Endpoints") and not facts.get("endpoints"):
        summary.reason = "NoEndpoints"
    summary.text = _summary(kind, summary.name, facts) + _errors(tree)
    conditions = list(_conditions(tree, base, facts)) if find(tree, "Conditions") else []
    if status := find(tree, "Status"):
        conditions += condition_blocks.troubles(status.nested, base)
    yield summary
    if kind in WORKLOADS and (template := find(tree, "Pod Template")):
        yield from _template(template, base)
    yield from conditions


def _errors(tree: list[ResourceRow]) -> str:
    """Return the errors that kubectl prints inside a describe: `/ web:80 (<error: services "web" not found>)` in an Ingress' rules."""
    lines = [line.text.strip() for node in tree for line in node.nested if "<error: " in line.text]
    return "".join(f"; {line}" for line in lines[:20])


def _facts(tree: list[ResourceRow]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for node in tree:
        if node.key in _SKIPPED:
            continue
        text = ", ".join(node.values) if node.value else "; ".join(node.below)
        if text:
            key = snake(node.key)
            facts[key] = f"{facts[key]}, {text}" if key in facts else text[:_FACT]
    return facts


def _node_facts(tree: list[ResourceRow]) -> dict[str, str]:
    facts = {}
    for title in ("Capacity", "Allocatable"):
        for quantity in row.nodes if (row := find(tree, title)) else []:
            facts[f"{title.lower()}_{snake(quantity.key)}"] = quantity.value
    if allocated := find(tree, "Allocated resources"):
        for line in allocated.nested:
            words = line.text.split()
            if len(words) == 5 and words[0] in {"cpu", "memory", "ephemeral-storage"}:
                facts |= {
                    f"requested_{snake(words[0])}": words[1],
                    f"requested_{snake(words[0])}_percent": words[2].strip("()%"),
                }
    return facts


def _summary(kind: str, name: str, facts: dict[str, str]) -> str:
    telling = (
        "status",
        "replicas",
        "pods_statuses",
        "storageclass",
        "selector",
        "endpoints",
        "min_replicas",
        "max_replicas",
        "reference",
        "default_backend",
        "taints",
    )
    details = "; ".join(f"{key.replace('_', ' ')}: {facts[key]}" for key in telling if facts.get(key))
    return f"{kind or 'Object'} {name}" + (f": {details}" if details else "")


def _conditions(tree: list[ResourceRow], base: Draft, facts: dict[str, str]) -> Iterator[Draft]:
    node = find(tree, "Conditions")
    lines = [line for line in (node.nested if node else []) if not line.blank]
    if not lines:
        return
    cols = columns(lines[0].text)
    for line in lines[1:]:
        cell = {snake(key): text for key, text in cols.cells(line.text).items()}
        kind, status = cell.get("type", ""), cell.get("status", "")
        if not kind.strip("- ") or not tells_trouble(kind, status):
            continue
        reason = none(cell.get("reason", ""))
        draft = base.like(
            line=line.no, reason=reason or kind, text=cell.get("message") or f"Condition {kind} is {status}"
        )
        draft.facts |= {"condition": kind, "condition_status": status}
        draft.last_seen = rfc3339(cell.get("lasttransitiontime", ""))
        facts.setdefault("condition_reason", reason)
        yield draft


def _template(template: ResourceRow, base: Draft) -> Iterator[Draft]:
    """Yield a workload's containers as in its template: with limits, image and environment, but no state."""
    inner = template.nodes
    pod = base.like(facts={**base.facts, "template": "true"})
    if account := value(inner, "Service Account"):
        pod.facts["service_account"] = account
    boxes: list[Container] = []
    for title, role in (("Init Containers", "init"), ("Containers", "")):
        if group := find(inner, title):
            boxes += [container(node, role) for node in group.nodes]
    for draft in statements(pod, boxes):
        draft.reason, draft.text = (
            "Template",
            f"Container {draft.container} of the template of {draft.kind} {draft.name}",
        )
        yield draft
