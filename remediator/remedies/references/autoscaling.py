"""Autoscalers whose target does not exist: correct the name or the kind of the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath, get
from remediator.gitops import Manifest, Match
from remediator.gitops.model import WORKLOADS
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.intended_name import intended_name

_REFERENCES: dict[str, YamlPath] = {
    "HorizontalPodAutoscaler": ("spec", "scaleTargetRef"),
    "ScaledObject": ("spec", "scaleTargetRef"),
    "VerticalPodAutoscaler": ("spec", "targetRef"),
}


def fix_scale_target(case: RemedyContext) -> Iterator[Fix]:
    """Correct the name of the autoscaler's target, or its kind where only that is wrong."""
    failed = case.signals("scale_target_not_found")
    for target in case.targets:
        path = _REFERENCES.get(target.manifest.kind)
        reference = get(target.manifest.body, path) if path else None
        if path and isinstance(reference, dict):
            yield from _fixes(case, target, path, reference, failed)


def _fixes(
    case: RemedyContext, target: Match, path: YamlPath, reference: dict[str, Any], failed: Sequence[Evidence]
) -> Iterator[Fix]:
    name, kind = str(reference.get("name", "")), str(reference.get("kind") or "Deployment")
    missing = case.facts("missing", among=failed)
    if missing and name not in missing:
        return  # it was corrected since
    workloads = case.namespace_objects(target, *WORKLOADS)
    same_name = [item for item in workloads if item.name == name]
    if any(item.kind == kind for item in same_name):
        return  # the repository has it: the cluster will get it with the next sync
    if len(same_name) == 1 and same_name[0].kind in ("Deployment", "StatefulSet", "Rollout"):
        yield _kind_fix(case, target, path, kind, same_name[0], failed)
        return
    new, why = _target_for(case, target, kind, name, [item for item in workloads if item.kind == kind])
    names = {item.name for item in workloads if item.kind == kind}
    yield Fix(
        title=f"scale {kind} `{new}` instead of `{name}`",
        reason=f"there is no {kind} `{name}`; {why}",
        evidence=case.cite(*failed),
        wants=(Want.of(target, (*path, "name"), new or name),),
        parameters={"kind": kind, "from": name, "to": new},
        score=0.8 if new else 0.0,
        accepts=lambda old: old in names,
    )


def _kind_fix(
    case: RemedyContext, target: Match, path: YamlPath, kind: str, workload: Manifest, failed: Sequence[Evidence]
) -> Fix:
    wants = [Want.of(target, (*path, "kind"), workload.kind)]
    if get(target.manifest.body, (*path, "apiVersion")) not in (workload.api_version, None):
        current = get(target.manifest.body, (*path, "apiVersion"))
        if isinstance(current, str):
            wants.append(Want.of(target, (*path, "apiVersion"), workload.api_version))
    return Fix(
        title=f"scale {workload.kind} `{workload.name}`, which is no {kind}",
        reason=f"`{workload.name}` is a {workload.kind}; there is no {kind} of that name.",
        evidence=case.cite(*failed),
        wants=tuple(wants),
        parameters={"name": workload.name, "from": kind, "to": workload.kind},
        score=0.75,
    )


def _target_for(case: RemedyContext, target: Match, kind: str, name: str, workloads: list[Manifest]) -> tuple[str, str]:
    names = list(dict.fromkeys(item.name for item in workloads))
    new, why = intended_name(case, name, names)
    if new:
        return new, why
    if target.manifest.name in names:
        return target.manifest.name, f"the autoscaler has the name of {kind} `{target.manifest.name}`."
    scaled = {
        str(get(item.body, (*_REFERENCES[item.kind], "name")))
        for item in case.namespace_objects(target, *_REFERENCES)
        if item.name != target.manifest.name
    }
    unscaled = {item.name for item in case.siblings(target.application) if item.kind == kind} - scaled
    if len(unscaled) == 1:
        only = next(iter(unscaled))
        return only, f"`{only}` is the only {kind} of this Application without an autoscaler."
    return "", "no workload in the namespace is clearly the right one."
