"""Requests and limits that a quota demands and a container does not set.

The containers get the policy's usual values, but no more than the quota leaves for each pod of the workload.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from remediator.domain import quantities
from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import Manifest, Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.resources.quota_entries import FULL_NAMES, pods_at_once

_MUST_SPECIFY = re.compile(
    r"failed quota: (?P<quota>[a-z0-9.-]+): must specify (?P<resources>[a-z0-9.,/-]*[a-z0-9])(?: for: (?P<containers>[a-z0-9.,; -]*[a-z0-9]))?"
)


def set_missing_resources(case: RemedyContext) -> Iterator[Fix]:
    """Set the requests and limits that the quota demands, up to the share that the quota leaves for each pod."""
    for piece in case.signals(*case.action.ends):
        demand_message = _MUST_SPECIFY.search(piece.text)
        if demand_message is None:
            continue
        names = re.split(r"[,; ]+", demand_message["containers"]) if demand_message["containers"] else []
        for target in case.targets:
            unset = [
                (body, path, *demand)
                for body, path, _ in target.manifest.containers()
                if not names or body.get("name") in names
                for demand in _demands(body, demand_message["resources"])
            ]
            if not unset:
                continue
            share = _QuotaShare(case, target, demand_message["quota"])
            wants, settings = [], []
            for body, path, side, resource in unset:
                value = _admitted_value(
                    case, share, body, side, resource, sum(1 for item in unset if item[2:] == (side, resource))
                )
                if not value:
                    break
                wants.append(Want.of(target, (*path, "resources", side, resource), value))
                settings.append(f"{side}.{resource}={value}")
            if len(wants) == len(unset):
                yield Fix(
                    title=f"set {', '.join(dict.fromkeys(settings))} of `{target.manifest.name}`",
                    reason=f"Quota `{demand_message['quota']}` demands {demand_message['resources']} of every container; {share.why or 'the values are the usual ones of the policy'}.",
                    evidence=case.cite(piece),
                    wants=tuple(wants),
                    parameters={"quota": demand_message["quota"], "to": ", ".join(dict.fromkeys(settings))},
                    score=0.7,
                )


def _demands(body: Mapping[str, Any], resources: str) -> Iterator[tuple[str, str]]:
    """Yield (requests or limits, resource) of each demanded resource that the container does not set."""
    for name in resources.split(","):
        side, _, resource = FULL_NAMES.get(name, name).partition(".")
        if side in ("requests", "limits") and get(body, ("resources", side, resource)) is MISSING:
            yield side, resource


class _QuotaShare:
    """The share of a quota that each pod of one workload can have."""

    def __init__(self, case: RemedyContext, target: Match, quota: str) -> None:
        self.case, self.target = case, target
        self.why = ""
        quotas = [manifest for manifest in case.namespace_objects(target, "ResourceQuota") if manifest.name == quota]
        self.hard: Mapping[str, Any] = (get(quotas[0].body, ("spec", "hard")) or {}) if len(quotas) == 1 else {}
        self.usage = _quota_usage(case, quota)
        self.pods = pods_at_once(target.manifest)

    def of(self, side: str, resource: str) -> Decimal | None:
        """Return the most that one pod can have; None where the size of the quota is not known."""
        key = f"{side}.{resource}"
        used, shown_hard = self.usage.get(key, (None, None))
        hard = (
            quantities.parse(self.hard.get(key, self.hard.get(resource) if side == "requests" else None)) or shown_hard
        )
        if hard is None:
            return None
        total = sum((_total_of_pods(manifest, side, resource) for manifest in self._others()), Decimal(0))
        remaining = hard - max(total, used or Decimal(0))
        self.why = f"{self.hard.get(key, hard.normalize())} of {key} shared by {self.pods} pods (with those of a rollout) gives each that much"
        return max(remaining, Decimal(0)) / self.pods

    def _others(self) -> Iterator[Manifest]:
        for manifest in self.case.namespace_objects(self.target):
            if manifest.pod_spec() is not None and (manifest.kind, manifest.name) != (
                self.target.manifest.kind,
                self.target.manifest.name,
            ):
                yield manifest


def _quota_usage(case: RemedyContext, quota: str) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    """Return resource → (used, hard), as `kubectl get resourcequota` shows them."""
    usage = {}
    for statement in case.statements:
        if statement.subject.kind == "ResourceQuota" and statement.subject.name == quota:
            for part in f"{statement.facts.get('request', '')}, {statement.facts.get('limit', '')}".split(", "):
                key, _, amounts = part.partition(": ")
                used, slash, hard = amounts.partition("/")
                if slash:
                    usage[FULL_NAMES.get(key, key)] = (quantities.parse(used), quantities.parse(hard))
    return usage


def _total_of_pods(manifest: Manifest, side: str, resource: str) -> Decimal:
    """Return the amount of a resource that all pods of a workload have together."""
    spec = manifest.body.get("spec") or {}
    replicas = spec.get("replicas", 1)
    per_pod = sum(
        (
            quantities.parse(get(body, ("resources", side, resource))) or Decimal(0)
            for body, _, init in manifest.containers()
            if not init
        ),
        Decimal(0),
    )
    return per_pod * (replicas if isinstance(replicas, int) else 1)


def _admitted_value(
    case: RemedyContext, share: _QuotaShare, body: Mapping[str, Any], side: str, resource: str, sharers: int
) -> str:
    """Return a value that the quota admits for all pods, not below the request; empty where there is none."""
    usual = quantities.parse(case.action.options.get(resource))
    request = quantities.parse(get(body, ("resources", "requests", resource))) or Decimal(0)
    limit = quantities.parse(get(body, ("resources", "limits", resource)))
    share_per_pod = share.of(side, resource)
    current = sum(
        (
            quantities.parse(get(container, ("resources", side, resource))) or Decimal(0)
            for container, _, init in share.target.manifest.containers()
            if not init
        ),
        Decimal(0),
    )
    most = (share_per_pod - current) / sharers if share_per_pod is not None else None
    value = max(usual or Decimal(0), request if side == "limits" else Decimal(0))
    if side == "requests" and limit is not None:
        value = min(value, limit)
    if most is not None:
        value = min(value, most) if value else most
    if value <= 0 or (side == "limits" and value < request):
        return ""
    return _rounded_down(value, resource)


def _rounded_down(amount: Decimal, resource: str) -> str:
    """Return the amount as text, rounded down so that the sum still fits."""
    if resource == "cpu":
        milli = (amount * 1000).to_integral_value(ROUND_FLOOR)
        return quantities.cores_like(milli / 1000, "1m") if milli > 0 else ""
    mebi = Decimal(2) ** 20
    mebibytes = (amount / mebi).to_integral_value(ROUND_FLOOR)
    return f"{int(mebibytes)}Mi" if mebibytes > 0 else ""
