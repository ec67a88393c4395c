"""Pods that are evicted because they use more than they asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Match
from remediator.remedies.engine import quantities
from remediator.remedies.engine.acceptable_values import more_than, within
from remediator.remedies.engine.case import Fix, RemedyContext, Want

_USING = re.compile(
    r"[Cc]ontainer (?P<container>[a-z0-9.-]+) was using (?P<using>[0-9.]+[A-Za-z]*), (?:which exceeds its )?request (?:is|of) (?P<request>[0-9.]+[A-Za-z]*)"
)
"""The kubelet's eviction message (pkg/kubelet/eviction/helpers.go)."""
_LOW_ON = re.compile(r"low on resource: (?P<resource>[a-z-]+)")
_CONTAINER = re.compile(
    r'[Cc]ontainer (?P<container>[a-z0-9.-]+) exceeded its local ephemeral storage limit "(?P<limit>[^"\\]+)'
)
_POD = re.compile(
    r"[Pp]od ephemeral local storage usage exceeds the total limit of containers (?P<limit>[0-9.]+[A-Za-z]*)"
)
_EMPTY_DIR = re.compile(r'Usage of EmptyDir volume "(?P<volume>[^"\\]+)\\?" exceeds the limit \\?"(?P<limit>[^"\\]+)')
_HEADROOM = Decimal("1.25")


def raise_memory_request(case: RemedyContext) -> Iterator[Fix]:
    """Ask for what the evicted container was using, so that the kubelet no longer picks it first."""
    for one in case.signals(*case.action.ends):
        low = _LOW_ON.search(one.text)
        if low is None or low["resource"] != "memory":
            continue
        for found in _USING.finditer(one.text):
            for target, container, path in _named(case, found["container"]):
                yield from _asked(case, one, target, container, path, found)


def _asked(
    case: RemedyContext, one: Evidence, target: Match, container: dict[str, Any], path: YamlPath, found: re.Match[str]
) -> Iterator[Fix]:
    using, told = quantities.parse(found["using"]), quantities.parse(found["request"])
    present = get(container, ("resources", "requests", "memory"))
    limit = quantities.parse(get(container, ("resources", "limits", "memory")))
    now = quantities.parse(present) if present is not MISSING else Decimal(0)
    if using is None or now is None or told != now or using <= now or (present is MISSING and limit is not None):
        return
    bounds = case.action.bounds
    peak = max(using, _peak(case, str(container.get("name", ""))))
    wanted = quantities.clamp(peak * _HEADROOM, bounds.minimum, bounds.maximum)
    if now and bounds.max_factor:
        wanted = min(wanted, now * Decimal(str(bounds.max_factor)))
    wanted = min(wanted, limit) if limit is not None else wanted
    if wanted < using:
        return
    measured = f", and up to {quantities.bytes_like(peak)} at other times" if peak > using else ""
    value, name = quantities.bytes_like(wanted, str(present) if now else "1Mi"), str(container.get("name", ""))
    yield Fix(
        title=f"raise memory request of `{name}` from {present if now else 'none'} to {value}",
        reason=f"`{name}` was evicted while it used {found['using']} of a request of {found['request']}{measured}; pods that stay within their request go last.",
        evidence=case.cite(one),
        wants=(Want(target.application, target.manifest, (*path, "resources", "requests", "memory"), value),),
        parameters={"container": name, "from": str(present) if now else "", "to": value},
        score=0.65,
        accepts=within(low=using),
    )


def _peak(case: RemedyContext, container: str) -> Decimal:
    """The most that a metrics server saw this container use: an eviction tells one moment only."""
    measured = (one for one in case.statements if one.reason == "Metric" and one.subject.container == container)
    return max((quantities.parse(one.facts.get("memory_peak")) or Decimal(0) for one in measured), default=Decimal(0))


def _named(case: RemedyContext, name: str) -> Iterator[tuple[Match, dict[str, Any], YamlPath]]:
    for target in case.targets:
        for body, path, _ in target.manifest.containers():
            if body.get("name") == name:
                yield target, body, path


def raise_ephemeral_storage(case: RemedyContext) -> Iterator[Fix]:
    """Raise the very limit that the kubelet names: a container's, or an emptyDir's."""
    for one in case.signals(*case.action.ends):
        for target, path, present, what in _limits(case, one):
            now, bounds = quantities.parse(present), case.action.bounds
            if now is None:
                continue
            wanted = quantities.clamp(
                now * min(Decimal(str(bounds.factor or 2)), Decimal(str(bounds.max_factor or 4))),
                bounds.minimum,
                bounds.maximum,
            )
            if wanted <= now:
                continue
            value = quantities.bytes_like(wanted, str(present))
            yield Fix(
                title=f"raise {what} of `{target.manifest.name}` from {present} to {value}",
                reason=f"`{target.manifest.name}` was evicted because it filled its {what} of {present}; {bounds.factor:g} × leaves it room.",
                evidence=case.cite(one),
                wants=(Want(target.application, target.manifest, path, value),),
                parameters={"from": str(present), "to": value},
                score=0.65,
                accepts=more_than(now),
            )


def _limits(case: RemedyContext, one: Evidence) -> Iterator[tuple[Match, YamlPath, Any, str]]:
    """The limits whose value is the one that the message tells; another value was changed since."""
    if found := _EMPTY_DIR.search(one.text):
        for target in case.targets:
            spec = target.manifest.pod_spec()
            for index, volume in enumerate((spec[0].get("volumes") or ()) if spec else ()):
                size = get(volume, ("emptyDir", "sizeLimit"))
                if spec and volume.get("name") == found["volume"] and _same(size, found["limit"]):
                    yield (
                        target,
                        (*spec[1], "volumes", index, "emptyDir", "sizeLimit"),
                        size,
                        f"volume {found['volume']}",
                    )
        return
    named, whole = _CONTAINER.search(one.text), _POD.search(one.text)
    for target in case.targets:
        limited = [
            (body, path, limit)
            for body, path, init in target.manifest.containers()
            if not init and (limit := get(body, ("resources", "limits", "ephemeral-storage"))) is not MISSING
        ]
        for body, path, limit in limited:
            told = named["limit"] if named else whole["limit"] if whole and len(limited) == 1 else ""
            if told and _same(limit, told) and (named is None or named["container"] == body.get("name")):
                yield target, (*path, "resources", "limits", "ephemeral-storage"), limit, "ephemeral storage limit"


def _same(value: Any, told: str) -> bool:
    amount = quantities.parse(value)
    return amount is not None and amount == quantities.parse(told)
