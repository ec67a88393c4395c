"""Quotas that have no room for a pod.

A quota is raised only where this repository defines it, within the policy's factor, and where all refused entries fit
then. Otherwise only its older and larger size is proposed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import ceil

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Manifest, Match
from remediator.remedies.engine.acceptable_values import within
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.unprovable import Unprovable
from remediator.remedies.resources.quota_entries import FULL_NAMES, needed_by, pods_at_once

_EXCEEDED = re.compile(
    r"exceeded quota: (?P<quota>[\w.-]+), requested: (?P<requested>\S+), used: (?P<used>\S+), limited: (?P<limited>\S+)"
)


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
            for key, *_ in over:
                if (hard_amount := quantities.parse(hard.get(key))) is not None and (
                    held := _held_by_others(case, match, quota, key, hard_amount)
                ):
                    raise Unprovable(held)


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
    if _held_by_others(case, match, quota, key, now):
        return None
    if raised <= now or raised > now * Decimal(str(case.action.bounds.max_factor or 2)):
        return None
    value = _in_unit_of(raised, key, str(current))
    return Want(match.application, quota, path, int(value) if isinstance(current, int) and value.isdigit() else value)


def _held_by_others(case: RemedyContext, match: Match, quota: Manifest, key: str, hard: Decimal) -> str:
    """Return the reason where all that this repository runs in the namespace fits; something else holds the rest then."""
    needed = needed_by(_manifests_beside(case, match, quota), key)
    if needed is None or not needed or needed > hard:
        return ""
    return (
        f"what this repository runs in the namespace needs {_in_unit_of(needed, key, str(hard))} of {key}, and quota"
        f" `{quota.name}` has room for that: something that is not in this repository holds the rest"
    )


def _manifests_beside(case: RemedyContext, match: Match, quota: Manifest) -> list[Manifest]:
    """Return the objects of the quota's namespace; none where an Application of it cannot be rendered."""
    namespace = quota.namespace_in(match.application)
    owners = [
        app
        for app in case.repository.applications
        if app.cluster == match.application.cluster and app.namespace in ("", namespace)
    ]
    if any(case.repository.problems_of(app) for app in owners):
        return []
    return [item for app in owners for item in case.repository.objects(app) if item.namespace_in(app) == namespace]


def _specifies(manifest: Manifest, key: str) -> bool:
    side, _, resource = FULL_NAMES.get(key, key).partition(".")
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
