"""Quotas and limit ranges that refuse a pod: give it what they demand, fit it in, or make room."""

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

_MUST = re.compile(
    r"failed quota: (?P<quota>[a-z0-9.-]+): must specify (?P<resources>[a-z0-9.,/-]*[a-z0-9])(?: for: (?P<containers>[a-z0-9.,; -]*[a-z0-9]))?"
)
_EXCEEDED = re.compile(
    r"exceeded quota: (?P<quota>[\w.-]+), requested: (?P<requested>\S+), used: (?P<used>\S+), limited: (?P<limited>\S+)"
)
_SHORT = {"cpu": "requests.cpu", "memory": "requests.memory", "ephemeral-storage": "requests.ephemeral-storage"}


def set_missing_resources(case: RemedyContext) -> Iterator[Fix]:
    """Give each container the requests and limits that the quota demands: as much as the quota leaves each pod."""
    for one in case.signals(*case.action.ends):
        found = _MUST.search(one.text)
        if found is None:
            continue
        names = re.split(r"[,; ]+", found["containers"]) if found["containers"] else []
        for target in case.targets:
            lacking = [
                (body, path, *demand)
                for body, path, _ in target.manifest.containers()
                if not names or body.get("name") in names
                for demand in _demands(body, found["resources"])
            ]
            if not lacking:
                continue
            share = _Share(case, target, found["quota"])
            wants, said = [], []
            for body, path, side, resource in lacking:
                value = _fitting(
                    case, share, body, side, resource, sum(1 for other in lacking if other[2:] == (side, resource))
                )
                if not value:
                    break
                wants.append(Want(target.application, target.manifest, (*path, "resources", side, resource), value))
                said.append(f"{side}.{resource}={value}")
            if len(wants) == len(lacking):
                yield Fix(
                    title=f"set {', '.join(dict.fromkeys(said))} of `{target.manifest.name}`",
                    reason=f"Quota `{found['quota']}` demands {found['resources']} of every container; {share.why or 'the policy names the usual values'}.",
                    evidence=case.cite(one),
                    wants=tuple(wants),
                    parameters={"quota": found["quota"], "to": ", ".join(dict.fromkeys(said))},
                    score=0.7,
                )


def _demands(body: Mapping[str, Any], resources: str) -> Iterator[tuple[str, str]]:
    """(requests or limits, resource) of what is demanded and not there; a limit alone is a request too."""
    for name in resources.split(","):
        side, _, resource = _SHORT.get(name, name).partition(".")
        if side in ("requests", "limits") and get(body, ("resources", side, resource)) is MISSING:
            yield side, resource


class _Share:
    """What a quota leaves each pod of one workload."""

    def __init__(self, case: RemedyContext, target: Match, quota: str) -> None:
        self.case, self.target = case, target
        self.why = ""
        found = [manifest for manifest in case.namespace_objects(target, "ResourceQuota") if manifest.name == quota]
        self.hard: Mapping[str, Any] = (get(found[0].body, ("spec", "hard")) or {}) if len(found) == 1 else {}
        self.shown = _shown(case, quota)
        self.pods = pods_at_once(target.manifest)

    def of(self, side: str, resource: str) -> Decimal | None:
        """The most that one pod may have, or None where the quota's size is not known."""
        key = f"{side}.{resource}"
        used, seen = self.shown.get(key, (None, None))
        hard = quantities.parse(self.hard.get(key, self.hard.get(resource) if side == "requests" else None)) or seen
        if hard is None:
            return None
        asked = sum((_total(manifest, side, resource) for manifest in self._others()), Decimal(0))
        left = hard - max(asked, used or Decimal(0))
        self.why = f"{self.hard.get(key, hard.normalize())} of {key} shared by {self.pods} pods (one more while rolling out) leaves each that much"
        return max(left, Decimal(0)) / self.pods

    def _others(self) -> Iterator[Manifest]:
        for manifest in self.case.namespace_objects(self.target):
            if manifest.pod_spec() is not None and (manifest.kind, manifest.name) != (
                self.target.manifest.kind,
                self.target.manifest.name,
            ):
                yield manifest


def _shown(case: RemedyContext, quota: str) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    """(used, hard) by resource, as `kubectl get resourcequota` shows them."""
    found = {}
    for one in case.statements:
        if one.subject.kind == "ResourceQuota" and one.subject.name == quota:
            for part in f"{one.facts.get('request', '')}, {one.facts.get('limit', '')}".split(", "):
                key, _, amounts = part.partition(": ")
                used, slash, hard = amounts.partition("/")
                if slash:
                    found[_SHORT.get(key, key)] = (quantities.parse(used), quantities.parse(hard))
    return found


def pods_at_once(manifest: Manifest) -> int:
    """Pods of a workload that exist together while it is rolled out."""
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


def _total(manifest: Manifest, side: str, resource: str) -> Decimal:
    """What a workload's pods use of a resource together."""
    spec = manifest.body.get("spec") or {}
    replicas = spec.get("replicas", 1)
    each = sum(
        (
            quantities.parse(get(body, ("resources", side, resource))) or Decimal(0)
            for body, _, init in manifest.containers()
            if not init
        ),
        Decimal(0),
    )
    return each * (replicas if isinstance(replicas, int) else 1)


def _fitting(
    case: RemedyContext, share: _Share, body: Mapping[str, Any], side: str, resource: str, sharers: int
) -> str:
    """A value that the quota admits for all pods, no less than the request; empty where there is none."""
    usual = quantities.parse(case.action.options.get(resource))
    request = quantities.parse(get(body, ("resources", "requests", resource))) or Decimal(0)
    limit = quantities.parse(get(body, ("resources", "limits", resource)))
    each = share.of(side, resource)
    present = sum(
        (
            quantities.parse(get(other, ("resources", side, resource))) or Decimal(0)
            for other, _, init in share.target.manifest.containers()
            if not init
        ),
        Decimal(0),
    )
    most = (each - present) / sharers if each is not None else None
    wanted = max(usual or Decimal(0), request if side == "limits" else Decimal(0))
    if side == "requests" and limit is not None:
        wanted = min(wanted, limit)
    if most is not None:
        wanted = min(wanted, most) if wanted else most
    if wanted <= 0 or (side == "limits" and wanted < request):
        return ""
    return _spelled(wanted, resource)


def _spelled(amount: Decimal, resource: str) -> str:
    """Rounded down, so that the sum still fits."""
    if resource == "cpu":
        milli = (amount * 1000).to_integral_value(ROUND_FLOOR)
        return quantities.cores_like(milli / 1000, "1m") if milli > 0 else ""
    mebi = Decimal(2) ** 20
    whole = (amount / mebi).to_integral_value(ROUND_FLOOR)
    return f"{int(whole)}Mi" if whole > 0 else ""


def raise_quota(case: RemedyContext) -> Iterator[Fix]:
    """Raise a quota of this repository to what all its pods need, or to what it was; within the policy's factor."""
    for one in case.signals(*case.action.ends):
        found = _EXCEEDED.search(one.text)
        if found is None:
            continue
        requested, used, limited = (dict(_pairs(found[part])) for part in ("requested", "used", "limited"))
        for match, quota in _quotas(case, found["quota"], one):
            hard = get(quota.body, ("spec", "hard"))
            if not isinstance(hard, dict):
                continue
            over = [(key, requested[key], used.get(key), limited[key]) for key in requested if key in limited]
            wants = [want for item in over if (want := _raised(case, match, quota, *item)) is not None]
            if wants and len(wants) == len(over):
                yield _roomier(case, one, quota, wants)
            yield from _as_it_was(case, one, match, quota, [key for key, *_ in over], requested, used)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.rstrip(",;.").split(","):
        key, equals, value = part.partition("=")
        if equals:
            yield key, value


def _quotas(case: RemedyContext, name: str, one: Evidence) -> Iterator[tuple[Match, Manifest]]:
    """The one quota of that name in the namespace and cluster of the refused pods, with the Application that defines it."""
    namespaces = {target.manifest.namespace_in(target.application) for target in case.targets}
    clusters = {target.application.cluster for target in case.targets}
    found = [
        (application, manifest)
        for application in case.repository.applications
        if not clusters or application.cluster in clusters
        for manifest in case.repository.objects(application)
        if (manifest.kind, manifest.name) == ("ResourceQuota", name)
        and manifest.namespace_in(application) in (namespaces | {one.subject.namespace}) - {""}
    ]
    if len(found) == 1:
        application, manifest = found[0]
        yield Match(application, manifest, "", 1.0, "the refusal names it"), manifest


def _raised(
    case: RemedyContext, match: Match, quota: Manifest, key: str, requested: str, used: str | None, limited: str
) -> Want | None:
    """The entry with room for the pod that was refused and for those that will follow it."""
    path: YamlPath = ("spec", "hard", key)
    present = get(quota.body, path)
    now, need, have = quantities.parse(present), quantities.parse(requested), quantities.parse(used)
    if now is None or need is None or have is None or now != quantities.parse(limited) or need > now:
        return None
    pods = max(
        (pods_at_once(target.manifest) for target in case.targets if key == "pods" or _asks(target.manifest, key)),
        default=1,
    )
    running = _made(case)
    wanted = have + need * max(1, pods - running if running is not None else 1)
    if wanted <= now or wanted > now * Decimal(str(case.action.bounds.max_factor or 2)):
        return None
    value = _like(wanted, key, str(present))
    return Want(match.application, quota, path, int(value) if isinstance(present, int) and value.isdigit() else value)


def _asks(manifest: Manifest, key: str) -> bool:
    side, _, resource = _SHORT.get(key, key).partition(".")
    return any(get(body, ("resources", side, resource)) is not MISSING for body, _, _ in manifest.containers())


def _made(case: RemedyContext) -> int | None:
    """Pods of the workload that exist, where a table of pods shows them."""
    names = {target.manifest.name for target in case.targets}
    pods = {
        one.subject.pod
        for one in case.statements
        if one.channel == "status" and one.subject.pod and one.subject.name in names and one.facts.get("ready")
    }
    return len(pods) if pods else None


def _like(amount: Decimal, key: str, present: str) -> str:
    if key.endswith(("memory", "storage")):
        return quantities.bytes_like(amount, present)
    return quantities.cores_like(amount, present) if key.endswith("cpu") else str(ceil(amount))


def _roomier(case: RemedyContext, one: Evidence, quota: Manifest, wants: list[Want]) -> Fix:
    said = ", ".join(f"{want.path[-1]} {get(quota.body, want.path)} → {want.value}" for want in wants)
    return Fix(
        title=f"raise quota `{quota.name}`: {said}",
        reason=f"Quota `{quota.name}` has no room for a pod that this repository asks for; {said} lets all of its pods run.",
        evidence=case.cite(one),
        wants=tuple(wants),
        parameters={"quota": quota.name, "to": said},
        score=0.5,
    )


def _as_it_was(
    case: RemedyContext,
    one: Evidence,
    match: Match,
    quota: Manifest,
    keys: list[str],
    requested: Mapping[str, str],
    used: Mapping[str, str],
) -> Iterator[Fix]:
    """Only the history can say this: the quota was larger before."""
    for key in keys:
        need = (quantities.parse(requested.get(key)) or Decimal(0)) + (quantities.parse(used.get(key)) or Decimal(0))
        present = get(quota.body, ("spec", "hard", key))
        if present is MISSING or not need:
            continue
        yield Fix(
            title=f"restore quota `{quota.name}`",
            reason=f"Quota `{quota.name}` has no room for a pod that this repository asks for.",
            evidence=case.cite(one),
            wants=(Want(match.application, quota, ("spec", "hard", key), present),),
            parameters={"quota": quota.name, "from": str(present)},
            score=0.0,
            accepts=within(low=need),
        )
