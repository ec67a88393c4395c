"""Requests that no node of the cluster can satisfy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Match
from remediator.remedies.engine import quantities
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.nodes import ClusterNode, nodes_of

_INSUFFICIENT = re.compile(r"(?P<count>\d+) Insufficient (?P<resource>[a-z0-9./-]*[a-z0-9])")
_NODES = re.compile(r"0/(?P<count>\d+) nodes are available")
_CLEARLY_LESS = 2
"""An older request counts as the cure only where it was at most this fraction of the present one."""
_SHARE, _HEADROOM, _MEBI = Decimal("0.5"), Decimal("1.5"), Decimal(2) ** 20
_ABSURD = {"cpu": Decimal(256), "memory": Decimal(2) ** 42}
"""More than any machine that clusters are made of: the unit was left out."""


def lower_requests(case: RemedyContext) -> Iterator[Fix]:
    """Ask for what stood there before, for what was surely meant, or for what the largest node can give."""
    evidence = case.signals(*case.action.ends)
    for resource in dict.fromkeys(found["resource"] for one in evidence for found in _INSUFFICIENT.finditer(one.text)):
        for target, container, path in _asking(case, resource):
            yield from _lowered(case, target, container, path, resource)


def _asking(case: RemedyContext, resource: str) -> Iterator[tuple[Match, dict[str, Any], YamlPath]]:
    """The container of each target that asks for most of the resource."""
    for target in case.targets:
        asking = [
            (amount, body, path)
            for body, path, _ in target.manifest.containers()
            if (amount := quantities.parse(get(body, ("resources", "requests", resource))))
            or (amount := quantities.parse(get(body, ("resources", "limits", resource))))
        ]
        if asking:
            most = max(asking, key=lambda item: item[0])
            if sum(1 for item in asking if item[0] == most[0]) == 1:
                yield target, most[1], most[2]


def _lowered(
    case: RemedyContext, target: Match, container: dict[str, Any], path: YamlPath, resource: str
) -> Iterator[Fix]:
    request = get(container, ("resources", "requests", resource))
    limit = get(container, ("resources", "limits", resource))
    present = limit if request is MISSING else request
    now = quantities.parse(present)
    if now is None or not _as_seen(case, container, resource, now):
        return
    fields = [field for field, value in (("requests", request), ("limits", limit)) if value is not MISSING]
    extended = "/" in resource
    if not extended:
        fields = ["requests"] if request is not MISSING else ["limits"]
    nodes = [node for node in nodes_of(case) if node.described]
    wanted, why = _affordable(case, target, container, resource, now, str(present), nodes)
    name = container.get("name", "")
    yield Fix(
        title=f"lower {resource} request of `{name}` from {present} to {wanted}"
        if wanted
        else f"restore {resource} request of `{name}`",
        reason=f"No node can give {present} of {resource} to `{name}`{f'; {why}' if why else ''}.",
        evidence=case.cite(*case.signals(*case.action.ends)),
        wants=tuple(
            Want(
                target.application,
                target.manifest,
                (*path, "resources", field, resource),
                _typed(wanted or present, present),
            )
            for field in fields
        ),
        parameters={"container": str(name), "resource": resource, "from": str(present), "to": wanted},
        score=0.65 if wanted else 0.0,
        accepts=partial(_clearly_less, now=now, largest=_largest(nodes, resource), extended=extended),
    )


def _clearly_less(old: Any, *, now: Decimal, largest: Decimal | None, extended: bool) -> bool:
    if old is MISSING:
        return extended
    amount = quantities.parse(old)
    if amount is None or amount >= now:
        return False
    return amount <= largest < now if largest is not None else amount * _CLEARLY_LESS <= now


def _largest(nodes: tuple[ClusterNode, ...] | list[ClusterNode], resource: str) -> Decimal | None:
    """What the largest of the shown nodes can give; None where not all were shown with their resources."""
    amounts = [node.quantity(resource) for node in nodes]
    known = [amount for amount in amounts if amount is not None]
    return max(known) if known else None


def _affordable(
    case: RemedyContext,
    target: Match,
    container: dict[str, Any],
    resource: str,
    now: Decimal,
    spelling: str,
    nodes: list[ClusterNode],
) -> tuple[str, str]:
    """A request that a node can satisfy and why it is the one; empty where that is a person's choice."""
    largest = _largest(nodes, resource)
    everywhere = _everywhere(case, resource, nodes)
    if largest is not None and largest >= now:
        return "", ""
    slip = _unit_slip(spelling, resource, now, largest)
    sibling = _sibling(case, target, container, resource)
    if (
        sibling
        and (amount := quantities.parse(sibling)) is not None
        and amount * _CLEARLY_LESS <= now
        and (largest is None or amount <= largest)
    ) and ((slip and quantities.parse(slip) == amount) or largest is not None):
        return sibling, "the same container asks for that much elsewhere in this repository"
    if slip:
        return slip, f"{spelling} was surely meant as {slip}"
    if largest is None or not 0 < largest < now or not everywhere:
        return "", ""
    if "/" in resource:
        return str(int(largest)), f"the largest node has {int(largest)}"
    used = _used(case, target, resource)
    wanted = min(used * _HEADROOM, largest * _SHARE) if used else largest * _SHARE
    value = quantities.cores_like(wanted, "1m") if resource == "cpu" else quantities.bytes_like(_whole(wanted), "1Mi")
    why = (
        f"{_HEADROOM} × what its pods were seen to use"
        if used
        else f"half of what the largest node can give ({largest.normalize():f})"
    )
    return value, why


def _whole(amount: Decimal) -> Decimal:
    """In whole mebibytes, rounded down."""
    return amount // _MEBI * _MEBI


def _used(case: RemedyContext, target: Match, resource: str) -> Decimal:
    """The most that a pod of the workload was seen to use, by `kubectl top` or a metrics server."""
    amounts = [
        quantities.parse(one.facts.get(f"{resource}_{measured}")) or Decimal(0)
        for measured in ("usage", "peak")
        for one in case.statements
        if one.subject.name == target.manifest.name and one.subject.pod
    ]
    return max(amounts, default=Decimal(0))


def _everywhere(case: RemedyContext, resource: str, nodes: list[ClusterNode]) -> bool:
    """Whether every node that the scheduler looked at was shown with its resources."""
    del resource
    totals = [int(found["count"]) for one in case.signals(*case.action.ends) if (found := _NODES.search(one.text))]
    return bool(totals) and len(nodes) >= max(totals)


def _unit_slip(spelling: str, resource: str, now: Decimal, largest: Decimal | None) -> str:
    """The same number in the next smaller unit, where the present one is beyond any node."""
    beyond = now >= _ABSURD.get(resource, Decimal("Infinity")) or (largest is not None and now >= 8 * largest)
    found = re.fullmatch(r"(?P<number>\d+)(?P<unit>[A-Za-z]*)", spelling.strip())
    if not beyond or not found:
        return ""
    smaller = {"cpu": {"": "m"}, "memory": {"Ti": "Gi", "Gi": "Mi", "T": "G", "G": "M"}}.get(resource, {}).get(
        found["unit"]
    )
    return f"{found['number']}{smaller}" if smaller else ""


def _sibling(case: RemedyContext, target: Match, container: dict[str, Any], resource: str) -> str:
    """What the same container of a workload of the same name asks for in other Applications, where they agree."""
    values = {
        str(value)
        for application in case.repository.applications
        if application != target.application
        for manifest in case.repository.objects(application)
        if (manifest.kind, manifest.name) == (target.manifest.kind, target.manifest.name)
        for body, _, _ in manifest.containers()
        if body.get("name") == container.get("name")
        if (value := get(body, ("resources", "requests", resource))) is not MISSING
    }
    return values.pop() if len(values) == 1 else ""


def _as_seen(case: RemedyContext, container: dict[str, Any], resource: str, now: Decimal) -> bool:
    """False where describe shows another request than the repository holds: it was changed since."""
    key = re.sub(r"[^a-z0-9]+", "_", resource.lower()).strip("_")
    pods = {one.subject.pod for one in case.signals(*case.action.ends) if one.subject.pod}
    seen = {
        amount
        for one in case.statements
        if one.subject.container == container.get("name") and (not pods or one.subject.pod in pods)
        if (amount := quantities.parse(one.facts.get(f"{key}_request"))) is not None
    }
    return not seen or now in seen


def _typed(value: Any, present: Any) -> Any:
    return int(value) if isinstance(present, int) and str(value).isdigit() else value
