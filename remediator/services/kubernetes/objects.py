"""Readers of pods and events: pure functions of the API's JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from remediator.domain.json_reader import objects_at, text_at, value_at
from remediator.evidence import workload_of_pod

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remediator.domain.sources import Workload

Object = dict[str, Any]


def sound(item: Object) -> Object:
    """Return the object with conditions that are a list of objects, as all readers of conditions expect."""
    status = value_at(item, "status")
    if not isinstance(status, dict) or "conditions" not in status:
        return item
    return {**item, "status": {**status, "conditions": objects_at(status, "conditions")}}


def name_of(value: Any) -> str:
    """Return the object's name."""
    return text_at(value, "metadata", "name")


def workload_of(pod: Object) -> tuple[str, str]:
    """Return kind and name of the workload that made the pod."""
    return workload_of_pod(name_of(pod), owner_of(pod))


def owner_of(pod: Object) -> str:
    """Return the object that made the pod itself, `Job/report-28912345`; empty for a bare pod."""
    owner = next(
        (reference for reference in objects_at(pod, "metadata", "ownerReferences") if reference.get("controller")), {}
    )
    return f"{owner.get('kind')}/{owner.get('name')}" if owner else ""


def belongs(pod: Object, workload: Workload) -> bool:
    """Return whether a pod is one of the workload's; a bare namespace has all."""
    if not workload.name and not workload.pod:
        return True
    kind, name = workload_of(pod)
    if workload.name and workload.kind != "Pod":
        return name == workload.name and (not workload.kind or kind in {"", workload.kind})
    return name_of(pod) == (workload.pod or workload.name)


def containers(pod: Object) -> Iterator[Object]:
    """Yield the statuses of all containers, those for initialisation first."""
    for key in ("initContainerStatuses", "containerStatuses"):
        yield from objects_at(pod, "status", key)


def ready(pod: Object) -> bool:
    """Return whether the pod has the Ready condition; a finished pod counts as ready."""
    if text_at(pod, "status", "phase") == "Succeeded":
        return True
    return text_at(_condition(pod, "Ready"), "status") == "True"


def restarts(pod: Object) -> int:
    """Return the restarts of all its containers."""
    return sum(count for status in containers(pod) if isinstance(count := status.get("restartCount"), int))


def state(pod: Object) -> str:
    """Return what must not change for a pod to count as settled: identity, readiness and its time, restarts."""
    condition = _condition(pod, "Ready")
    facts = (text_at(pod, "metadata", "uid"), text_at(condition, "status"), text_at(condition, "lastTransitionTime"))
    return "/".join((*facts, str(restarts(pod))))


def why_not_running(status: Object) -> str:
    """Return the reason why a container waits or has ended; empty while it runs or is about to."""
    waiting = text_at(status, "state", "waiting", "reason")
    if waiting in {"ContainerCreating", "PodInitializing"}:
        return ""
    ended = value_at(status, "state", "terminated")
    failed = isinstance(ended, dict) and ended.get("exitCode") != 0
    return waiting or (text_at(ended, "reason") if failed else "")


def last_end(status: Object) -> tuple[str, str, str]:
    """Return (time, reason, exit code) of the container's latest failed end, current or previous."""
    for key in ("state", "lastState"):
        ended = value_at(status, key, "terminated")
        if isinstance(ended, dict) and ended.get("exitCode") != 0:
            return text_at(ended, "finishedAt"), text_at(ended, "reason"), text_at(ended, "exitCode")
    return "", "", ""


def moment_of(event: Object) -> str:
    """Return the time of an event's last occurrence, to the second: the scheduler's events have no lastTimestamp."""
    times = (text_at(event, "series", "lastObservedTime"), text_at(event, "lastTimestamp"), text_at(event, "eventTime"))
    at = next(filter(None, times), "") or text_at(event, "metadata", "creationTimestamp")
    return re.sub(r"\.\d+Z$", "Z", at)


def regards(event: Object, names: Mapping[str, object]) -> bool:
    """Return whether an event is about one of the named objects, or a ReplicaSet or Job that one of them made."""
    name = text_at(event, "involvedObject", "name")
    return name in names or (
        text_at(event, "involvedObject", "kind") in {"ReplicaSet", "Job"} and name.rpartition("-")[0] in names
    )


def without_noise(item: Object, kind: str) -> Object:
    """Return the object with its kind, which items of a list lack, and without the API's bookkeeping."""
    original = value_at(item, "metadata")
    metadata = {k: v for k, v in original.items() if k != "managedFields"} if isinstance(original, dict) else {}
    return {"apiVersion": "v1", "kind": kind, **item, "metadata": metadata}


def _condition(pod: Object, kind: str) -> Object:
    return next(
        (condition for condition in objects_at(pod, "status", "conditions") if condition.get("type") == kind), {}
    )
