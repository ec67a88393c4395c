"""Pods that the kubelet evicts because they use more than they requested.

The eviction message names the use and the request or limit. Where the repository has another value than the message, it
was changed since, and nothing is proposed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Match
from remediator.remedies.engine.acceptable_values import more_than, within
from remediator.remedies.engine.case import Fix, RemedyContext, Want

_USING = re.compile(
    r"[Cc]ontainer (?P<container>[a-z0-9.-]+) was using (?P<using>[0-9.]+[A-Za-z]*), (?:which exceeds its )?request (?:is|of) (?P<request>[0-9.]+[A-Za-z]*)"
)
"""The kubelet's eviction message (pkg/kubelet/eviction/helpers.go)."""
_LOW_ON = re.compile(r"low on resource: (?P<resource>[a-z-]+)")
_CONTAINER_LIMIT = re.compile(
    r'[Cc]ontainer (?P<container>[a-z0-9.-]+) exceeded its local ephemeral storage limit "(?P<limit>[^"\\]+)'
)
_POD_LIMIT = re.compile(
    r"[Pp]od ephemeral local storage usage exceeds the total limit of containers (?P<limit>[0-9.]+[A-Za-z]*)"
)
_EMPTY_DIR = re.compile(r'Usage of EmptyDir volume "(?P<volume>[^"\\]+)\\?" exceeds the limit \\?"(?P<limit>[^"\\]+)')
_HEADROOM = Decimal("1.25")


def raise_memory_request(case: RemedyContext) -> Iterator[Fix]:
    """Request what the evicted container was using, so that the kubelet no longer evicts it first."""
    for piece in case.signals(*case.action.ends):
        low = _LOW_ON.search(piece.text)
        if low is None or low["resource"] != "memory":
            continue
        for usage in _USING.finditer(piece.text):
            for target, container, path in _containers_named(case, usage["container"]):
                yield from _request_fix(case, piece, target, container, path, usage)


def _request_fix(
    case: RemedyContext, piece: Evidence, target: Match, container: dict[str, Any], path: YamlPath, usage: re.Match[str]
) -> Iterator[Fix]:
    using, reported = quantities.parse(usage["using"]), quantities.parse(usage["request"])
    current = get(container, ("resources", "requests", "memory"))
    limit = quantities.parse(get(container, ("resources", "limits", "memory")))
    now = quantities.parse(current) if current is not MISSING else Decimal(0)
    if using is None or now is None or reported != now or using <= now or (current is MISSING and limit is not None):
        return
    bounds = case.action.bounds
    peak = max(using, _peak(case, str(container.get("name", ""))))
    request = quantities.clamp(peak * _HEADROOM, bounds.minimum, bounds.maximum)
    if now and bounds.max_factor:
        request = min(request, now * Decimal(str(bounds.max_factor)))
    request = min(request, limit) if limit is not None else request
    if request < using:
        return
    measured = f", and up to {quantities.bytes_like(peak)} at other times" if peak > using else ""
    value, name = quantities.bytes_like(request, str(current) if now else "1Mi"), str(container.get("name", ""))
    yield Fix(
        title=f"raise memory request of `{name}` from {current if now else 'none'} to {value}",
        reason=f"`{name}` was evicted while it used {usage['using']} of a request of {usage['request']}{measured}; pods within their request are evicted last.",
        evidence=case.cite(piece),
        wants=(Want.of(target, (*path, "resources", "requests", "memory"), value),),
        parameters={"container": name, "from": str(current) if now else "", "to": value},
        score=0.65,
        accepts=within(low=using),
    )


def _peak(case: RemedyContext, container: str) -> Decimal:
    """Return the highest use that a metrics server measured: an eviction message shows one moment only."""
    metrics = (
        metric for metric in case.statements if metric.reason == "Metric" and metric.subject.container == container
    )
    return max(
        (quantities.parse(metric.facts.get("memory_peak")) or Decimal(0) for metric in metrics), default=Decimal(0)
    )


def _containers_named(case: RemedyContext, name: str) -> Iterator[tuple[Match, dict[str, Any], YamlPath]]:
    for target in case.targets:
        for body, path, _ in target.manifest.containers():
            if body.get("name") == name:
                yield target, body, path


def raise_ephemeral_storage(case: RemedyContext) -> Iterator[Fix]:
    """Raise the limit that the kubelet names: a container's, or an emptyDir's."""
    for piece in case.signals(*case.action.ends):
        for target, path, current, field in _limits(case, piece):
            now, bounds = quantities.parse(current), case.action.bounds
            if now is None:
                continue
            limit = quantities.clamp(
                now * min(Decimal(str(bounds.factor or 2)), Decimal(str(bounds.max_factor or 4))),
                bounds.minimum,
                bounds.maximum,
            )
            if limit <= now:
                continue
            value = quantities.bytes_like(limit, str(current))
            yield Fix(
                title=f"raise {field} of `{target.manifest.name}` from {current} to {value}",
                reason=f"`{target.manifest.name}` was evicted because it filled its {field} of {current}; this is {bounds.factor:g} × as much.",
                evidence=case.cite(piece),
                wants=(Want.of(target, path, value),),
                parameters={"from": str(current), "to": value},
                score=0.65,
                accepts=more_than(now),
            )


def _limits(case: RemedyContext, piece: Evidence) -> Iterator[tuple[Match, YamlPath, Any, str]]:
    """Yield the limits whose value is the one in the message; another value was changed since."""
    if volume_limit := _EMPTY_DIR.search(piece.text):
        for target in case.targets:
            spec = target.manifest.pod_spec()
            for index, volume in enumerate((spec[0].get("volumes") or ()) if spec else ()):
                size = get(volume, ("emptyDir", "sizeLimit"))
                if (
                    spec
                    and volume.get("name") == volume_limit["volume"]
                    and _is_same_amount(size, volume_limit["limit"])
                ):
                    yield (
                        target,
                        (*spec[1], "volumes", index, "emptyDir", "sizeLimit"),
                        size,
                        f"volume {volume_limit['volume']}",
                    )
        return
    container_limit, pod_limit = _CONTAINER_LIMIT.search(piece.text), _POD_LIMIT.search(piece.text)
    for target in case.targets:
        limited = [
            (body, path, limit)
            for body, path, init in target.manifest.containers()
            if not init and (limit := get(body, ("resources", "limits", "ephemeral-storage"))) is not MISSING
        ]
        for body, path, limit in limited:
            reported = (
                container_limit["limit"]
                if container_limit
                else pod_limit["limit"]
                if pod_limit and len(limited) == 1
                else ""
            )
            if (
                reported
                and _is_same_amount(limit, reported)
                and (container_limit is None or container_limit["container"] == body.get("name"))
            ):
                yield target, (*path, "resources", "limits", "ephemeral-storage"), limit, "ephemeral storage limit"


def _is_same_amount(value: Any, reported: str) -> bool:
    amount = quantities.parse(value)
    return amount is not None and amount == quantities.parse(reported)
