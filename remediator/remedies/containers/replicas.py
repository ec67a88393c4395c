"""Workloads that are scaled to zero while clients call them.

Zero replicas may be intended, so the count is changed only where clients complain, nothing scales the workload to zero on
purpose, and every workload behind the Service has zero replicas.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain.incident import Evidence
from remediator.gitops import Application, Manifest
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.service_view import (
    FaultyService,
    WorkloadPods,
    faulty_services,
    has_endpoints,
    neighbours,
    pods_in_namespace,
    selected_pods,
)

_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "Rollout", "ReplicationController", "DeploymentConfig")
_TO_ZERO_ON_PURPOSE = frozenset(
    {"ScaledObject", "HTTPScaledObject", "CronHorizontalPodAutoscaler", "Sleep", "SleepInfo"}
)


def restore_replicas(case: RemedyContext) -> Iterator[Fix]:
    """Scale up the workload behind a Service that has no pods while clients call it."""
    for server in faulty_services(case):
        if has_endpoints(case, server) or not server.evidence:
            continue
        pods = [
            workload
            for workload in selected_pods(server, pods_in_namespace(case, server))
            if workload.manifest.kind in _SCALED
        ]
        if not pods or any(_replicas(workload.manifest) != 0 for workload in pods):
            continue
        for workload in pods:
            if _seen_running(case, workload) or _scales_to_zero_on_purpose(case, server, workload):
                continue
            yield _restored(case, server, workload)


def _restored(case: RemedyContext, server: FaultyService, pods: WorkloadPods) -> Fix:
    name = pods.manifest.name
    count, why = _intended_count(case, server, pods)
    return Fix(
        title=f"scale `{name}` back to {count}",
        reason=f"Service `{server.manifest.name}` has clients, but `{name}` behind it has replicas: 0; {why}",
        evidence=case.cite(*server.evidence),
        wants=(Want.of(pods, ("spec", "replicas"), count),),
        parameters={"workload": name, "from": "0", "to": str(count)},
        score=0.65,
        accepts=lambda old: str(old).isdigit() and int(old) > 0,
    )


def _replicas(manifest: Manifest) -> Any:
    spec = manifest.body.get("spec")
    count = spec.get("replicas", 1) if isinstance(spec, dict) else 1
    return int(count) if str(count).isdigit() else 1


def _intended_count(case: RemedyContext, server: FaultyService, pods: WorkloadPods) -> tuple[int, str]:
    """Return the intended count and the reason: the autoscaler's minimum, the count elsewhere, else one."""
    for autoscaler in _autoscalers(case, server, pods):
        spec = autoscaler.body.get("spec")
        least = spec.get("minReplicas", 1) if isinstance(spec, dict) else 1
        if autoscaler.kind == "HorizontalPodAutoscaler" and str(least).isdigit() and int(least) > 0:
            return int(least), f"{least} is the minimum of its autoscaler."
    elsewhere = {_replicas(manifest) for manifest in _same_workload_elsewhere(case, pods)} - {0}
    if len(elsewhere) == 1:
        count = next(iter(elsewhere))
        return count, f"the same workload of another Application has {count}."
    return 1, "one pod answers again; the review can set another number."


def _same_workload_elsewhere(case: RemedyContext, pods: WorkloadPods) -> Iterator[Manifest]:
    """Yield the same workload as other Applications of the same source render it."""
    paths = {source.path for source in pods.application.sources if source.local and source.path}
    for application in case.repository.applications:
        if application == pods.application or not paths & {source.path for source in application.sources}:
            continue
        for manifest in case.repository.objects(application):
            if (manifest.kind, manifest.file, manifest.document) == (
                pods.manifest.kind,
                pods.manifest.file,
                pods.manifest.document,
            ):
                yield manifest


def _autoscalers(case: RemedyContext, server: FaultyService, pods: WorkloadPods) -> list[Manifest]:
    objects: list[tuple[Application, Manifest]] = list(neighbours(case, pods.application, server.namespace))
    return [manifest for _, manifest in objects if _scales(manifest, pods.manifest)]


def _scales(manifest: Manifest, target: Manifest) -> bool:
    spec = manifest.body.get("spec")
    reference = spec.get("scaleTargetRef") or spec.get("targetRef") if isinstance(spec, dict) else None
    return isinstance(reference, dict) and str(reference.get("name", "")) == target.name


def _scales_to_zero_on_purpose(case: RemedyContext, server: FaultyService, pods: WorkloadPods) -> bool:
    return any(manifest.kind in _TO_ZERO_ON_PURPOSE for manifest in _autoscalers(case, server, pods))


def _seen_running(case: RemedyContext, pods: WorkloadPods) -> bool:
    """Return True where the input shows pods of the workload, or a count above zero: the repository was changed since."""
    return any(
        _shows_a_pod(statement)
        for statement in case.statements
        if statement.subject.name == pods.manifest.name and statement.channel == "status"
    )


def _shows_a_pod(statement: Evidence) -> bool:
    ready = statement.facts.get("ready", "")
    total = ready.partition("/")[2]
    if statement.subject.pod:
        return True
    return total.isdigit() and int(total) > 0
