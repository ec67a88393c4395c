"""Claims and the volumes that could be bound to them: mode, size, and the classes that only mark volumes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import Manifest
from remediator.remedies.engine import quantities
from remediator.remedies.engine.acceptable_values import different_value, within
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.claims import VolumeClaim, claims_of_evidence

_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
_SUPPORTED = re.compile(
    r"(?i:\bonly (?:supports? )?)(?:AccessModes? ?)?\[?(?P<modes>(?:ReadWriteOncePod|ReadWriteOnce|ReadOnlyMany|ReadWriteMany)"
    r"(?:(?:,| and| or)? (?:ReadWriteOncePod|ReadWriteOnce|ReadOnlyMany|ReadWriteMany))*)"
)
"""In-tree plugins, CSI drivers and local-path each say it a little differently."""


def fix_access_mode(case: RemedyContext) -> Iterator[Fix]:
    """Ask for the mode that the provisioner names as its only ones, or that the one fitting volume offers."""
    for evidence in case.signals(*case.action.ends):
        for claim in claims_of_evidence(case, evidence):
            current = claim.get("accessModes")
            if not isinstance(current, list) or len(current) != 1:
                continue
            new, why = _mode_for(case, claim, str(current[0]), evidence)
            yield Fix(
                title=f"ask for {new} in claim `{claim.name}`" if new else f"restore the access mode of `{claim.name}`",
                reason=f"`{claim.name}` asks for {current[0]}, {why or 'which nothing can give'}.",
                evidence=case.cite(evidence),
                wants=(Want(claim.application, claim.manifest, (*claim.path, "accessModes", 0), new or current[0]),),
                parameters={"claim": claim.name, "from": str(current[0]), "to": new},
                score=0.75 if new else 0.0,
                accepts=different_value(current[0], among=_supported(evidence) or ["none"]),
            )


def _supported(evidence: Evidence) -> list[str]:
    """The modes that the provisioner says it can give; none where it says nothing of modes."""
    match = _SUPPORTED.search(evidence.text)
    return [mode for mode in _MODES if match and re.search(rf"\b{mode}\b", match["modes"])]


def _mode_for(case: RemedyContext, claim: VolumeClaim, current: str, evidence: Evidence) -> tuple[str, str]:
    if modes := _supported(evidence):
        return ("", "") if current in modes else (modes[0], f"and the provisioner gives only {', '.join(modes)}")
    if "access_mode" in evidence.signal:
        return "", ""
    fitting = [volume for volume in volumes(case) if _fits(claim, volume, but="accessModes")]
    offered = [str(mode) for mode in get(fitting[0].body, ("spec", "accessModes")) or ()] if len(fitting) == 1 else []
    if offered and current not in offered:
        return offered[0], f"and the volume `{fitting[0].name}` offers {', '.join(offered)}"
    return "", ""


def volumes(case: RemedyContext) -> list[Manifest]:
    """Volumes that the repository makes by hand."""
    return [
        manifest
        for application in case.repository.applications
        for manifest in case.repository.objects(application)
        if manifest.kind == "PersistentVolume"
    ]


def _fits(claim: VolumeClaim, volume: Manifest, *, but: str) -> bool:
    """Whether a volume would bind to the claim but for its access mode, or but for its size."""
    requested = quantities.parse(claim.get("resources", "requests", "storage"))
    capacity = quantities.parse(get(volume.body, ("spec", "capacity", "storage")))
    modes, offered = claim.get("accessModes"), get(volume.body, ("spec", "accessModes"))
    if requested is None or capacity is None or not isinstance(modes, list) or not isinstance(offered, list):
        return False
    return (
        (claim.get("storageClassName") or "") == (get(volume.body, ("spec", "storageClassName")) or "")
        and (requested > capacity if but == "storage" else requested <= capacity)
        and (but == "accessModes" or set(modes) <= set(offered))
        and get(volume.body, ("spec", "claimRef", "name")) in (MISSING, claim.name)
        and claim.get("volumeName") in (MISSING, volume.name)
    )


def fit_claim(case: RemedyContext) -> Iterator[Fix]:
    """Ask for what the only volume that could be bound holds, where the claim asks for more."""
    for evidence in case.signals(*case.action.ends):
        for claim in claims_of_evidence(case, evidence):
            fitting = [volume for volume in volumes(case) if _fits(claim, volume, but="storage")]
            if claim.template or len(fitting) != 1:
                continue
            current = str(claim.get("resources", "requests", "storage"))
            size = str(get(fitting[0].body, ("spec", "capacity", "storage")))
            yield Fix(
                title=f"ask for {size} in claim `{claim.name}` instead of {current}",
                reason=f"The only volume for `{claim.name}`, `{fitting[0].name}`, holds {size}, and the claim asks for {current}.",
                evidence=case.cite(evidence),
                wants=(claim.want(size, "resources", "requests", "storage"),),
                parameters={"claim": claim.name, "from": current, "to": size},
                score=0.65,
                accepts=within(high=quantities.parse(size)),
            )


def static_classes(case: RemedyContext) -> set[str]:
    """Classes that volumes made by hand carry: a mere mark, for which no StorageClass need exist."""
    names = (get(volume.body, ("spec", "storageClassName")) for volume in volumes(case))
    return {str(name) for name in names if name not in (MISSING, None, "")}
