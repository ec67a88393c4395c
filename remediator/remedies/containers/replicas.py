"""Workloads scaled to zero while clients ask for them."""

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
    """Bring back the pods behind a Service that refuses its clients because its workload has none.

    Zero may be meant: it is only changed where clients complain, nothing scales the workload to zero on purpose,
    and every workload behind the Service is at zero.
    """
    for server in faulty_services(case):
        if has_endpoints(case, server) or not server.evidence:
            continue
        pods = [one for one in selected_pods(server, pods_in_namespace(case, server)) if one.manifest.kind in _SCALED]
        if not pods or any(_count(one.manifest) != 0 for one in pods):
            continue
        for one in pods:
            if _seen_running(case, one) or _on_purpose(case, server, one):
                continue
            yield _restored(case, server, one)


def _restored(case: RemedyContext, server: FaultyService, pods: WorkloadPods) -> Fix:
    name = pods.manifest.name
    count, why = _meant(case, server, pods)
    return Fix(
        title=f"scale `{name}` back to {count}",
        reason=f"Service `{server.manifest.name}` is asked for and `{name}`, which serves it, has replicas: 0; {why}",
        evidence=case.cite(*server.evidence),
        wants=(Want(pods.application, pods.manifest, ("spec", "replicas"), count),),
        parameters={"workload": name, "from": "0", "to": str(count)},
        score=0.65,
        accepts=lambda old: str(old).isdigit() and int(old) > 0,
    )


def _count(manifest: Manifest) -> Any:
    spec = manifest.body.get("spec")
    count = spec.get("replicas", 1) if isinstance(spec, dict) else 1
    return int(count) if str(count).isdigit() else 1


def _meant(case: RemedyContext, server: FaultyService, pods: WorkloadPods) -> tuple[int, str]:
    """How many: the autoscaler's minimum, what the same workload has elsewhere, else one."""
    for autoscaler in _autoscalers(case, server, pods):
        spec = autoscaler.body.get("spec")
        least = spec.get("minReplicas", 1) if isinstance(spec, dict) else 1
        if autoscaler.kind == "HorizontalPodAutoscaler" and str(least).isdigit() and int(least) > 0:
            return int(least), f"{least} is the minimum of its autoscaler."
    elsewhere = {_count(manifest) for manifest in _twins(case, pods)} - {0}
    if len(elsewhere) == 1:
        count = next(iter(elsewhere))
        return count, f"the same workload of another Application has {count}."
    return 1, "one serves again; say how many are needed in the review."


def _twins(case: RemedyContext, pods: WorkloadPods) -> Iterator[Manifest]:
    """The same workload as other Applications of the same source render it."""
    paths = {source.path for source in pods.application.sources if source.local and source.path}
    for other in case.repository.applications:
        if other == pods.application or not paths & {source.path for source in other.sources}:
            continue
        for manifest in case.repository.objects(other):
            if (manifest.kind, manifest.file, manifest.document) == (
                pods.manifest.kind,
                pods.manifest.file,
                pods.manifest.document,
            ):
                yield manifest


def _autoscalers(case: RemedyContext, server: FaultyService, pods: WorkloadPods) -> list[Manifest]:
    found: list[tuple[Application, Manifest]] = list(neighbours(case, pods.application, server.namespace))
    return [manifest for _, manifest in found if _scales(manifest, pods.manifest)]


def _scales(manifest: Manifest, target: Manifest) -> bool:
    spec = manifest.body.get("spec")
    reference = spec.get("scaleTargetRef") or spec.get("targetRef") if isinstance(spec, dict) else None
    return isinstance(reference, dict) and str(reference.get("name", "")) == target.name


def _on_purpose(case: RemedyContext, server: FaultyService, pods: WorkloadPods) -> bool:
    return any(manifest.kind in _TO_ZERO_ON_PURPOSE for manifest in _autoscalers(case, server, pods))


def _seen_running(case: RemedyContext, pods: WorkloadPods) -> bool:
    """Whether the input shows pods of it, or that more than none are wanted: then the repository was changed since."""
    return any(
        _runs(one) for one in case.statements if one.subject.name == pods.manifest.name and one.channel == "status"
    )


def _runs(one: Evidence) -> bool:
    ready = one.facts.get("ready", "")
    wanted = ready.partition("/")[2]
    if one.subject.pod:
        return True
    return wanted.isdigit() and int(wanted) > 0
