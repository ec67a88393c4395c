"""Requests that no node of the cluster can satisfy.

A request is lowered only where a source gives the number: a unit that was left out, the same workload elsewhere in the
repository, or the size of the largest node when all nodes are shown. Otherwise only the history is searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from remediator.domain import quantities
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.nodes import ClusterNode, nodes_of

_INSUFFICIENT = re.compile(r"(?P<count>\d+) Insufficient (?P<resource>[a-z0-9./-]*[a-z0-9])")
_NODES = re.compile(r"0/(?P<count>\d+) nodes are available")
_CLEARLY_LESS = 2
"""An older request is accepted only where the current one is at least this many times as large."""
_SHARE, _HEADROOM, _MEBI = Decimal("0.5"), Decimal("1.5"), Decimal(2) ** 20
_ABSURD = {"cpu": Decimal(256), "memory": Decimal(2) ** 42}
"""More than any node has: the unit was left out."""


def lower_requests(case: RemedyContext) -> Iterator[Fix]:
    """Lower a request to its older value, to the clearly intended value, or to what the largest node can give."""
    evidence = case.signals(*case.action.ends)
    for resource in dict.fromkeys(
        match["resource"] for piece in evidence for match in _INSUFFICIENT.finditer(piece.text)
    ):
        for target, container, path in _largest_requests(case, resource):
            yield from _lowered_request(case, target, container, path, resource)


def _largest_requests(case: RemedyContext, resource: str) -> Iterator[tuple[Match, dict[str, Any], YamlPath]]:
    """Yield the container of each target that requests most of the resource."""
    for target in case.targets:
        amounts = [
            (amount, body, path)
            for body, path, _ in target.manifest.containers()
            if (amount := quantities.parse(get(body, ("resources", "requests", resource))))
            or (amount := quantities.parse(get(body, ("resources", "limits", resource))))
        ]
        if amounts:
            largest = max(amounts, key=lambda item: item[0])
            if sum(1 for item in amounts if item[0] == largest[0]) == 1:
                yield target, largest[1], largest[2]


def _lowered_request(
    case: RemedyContext, target: Match, container: dict[str, Any], path: YamlPath, resource: str
) -> Iterator[Fix]:
    request = get(container, ("resources", "requests", resource))
    limit = get(container, ("resources", "limits", resource))
    current = limit if request is MISSING else request
    now = quantities.parse(current)
    if now is None or not _is_current(case, container, resource, now):
        return
    fields = [field for field, value in (("requests", request), ("limits", limit)) if value is not MISSING]
    extended = "/" in resource
    if not extended:
        fields = ["requests"] if request is not MISSING else ["limits"]
    nodes = [node for node in nodes_of(case) if node.described]
    lower, why = _affordable(case, target, container, resource, now, str(current), nodes)
    name = container.get("name", "")
    yield Fix(
        title=f"lower {resource} request of `{name}` from {current} to {lower}"
        if lower
        else f"restore {resource} request of `{name}`",
        reason=f"No node can give {current} of {resource} to `{name}`{f'; {why}' if why else ''}.",
        evidence=case.cite(*case.signals(*case.action.ends)),
        wants=tuple(
            Want.of(target, (*path, "resources", field, resource), _in_type_of(lower or current, current))
            for field in fields
        ),
        parameters={"container": str(name), "resource": resource, "from": str(current), "to": lower},
        score=0.65 if lower else 0.0,
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
    """Return what the largest of the shown nodes can give; None where no node is shown with its resources."""
    amounts = [node.quantity(resource) for node in nodes]
    described = [amount for amount in amounts if amount is not None]
    return max(described) if described else None


def _affordable(
    case: RemedyContext,
    target: Match,
    container: dict[str, Any],
    resource: str,
    now: Decimal,
    spelling: str,
    nodes: list[ClusterNode],
) -> tuple[str, str]:
    """Return a request that a node can satisfy and the reason; empty where a person must choose it."""
    largest = _largest(nodes, resource)
    all_described = _all_nodes_described(case, resource, nodes)
    if largest is not None and largest >= now:
        return "", ""
    slip = _unit_slip(spelling, resource, now, largest)
    sibling = _request_elsewhere(case, target, container, resource)
    if (
        sibling
        and (amount := quantities.parse(sibling)) is not None
        and amount * _CLEARLY_LESS <= now
        and (largest is None or amount <= largest)
    ) and ((slip and quantities.parse(slip) == amount) or largest is not None):
        return sibling, "the same container asks for that much elsewhere in this repository"
    if slip:
        return slip, f"the unit of {spelling} is wrong; {slip} is the likely value"
    if largest is None or not 0 < largest < now or not all_described:
        return "", ""
    if "/" in resource:
        return str(int(largest)), f"the largest node has {int(largest)}"
    highest_use = _highest_use(case, target, resource)
    request = min(highest_use * _HEADROOM, largest * _SHARE) if highest_use else largest * _SHARE
    value = (
        quantities.cores_like(request, "1m")
        if resource == "cpu"
        else quantities.bytes_like(_whole_mebibytes(request), "1Mi")
    )
    why = (
        f"{_HEADROOM} × the highest measured use of its pods"
        if highest_use
        else f"half of what the largest node can give ({largest.normalize():f})"
    )
    return value, why


def _whole_mebibytes(amount: Decimal) -> Decimal:
    """Return the amount rounded down to whole mebibytes."""
    return amount // _MEBI * _MEBI


def _highest_use(case: RemedyContext, target: Match, resource: str) -> Decimal:
    """Return the highest use of a pod of the workload, by `kubectl top` or a metrics server."""
    amounts = [
        quantities.parse(statement.facts.get(f"{resource}_{measure}")) or Decimal(0)
        for measure in ("usage", "peak")
        for statement in case.statements
        if statement.subject.name == target.manifest.name and statement.subject.pod
    ]
    return max(amounts, default=Decimal(0))


def _all_nodes_described(case: RemedyContext, resource: str, nodes: list[ClusterNode]) -> bool:
    """Return True where every node that the scheduler considered is shown with its resources."""
    del resource
    totals = [int(match["count"]) for piece in case.signals(*case.action.ends) if (match := _NODES.search(piece.text))]
    return bool(totals) and len(nodes) >= max(totals)


def _unit_slip(spelling: str, resource: str, now: Decimal, largest: Decimal | None) -> str:
    """Return the same number in the next smaller unit, where the current amount is larger than any node."""
    beyond = now >= _ABSURD.get(resource, Decimal("Infinity")) or (largest is not None and now >= 8 * largest)
    match = re.fullmatch(r"(?P<number>\d+)(?P<unit>[A-Za-z]*)", spelling.strip())
    if not beyond or not match:
        return ""
    smaller = {"cpu": {"": "m"}, "memory": {"Ti": "Gi", "Gi": "Mi", "T": "G", "G": "M"}}.get(resource, {}).get(
        match["unit"]
    )
    return f"{match['number']}{smaller}" if smaller else ""


def _request_elsewhere(case: RemedyContext, target: Match, container: dict[str, Any], resource: str) -> str:
    """Return the request of the same container in other Applications; empty where they disagree."""
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


def _is_current(case: RemedyContext, container: dict[str, Any], resource: str, now: Decimal) -> bool:
    """Return False where `kubectl describe` shows another request than the repository: it was changed since."""
    key = re.sub(r"[^a-z0-9]+", "_", resource.lower()).strip("_")
    pods = {piece.subject.pod for piece in case.signals(*case.action.ends) if piece.subject.pod}
    described = {
        amount
        for statement in case.statements
        if statement.subject.container == container.get("name") and (not pods or statement.subject.pod in pods)
        if (amount := quantities.parse(statement.facts.get(f"{key}_request"))) is not None
    }
    return not described or now in described


def _in_type_of(value: Any, current: Any) -> Any:
    return int(value) if isinstance(current, int) and str(value).isdigit() else value
