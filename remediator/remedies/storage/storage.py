"""Claims that do not bind: correct the name of their class, or of the claim that a workload mounts.

The cluster's own list of classes is the best source, if the evidence shows it; the default class is chosen before any
other. Without that list, the classes that other claims of the repository use are taken.
"""

from __future__ import annotations

from collections.abc import Iterator

from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import Match
from remediator.gitops.committed_values import successor
from remediator.remedies.engine.acceptable_values import different_value
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import is_typo, nearest, similarity
from remediator.remedies.storage.binding import static_classes
from remediator.remedies.views.claims import VolumeClaim, claims_of, claims_of_evidence


def fix_storage_class(case: RemedyContext) -> Iterator[Fix]:
    """Name a class that exists: the one that was meant, else the cluster's default if the evidence shows it."""
    for evidence in case.signals("storage_class_not_found"):
        missing = evidence.facts.get("missing", "")
        for claim in claims_of_evidence(case, evidence):
            if claim.get("storageClassName") != missing or missing in static_classes(case):
                continue
            new, why, score = _class_for(case, claim, missing)
            again = (
                " A claim cannot change its class: delete the pending claim once, and Argo CD creates it again."
                if not claim.template
                else (
                    " A claim template cannot change: delete the StatefulSet with --cascade=orphan and its pending claim once."
                )
            )
            yield Fix(
                title=f"use storage class {new} for `{claim.name}` instead of {missing}"
                if new
                else f"restore the storage class of `{claim.name}`",
                reason=f"There is no storage class {missing}{f'; {why}' if why else ''}.{again}",
                evidence=case.cite(evidence),
                wants=(claim.want(new or missing, "storageClassName"),),
                parameters={"claim": claim.name, "from": missing, "to": new},
                score=score if new else 0.0,
                accepts=different_value(missing, among=_shown_classes(case), absent=True),
            )
    yield from _set_only_class(case)


def _class_for(case: RemedyContext, claim: VolumeClaim, missing: str) -> tuple[str, str, float]:
    shown_classes = _shown_classes(case)
    names = set(shown_classes) or _used_classes(case, claim)
    if new := nearest(missing, names):
        return new, f"{new} {'exists' if shown_classes else 'is used by other claims of this repository'}", 0.85
    renamed, commit = successor(case.repository.root, missing, names)
    if commit is not None:
        return renamed, f"commit {commit.commit[:10]} by {commit.author} renamed it to {renamed}", 0.8
    defaults = [name for name, default in shown_classes.items() if default]
    if len(defaults) == 1:
        return defaults[0], f"{defaults[0]} is the cluster's default", 0.65
    if len(shown_classes) == 1:
        name = next(iter(shown_classes))
        return name, f"{name} is the only class of the cluster", 0.65
    return "", "", 0.0


def _shown_classes(case: RemedyContext) -> dict[str, bool]:
    """Return the classes that the evidence shows; True for the default class."""
    defaults_by_name: dict[str, bool] = {}
    for evidence in case.statements:
        if evidence.subject.kind == "StorageClass" and evidence.subject.name and evidence.channel in ("status", "text"):
            default = evidence.facts.get("default") == "true" or evidence.facts.get("isdefaultclass", "").lower() in (
                "yes",
                "true",
            )
            defaults_by_name[evidence.subject.name] = defaults_by_name.get(evidence.subject.name, False) or default
    return defaults_by_name


def _used_classes(case: RemedyContext, but: VolumeClaim) -> set[str]:
    """Return the classes that this repository defines, or that its volumes and other claims use."""
    names = static_classes(case)
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            if manifest.kind == "StorageClass":
                names.add(manifest.name)
            for claim in claims_of(manifest, application):
                name = claim.get("storageClassName")
                if (
                    isinstance(name, str)
                    and name
                    and (claim.manifest.name, claim.path) != (but.manifest.name, but.path)
                ):
                    names.add(name)
    return names


def _set_only_class(case: RemedyContext) -> Iterator[Fix]:
    """Set the only class of the cluster, where a claim names none and the cluster has no default."""
    shown_classes = _shown_classes(case)
    for evidence in case.signals("no_provisioner", "no_persistent_volume"):
        if "no storage class is set" not in evidence.text or len(shown_classes) != 1 or any(shown_classes.values()):
            continue
        for claim in claims_of_evidence(case, evidence):
            if claim.get("storageClassName") is not MISSING or claim.get("volumeName") is not MISSING:
                continue
            new = next(iter(shown_classes))
            yield Fix(
                title=f"use storage class {new} for `{claim.name}`",
                reason=f"`{claim.name}` names no storage class, and the cluster has no default; {new} is its only class.",
                evidence=case.cite(evidence),
                wants=(claim.want(new, "storageClassName"),),
                parameters={"claim": claim.name, "from": "", "to": new},
                score=0.65,
            )


def fix_claim_name(case: RemedyContext) -> Iterator[Fix]:
    """Mount the claim that exists: the one of nearly that name, or the only unused one of the Application."""
    for evidence in case.signals("claim_not_found"):
        missing = evidence.facts.get("missing", "")
        for target in case.targets:
            pod = target.manifest.pod_spec()
            for index, volume in enumerate((pod[0].get("volumes") or ()) if pod else ()):
                if pod is None or get(volume, ("persistentVolumeClaim", "claimName")) != missing:
                    continue
                names = _claim_names(case, target)
                if missing in names:
                    continue
                new = _claim_for(case, target, missing, names)
                yield Fix(
                    title=f"mount claim `{new}` in `{target.manifest.name}` instead of `{missing}`"
                    if new
                    else f"restore the claim of `{target.manifest.name}`",
                    reason=f"There is no claim `{missing}`"
                    + (f"; `{new}` is the only one in the namespace that fits." if new else "."),
                    evidence=case.cite(evidence),
                    wants=(
                        Want.of(
                            target, (*pod[1], "volumes", index, "persistentVolumeClaim", "claimName"), new or missing
                        ),
                    ),
                    parameters={"volume": str(volume.get("name", "")), "from": missing, "to": new},
                    score=0.8 if new else 0.0,
                    accepts=different_value(missing, among=names),
                )


def _claim_names(case: RemedyContext, target: Match) -> set[str]:
    """Return the claims of the namespace: those of the repository and those that the evidence shows."""
    namespace = target.manifest.namespace_in(target.application)
    shown_names = {
        evidence.subject.name
        for evidence in case.statements
        if evidence.subject.kind == "PersistentVolumeClaim"
        and evidence.channel == "status"
        and evidence.subject.namespace in ("", namespace)
    }
    declared = {manifest.name for manifest in case.namespace_objects(target, "PersistentVolumeClaim")}
    return (shown_names | declared) - {""}


def _claim_for(case: RemedyContext, target: Match, missing: str, names: set[str]) -> str:
    near = sorted((name for name in names if is_typo(missing, name)), key=lambda name: -similarity(missing, name))
    if near and (len(near) == 1 or similarity(missing, near[0]) > similarity(missing, near[1])):
        return near[0]
    used = {
        str(get(volume, ("persistentVolumeClaim", "claimName")))
        for manifest in case.namespace_objects(target)
        if (pod := manifest.pod_spec()) is not None
        for volume in pod[0].get("volumes") or ()
    }
    own_claims = {
        manifest.name for manifest in case.siblings(target.application) if manifest.kind == "PersistentVolumeClaim"
    } & names
    orphans = own_claims - used
    return next(iter(orphans)) if len(orphans) == 1 else ""
