"""Claims that no volume can be bound to: correct the access mode or the size.

A claim binds to a volume only if mode, size and class all fit. The claim is changed and not the volume, and only where
just one of the three is wrong for the only volume that could be meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import Manifest
from remediator.remedies.engine.acceptable_values import different_value, within
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.claims import VolumeClaim, claims_of_evidence

_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
_SUPPORTED = re.compile(
    r"(?i:\bonly (?:supports? )?)(?:AccessModes? ?)?\[?(?P<modes>(?:ReadWriteOncePod|ReadWriteOnce|ReadOnlyMany|ReadWriteMany)"
    r"(?:(?:,| and| or)? (?:ReadWriteOncePod|ReadWriteOnce|ReadOnlyMany|ReadWriteMany))*)"
)
"""In-tree plugins, CSI drivers and local-path use different words for it."""


def fix_access_mode(case: RemedyContext) -> Iterator[Fix]:
    """Request a mode that the provisioner supports, or that the only fitting volume offers."""
    for evidence in case.signals(*case.action.ends):
        for claim in claims_of_evidence(case, evidence):
            current = claim.get("accessModes")
            if not isinstance(current, list) or len(current) != 1:
                continue
            new, why = _mode_for(case, claim, str(current[0]), evidence)
            yield Fix(
                title=f"request {new} in claim `{claim.name}`" if new else f"restore the access mode of `{claim.name}`",
                reason=f"`{claim.name}` requests {current[0]}, {why or 'which no volume offers'}.",
                evidence=case.cite(evidence),
                wants=(Want.of(claim, (*claim.path, "accessModes", 0), new or current[0]),),
                parameters={"claim": claim.name, "from": str(current[0]), "to": new},
                score=0.75 if new else 0.0,
                accepts=different_value(current[0], among=_supported(evidence) or ["none"]),
            )


def _supported(evidence: Evidence) -> list[str]:
    """Return the modes that the provisioner supports by its own message; none where it names none."""
    match = _SUPPORTED.search(evidence.text)
    return [mode for mode in _MODES if match and re.search(rf"\b{mode}\b", match["modes"])]


def _mode_for(case: RemedyContext, claim: VolumeClaim, current: str, evidence: Evidence) -> tuple[str, str]:
    if modes := _supported(evidence):
        return ("", "") if current in modes else (modes[0], f"but the provisioner supports only {', '.join(modes)}")
    if "access_mode" in evidence.signal:
        return "", ""
    fitting = [volume for volume in volumes(case) if _fits_except(claim, volume, but="accessModes")]
    offered = [str(mode) for mode in get(fitting[0].body, ("spec", "accessModes")) or ()] if len(fitting) == 1 else []
    if offered and current not in offered:
        return offered[0], f"but the volume `{fitting[0].name}` offers {', '.join(offered)}"
    return "", ""


def volumes(case: RemedyContext) -> list[Manifest]:
    """Return the PersistentVolumes that the repository defines."""
    return [
        manifest
        for application in case.repository.applications
        for manifest in case.repository.objects(application)
        if manifest.kind == "PersistentVolume"
    ]


def _fits_except(claim: VolumeClaim, volume: Manifest, *, but: str) -> bool:
    """Return True where only the access mode, or only the size, prevents the volume from binding to the claim."""
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
    """Request the size of the only volume that could be bound, where the claim requests more."""
    for evidence in case.signals(*case.action.ends):
        for claim in claims_of_evidence(case, evidence):
            fitting = [volume for volume in volumes(case) if _fits_except(claim, volume, but="storage")]
            if claim.template or len(fitting) != 1:
                continue
            current = str(claim.get("resources", "requests", "storage"))
            size = str(get(fitting[0].body, ("spec", "capacity", "storage")))
            yield Fix(
                title=f"request {size} in claim `{claim.name}` instead of {current}",
                reason=f"The only volume for `{claim.name}`, `{fitting[0].name}`, has {size}, but the claim requests {current}.",
                evidence=case.cite(evidence),
                wants=(claim.want(size, "resources", "requests", "storage"),),
                parameters={"claim": claim.name, "from": current, "to": size},
                score=0.65,
                accepts=within(high=quantities.parse(size)),
            )


def static_classes(case: RemedyContext) -> set[str]:
    """Return the classes of hand-made volumes, for which no StorageClass object needs to exist."""
    names = (get(volume.body, ("spec", "storageClassName")) for volume in volumes(case))
    return {str(name) for name in names if name not in (MISSING, None, "")}
