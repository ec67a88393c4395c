"""Quotas that refuse a pod: the pod lacks the resources that they demand, or it exceeds them.

Missing resources get the policy's usual values, but no more than the quota leaves for each pod. A quota is raised only
where this repository defines it, within the policy's factor, and where all refused entries fit then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_FLOOR, Decimal
from math import ceil
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Manifest, Match
from remediator.remedies.engine import quantities
from remediator.remedies.engine.acceptable_values import within
from remediator.remedies.engine.case import Fix, RemedyContext, Want

_MUST_SPECIFY = re.compile(
    r"failed quota: (?P<quota>[a-z0-9.-]+): must specify (?P<resources>[a-z0-9.,/-]*[a-z0-9])(?: for: (?P<containers>[a-z0-9.,; -]*[a-z0-9]))?"
)
_EXCEEDED = re.compile(
    r"exceeded quota: (?P<quota>[\w.-]+), requested: (?P<requested>\S+), used: (?P<used>\S+), limited: (?P<limited>\S+)"
)
_FULL_NAMES = {"cpu": "requests.cpu", "memory": "requests.memory", "ephemeral-storage": "requests.ephemeral-storage"}


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
                wants.append(Want(target.application, target.manifest, (*path, "resources", side, resource), value))
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
        side, _, resource = _FULL_NAMES.get(name, name).partition(".")
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
                    usage[_FULL_NAMES.get(key, key)] = (quantities.parse(used), quantities.parse(hard))
    return usage


def pods_at_once(manifest: Manifest) -> int:
    """Return the number of pods of a workload that exist together during a rollout."""
    spec = manifest.body.get("spec") or {}
    replicas = spec.get("replicas", 1)
    replicas = replicas if isinstance(replicas, int) and not isinstance(replicas, bool) else 1
    if manifest.kind != "Deployment" or get(spec, ("strategy", "type")) == "Recreate":
        return max(1, replicas)
    surge = get(spec, ("strategy", "rollingUpdate", "maxSurge"))
    if isinstance(surge, int):
        return max(1, replicas + surge)
    percent = int(surge[:-1]) if isinstance(surge, str) and surge.endswith("%") and surge[:-1].isdigit() else 25
    return max(1, replicas + ceil(replicas * percent / 100))


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


def raise_quota(case: RemedyContext) -> Iterator[Fix]:
    """Raise a quota of this repository to the need of all its pods within the policy's factor, or to its older size."""
    for piece in case.signals(*case.action.ends):
        refusal = _EXCEEDED.search(piece.text)
        if refusal is None:
            continue
        requested, used, limited = (dict(_pairs(refusal[part])) for part in ("requested", "used", "limited"))
        for match, quota in _quotas(case, refusal["quota"], piece):
            hard = get(quota.body, ("spec", "hard"))
            if not isinstance(hard, dict):
                continue
            over = [(key, requested[key], used.get(key), limited[key]) for key in requested if key in limited]
            wants = [want for item in over if (want := _raised_entry(case, match, quota, *item)) is not None]
            if wants and len(wants) == len(over):
                yield _raised_quota_fix(case, piece, quota, wants)
            yield from _restored_quota_fixes(case, piece, match, quota, [key for key, *_ in over], requested, used)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.rstrip(",;.").split(","):
        key, equals, value = part.partition("=")
        if equals:
            yield key, value


def _quotas(case: RemedyContext, name: str, piece: Evidence) -> Iterator[tuple[Match, Manifest]]:
    """Yield the only quota of that name in the namespace and cluster of the refused pods, with its Application."""
    namespaces = {target.manifest.namespace_in(target.application) for target in case.targets}
    clusters = {target.application.cluster for target in case.targets}
    quotas = [
        (application, manifest)
        for application in case.repository.applications
        if not clusters or application.cluster in clusters
        for manifest in case.repository.objects(application)
        if (manifest.kind, manifest.name) == ("ResourceQuota", name)
        and manifest.namespace_in(application) in (namespaces | {piece.subject.namespace}) - {""}
    ]
    if len(quotas) == 1:
        application, manifest = quotas[0]
        yield Match(application, manifest, "", 1.0, "the refusal names it"), manifest


def _raised_entry(
    case: RemedyContext, match: Match, quota: Manifest, key: str, requested: str, used: str | None, limited: str
) -> Want | None:
    """Return the quota's entry with room for the refused pod and for the pods that will follow it."""
    path: YamlPath = ("spec", "hard", key)
    current = get(quota.body, path)
    now, need, have = quantities.parse(current), quantities.parse(requested), quantities.parse(used)
    if now is None or need is None or have is None or now != quantities.parse(limited) or need > now:
        return None
    pods = max(
        (pods_at_once(target.manifest) for target in case.targets if key == "pods" or _specifies(target.manifest, key)),
        default=1,
    )
    running = _running_pods(case)
    raised = have + need * max(1, pods - running if running is not None else 1)
    if raised <= now or raised > now * Decimal(str(case.action.bounds.max_factor or 2)):
        return None
    value = _in_unit_of(raised, key, str(current))
    return Want(match.application, quota, path, int(value) if isinstance(current, int) and value.isdigit() else value)


def _specifies(manifest: Manifest, key: str) -> bool:
    side, _, resource = _FULL_NAMES.get(key, key).partition(".")
    return any(get(body, ("resources", side, resource)) is not MISSING for body, _, _ in manifest.containers())


def _running_pods(case: RemedyContext) -> int | None:
    """Return the number of the workload's pods in a table of pods; None where no table is shown."""
    names = {target.manifest.name for target in case.targets}
    pods = {
        statement.subject.pod
        for statement in case.statements
        if statement.channel == "status"
        and statement.subject.pod
        and statement.subject.name in names
        and statement.facts.get("ready")
    }
    return len(pods) if pods else None


def _in_unit_of(amount: Decimal, key: str, spelling: str) -> str:
    if key.endswith(("memory", "storage")):
        return quantities.bytes_like(amount, spelling)
    return quantities.cores_like(amount, spelling) if key.endswith("cpu") else str(ceil(amount))


def _raised_quota_fix(case: RemedyContext, piece: Evidence, quota: Manifest, wants: list[Want]) -> Fix:
    changes = ", ".join(f"{want.path[-1]} {get(quota.body, want.path)} → {want.value}" for want in wants)
    return Fix(
        title=f"raise quota `{quota.name}`: {changes}",
        reason=f"Quota `{quota.name}` has no room for a pod that this repository asks for; {changes} admits all of its pods.",
        evidence=case.cite(piece),
        wants=tuple(wants),
        parameters={"quota": quota.name, "to": changes},
        score=0.5,
    )


def _restored_quota_fixes(
    case: RemedyContext,
    piece: Evidence,
    match: Match,
    quota: Manifest,
    keys: list[str],
    requested: Mapping[str, str],
    used: Mapping[str, str],
) -> Iterator[Fix]:
    """Yield one fix for each refused entry, whose older and larger value only the history can give."""
    for key in keys:
        need = (quantities.parse(requested.get(key)) or Decimal(0)) + (quantities.parse(used.get(key)) or Decimal(0))
        current = get(quota.body, ("spec", "hard", key))
        if current is MISSING or not need:
            continue
        yield Fix(
            title=f"restore quota `{quota.name}`",
            reason=f"Quota `{quota.name}` has no room for a pod that this repository asks for.",
            evidence=case.cite(piece),
            wants=(Want(match.application, quota, ("spec", "hard", key), current),),
            parameters={"quota": quota.name, "from": str(current)},
            score=0.0,
            accepts=within(low=need),
        )
