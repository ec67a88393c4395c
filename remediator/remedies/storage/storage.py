"""Claims that do not bind: their class, their name, their access mode."""

from __future__ import annotations

from collections.abc import Iterator

from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import Match
from remediator.remedies.engine.acceptable_values import different_value
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import is_typo, nearest, similarity
from remediator.remedies.storage.binding import static_classes
from remediator.remedies.views.claims import VolumeClaim, claims_of, claims_of_evidence


def fix_storage_class(case: RemedyContext) -> Iterator[Fix]:
    """Name a class that exists: the one that was meant, else the cluster's default where the classes are shown."""
    for one in case.signals("storage_class_not_found"):
        missing = one.facts.get("missing", "")
        for claim in claims_of_evidence(case, one):
            if claim.get("storageClassName") != missing or missing in static_classes(case):
                continue
            new, why, score = _class_for(case, claim, missing)
            again = (
                " Claims cannot change their class: the pending one has to be deleted once, and Argo CD makes it anew."
                if not claim.template
                else (
                    " Templates cannot change in a cluster: delete the StatefulSet once with --cascade=orphan, and its pending claim."
                )
            )
            yield Fix(
                title=f"use storage class {new} for `{claim.name}` instead of {missing}"
                if new
                else f"restore the storage class of `{claim.name}`",
                reason=f"There is no storage class {missing}{f'; {why}' if why else ''}.{again}",
                evidence=case.cite(one),
                wants=(claim.want(new or missing, "storageClassName"),),
                parameters={"claim": claim.name, "from": missing, "to": new},
                score=score if new else 0.0,
                accepts=different_value(missing, among=_shown_classes(case), absent=True),
            )
    yield from _no_class(case)


def _class_for(case: RemedyContext, claim: VolumeClaim, missing: str) -> tuple[str, str, float]:
    shown = _shown_classes(case)
    known = set(shown) or _used_classes(case, claim)
    if new := nearest(missing, known):
        return new, f"{new} {'exists' if shown else 'is what other claims here use'}", 0.85
    defaults = [name for name, default in shown.items() if default]
    if len(defaults) == 1:
        return defaults[0], f"{defaults[0]} is the cluster's default", 0.65
    if len(shown) == 1:
        name = next(iter(shown))
        return name, f"{name} is the only class there is", 0.65
    return "", "", 0.0


def _shown_classes(case: RemedyContext) -> dict[str, bool]:
    """Classes that the evidence shows, and whether each is the default."""
    found: dict[str, bool] = {}
    for one in case.statements:
        if one.subject.kind == "StorageClass" and one.subject.name and one.channel in ("status", "text"):
            default = one.facts.get("default") == "true" or one.facts.get("isdefaultclass", "").lower() in (
                "yes",
                "true",
            )
            found[one.subject.name] = found.get(one.subject.name, False) or default
    return found


def _used_classes(case: RemedyContext, but: VolumeClaim) -> set[str]:
    """Classes that this repository defines, or that its volumes and other claims use."""
    found = static_classes(case)
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            if manifest.kind == "StorageClass":
                found.add(manifest.name)
            for claim in claims_of(manifest, application):
                name = claim.get("storageClassName")
                if (
                    isinstance(name, str)
                    and name
                    and (claim.manifest.name, claim.path) != (but.manifest.name, but.path)
                ):
                    found.add(name)
    return found


def _no_class(case: RemedyContext) -> Iterator[Fix]:
    """A claim without a class in a cluster without a default: the only class that there is."""
    shown = _shown_classes(case)
    for one in case.signals("no_provisioner", "no_persistent_volume"):
        if "no storage class is set" not in one.text or len(shown) != 1 or any(shown.values()):
            continue
        for claim in claims_of_evidence(case, one):
            if claim.get("storageClassName") is not MISSING or claim.get("volumeName") is not MISSING:
                continue
            new = next(iter(shown))
            yield Fix(
                title=f"use storage class {new} for `{claim.name}`",
                reason=f"`{claim.name}` names no storage class and the cluster has no default; {new} is the only class there is.",
                evidence=case.cite(one),
                wants=(claim.want(new, "storageClassName"),),
                parameters={"claim": claim.name, "from": "", "to": new},
                score=0.65,
            )


def fix_claim_name(case: RemedyContext) -> Iterator[Fix]:
    """Use the claim that exists: one slip away, or the only one of the Application that nothing uses."""
    for one in case.signals("claim_not_found"):
        missing = one.facts.get("missing", "")
        for target in case.targets:
            found = target.manifest.pod_spec()
            for index, volume in enumerate((found[0].get("volumes") or ()) if found else ()):
                if found is None or get(volume, ("persistentVolumeClaim", "claimName")) != missing:
                    continue
                known = _claim_names(case, target)
                if missing in known:
                    continue
                new = _claim_for(case, target, missing, known)
                yield Fix(
                    title=f"mount claim `{new}` in `{target.manifest.name}` instead of `{missing}`"
                    if new
                    else f"restore the claim of `{target.manifest.name}`",
                    reason=f"There is no claim `{missing}`"
                    + (f"; `{new}` is the one in the namespace that was meant." if new else "."),
                    evidence=case.cite(one),
                    wants=(
                        Want(
                            target.application,
                            target.manifest,
                            (*found[1], "volumes", index, "persistentVolumeClaim", "claimName"),
                            new or missing,
                        ),
                    ),
                    parameters={"volume": str(volume.get("name", "")), "from": missing, "to": new},
                    score=0.8 if new else 0.0,
                    accepts=different_value(missing, among=known),
                )


def _claim_names(case: RemedyContext, target: Match) -> set[str]:
    """Claims of the namespace: those that the repository makes there, and those that the evidence shows."""
    namespace = target.manifest.namespace_in(target.application)
    shown = {
        one.subject.name
        for one in case.statements
        if one.subject.kind == "PersistentVolumeClaim"
        and one.channel == "status"
        and one.subject.namespace in ("", namespace)
    }
    made = {manifest.name for manifest in case.namespace_objects(target, "PersistentVolumeClaim")}
    return (shown | made) - {""}


def _claim_for(case: RemedyContext, target: Match, missing: str, known: set[str]) -> str:
    near = sorted((name for name in known if is_typo(missing, name)), key=lambda name: -similarity(missing, name))
    if near and (len(near) == 1 or similarity(missing, near[0]) > similarity(missing, near[1])):
        return near[0]
    used = {
        str(get(volume, ("persistentVolumeClaim", "claimName")))
        for manifest in case.namespace_objects(target)
        if (found := manifest.pod_spec()) is not None
        for volume in found[0].get("volumes") or ()
    }
    own = {
        manifest.name for manifest in case.siblings(target.application) if manifest.kind == "PersistentVolumeClaim"
    } & known
    orphans = own - used
    return next(iter(orphans)) if len(orphans) == 1 else ""
