"""Volumes that are full, and claims whose size was reduced.

A volume can grow and never shrink. So a reduced claim gets its old size back, and a full one grows by the policy's
factor, unless its class does not allow that or the cluster already shows another size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import get
from remediator.gitops import Match
from remediator.remedies.engine.acceptable_values import more_than
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.claims import VolumeClaim, claims, claims_of_evidence, mounted_claims

_PATH = re.compile(r"(?P<path>/[\w./@+-]+)")


def grow_claim(case: RemedyContext) -> Iterator[Fix]:
    """Grow a full volume by the policy's factor, or give a reduced claim its old size.

    A StatefulSet's claim template cannot change, and some classes do not expand: those are left to a person.
    """
    for evidence in case.signals(*case.action.ends):
        for claim in _full_claims(case, evidence):
            now = quantities.parse(claim.get("resources", "requests", "storage"))
            if now is None or (claim.template and evidence.signal != "volume_resize_forbidden"):
                continue
            if evidence.signal == "volume_resize_forbidden":
                yield from _size_restored(case, claim, now, evidence)
            elif _can_expand(case, claim) and _has_requested_size(case, claim, now):
                yield from _grown(case, claim, now, evidence)


def _grown(case: RemedyContext, claim: VolumeClaim, now: Decimal, evidence: Evidence) -> Iterator[Fix]:
    bounds, current = case.action.bounds, str(claim.get("resources", "requests", "storage"))
    size = min(now * Decimal(str(bounds.factor or 2)), now * Decimal(str(bounds.max_factor or 3)))
    size = quantities.clamp(size, bounds.minimum, bounds.maximum)
    if size <= now:
        return
    value = quantities.bytes_like(size, current)
    yield Fix(
        title=f"grow claim `{claim.name}` from {current} to {value}",
        reason=f"The volume of `{claim.name}` is full at {current}, so it grows to {value}. A claim cannot shrink again.",
        evidence=case.cite(evidence),
        wants=(_size(claim, value),),
        parameters={"claim": claim.name, "from": current, "to": value},
        score=0.65,
        accepts=more_than(now),
    )


def _size_restored(case: RemedyContext, claim: VolumeClaim, now: Decimal, evidence: Evidence) -> Iterator[Fix]:
    """Restore the size of a claim: as the evidence shows it, else as the history has it."""
    capacities = [
        amount
        for piece in case.statements
        if piece.subject.kind == "PersistentVolumeClaim" and piece.subject.name == claim.name
        if (amount := quantities.parse(piece.facts.get("capacity"))) is not None and amount > now
    ]
    current = str(claim.get("resources", "requests", "storage"))
    value = quantities.bytes_like(max(capacities), current) if capacities else ""
    yield Fix(
        title=f"set claim `{claim.name}` back to {value}" if value else f"restore the size of claim `{claim.name}`",
        reason=f"`{claim.name}` cannot shrink to {current}" + (f": its volume already has {value}." if value else "."),
        evidence=case.cite(evidence),
        wants=(_size(claim, value or current),),
        parameters={"claim": claim.name, "from": current, "to": value},
        score=0.75 if value else 0.0,
        accepts=more_than(now),
    )


def _size(claim: VolumeClaim, value: str) -> Want:
    return Want.of(claim, (*claim.path, "resources", "requests", "storage"), value)


def _full_claims(case: RemedyContext, evidence: Evidence) -> list[VolumeClaim]:
    """Return the full claim: by its name, by the path that could not be written, or the only mounted one."""
    name = evidence.facts.get("persistentvolumeclaim") or (
        evidence.subject.name if evidence.subject.kind == "PersistentVolumeClaim" else ""
    )
    if name:
        return claims(case, evidence.subject.model_copy(update={"name": name}))
    if evidence.facts.get("invalid_kind") == "PersistentVolumeClaim" and evidence.facts.get("invalid_name"):
        return claims(case, evidence.subject.model_copy(update={"name": evidence.facts["invalid_name"]}))
    if evidence.signal != "disk_full":
        return claims_of_evidence(case, evidence)
    return [claim for target in case.targets for claim in _claim_of_path(case, target, evidence)]


def _claim_of_path(case: RemedyContext, target: Match, evidence: Evidence) -> Iterator[VolumeClaim]:
    """Yield the claim whose mount contains the path of the message; without a path, the workload's only claim."""
    pod = target.manifest.pod_spec()
    own_claims = list(mounted_claims(case, target))
    paths = [match["path"] for match in _PATH.finditer(evidence.text) if match["path"].count("/") > 1]
    if pod is None or not own_claims:
        return
    mounts = [
        (str(mount.get("mountPath", "")).rstrip("/"), str(mount.get("name", "")))
        for body, _, _ in target.manifest.containers()
        if evidence.subject.container in ("", body.get("name"))
        for mount in body.get("volumeMounts") or ()
        if isinstance(mount, dict)
    ]
    claim_names = {
        str(volume.get("name")): str(get(volume, ("persistentVolumeClaim", "claimName")))
        for volume in pod[0].get("volumes") or ()
        if isinstance(volume, dict)
    }
    full = {volume for path in paths for volume in [_deepest(path, mounts)] if volume}
    hits = [
        claim
        for claim in own_claims
        if (claim.name in full if claim.template else claim.name in {claim_names.get(volume) for volume in full})
    ]
    if len(hits) == 1:
        yield hits[0]
    elif not paths and len(own_claims) == 1:
        yield own_claims[0]


def _deepest(path: str, mounts: list[tuple[str, str]]) -> str:
    """Return the volume mounted closest above a path; empty for the container's own file system."""
    above = [
        (len(mount_path), name)
        for mount_path, name in mounts
        if mount_path and (path == mount_path or path.startswith(f"{mount_path}/"))
    ]
    return max(above)[1] if above else ""


def _can_expand(case: RemedyContext, claim: VolumeClaim) -> bool:
    """Return False where the claim's class is known not to let volumes grow."""
    name = claim.get("storageClassName")
    for evidence in case.statements:
        if evidence.subject.kind == "StorageClass" and (
            evidence.subject.name == name or (not name and evidence.facts.get("default") == "true")
        ):
            return (evidence.facts.get("allowvolumeexpansion") or "true").lower() != "false"
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            if manifest.kind == "StorageClass" and manifest.name == name:
                return manifest.body.get("allowVolumeExpansion") is True
    return True


def _has_requested_size(case: RemedyContext, claim: VolumeClaim, now: Decimal) -> bool:
    """Return False where the evidence shows another capacity than the repository requests: it has grown since."""
    capacities = {
        amount
        for evidence in case.statements
        if evidence.subject.kind == "PersistentVolumeClaim" and evidence.subject.name == claim.name
        if (amount := quantities.parse(evidence.facts.get("capacity"))) is not None
    }
    return not capacities or now in capacities
