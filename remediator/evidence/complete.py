"""Completes subjects across statements.

A statement rarely names everything: an event names the pod, `describe` its node and owner. What one statement says of a
pod holds for all others of that pod; what is ambiguous stays empty, since a wrong subject leads to a wrong file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.evidence.adopt import adopt
from remediator.evidence.workload import workload_of_replica_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from remediator.evidence.draft import Draft

_OF_CONTAINERS = frozenset(
    {
        "Failed",
        "BackOff",
        "Unhealthy",
        "Killing",
        "Pulled",
        "Pulling",
        "Created",
        "Started",
        "InspectFailed",
        "ErrImageNeverPull",
    }
)
"""Reasons of events that regard one container, though tables without SUBOBJECT do not name it."""


_OF_CLUSTER = frozenset(
    {
        "",
        "Node",
        "Namespace",
        "PersistentVolume",
        "StorageClass",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "PriorityClass",
    }
)
"""Kinds without a namespace."""


@dataclass(slots=True)
class _Pod:
    owner: tuple[str, str] = ("", "")
    node: str = ""
    application: str = ""
    containers: set[str] = field(default_factory=set)
    images: dict[str, str] = field(default_factory=dict)


def _sole(values: Iterable[str]) -> str:
    """Return the only value, or nothing if there are several: two candidates prove nothing."""
    distinct = {value for value in values if value}
    return distinct.pop() if len(distinct) == 1 else ""


def complete(drafts: Sequence[Draft]) -> None:
    """Fill empty fields of the drafts' subjects in place; never replace what a statement says itself."""
    for draft in drafts:
        _name_refused(draft)
    _namespaces(drafts)
    pods = _pods(drafts)
    applications = _applications(drafts)
    for draft in drafts:
        if draft.pod and (pod := pods.get((draft.namespace, draft.pod))):
            _fill(draft, pod)
        if not draft.application and draft.name:
            candidates = applications.get((draft.namespace, draft.kind, draft.name))
            draft.application = _sole(candidates) if candidates else ""
    adopt(drafts)


def _name_refused(draft: Draft) -> None:
    """Name the object that the API server refuses as the subject, where the statement names no other.

    A log's line keeps its author: what a program says of others is a complaint.
    """
    if draft.name or draft.pod or draft.channel == "log":
        return
    facts = draft.facts
    if pod := facts.get("denied_pod"):
        if pod.endswith("-"):  # the prefix that its owner generates names from
            draft.kind, draft.name = workload_of_replica_set(pod.removesuffix("-"))
        else:
            draft.pod = pod
            draft.settle()
    elif facts.get("invalid_name"):
        draft.kind, draft.name = facts["invalid_kind"], facts["invalid_name"]
    elif facts.get("requested_name"):
        draft.kind, draft.name = facts["requested_kind"], facts["requested_name"]
        draft.namespace = draft.namespace or facts.get("requested_namespace", "")


def _namespaces(drafts: Sequence[Draft]) -> None:
    """Fill a namespace from another statement about the same pod, then from one about an object of that kind and name."""
    pods: dict[str, set[str]] = defaultdict(set)
    objects: dict[tuple[str, str], set[str]] = defaultdict(set)
    for draft in drafts:
        if draft.pod and draft.namespace:
            pods[draft.pod].add(draft.namespace)
    for draft in drafts:
        if draft.pod and not draft.namespace:
            draft.namespace = _sole(pods[draft.pod])
        if draft.name and draft.namespace and draft.kind not in _OF_CLUSTER:
            objects[draft.kind, draft.name].add(draft.namespace)
    for draft in drafts:
        if draft.name and not draft.namespace and draft.kind not in _OF_CLUSTER:
            draft.namespace = _sole(objects[draft.kind, draft.name])


def _pods(drafts: Sequence[Draft]) -> dict[tuple[str, str], _Pod]:
    pods: dict[tuple[str, str], _Pod] = defaultdict(_Pod)
    for draft in drafts:
        if created := draft.facts.get("created_pod"):
            pods[draft.namespace, created].owner = draft.kind, draft.name
        if not draft.pod:
            continue
        pod = pods[draft.namespace, draft.pod]
        if draft.facts.get("controlled_by"):
            pod.owner = draft.kind, draft.name
        pod.node = pod.node or draft.node
        pod.application = pod.application or draft.application
        if draft.container and draft.facts.get("role") not in {"init", "ephemeral"}:
            pod.containers.add(draft.container)
        if draft.container and draft.image and draft.channel == "status":
            pod.images[draft.container] = draft.image
    return pods


def _applications(drafts: Sequence[Draft]) -> dict[tuple[str, str, str], set[str]]:
    """Return the Applications that manage each object, by the resource rows of Argo CD."""
    applications: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for draft in drafts:
        if draft.channel == "sync" and draft.application and draft.kind not in {"", "Application"}:
            applications[draft.namespace, draft.kind, draft.name].add(draft.application)
    return applications


def _fill(draft: Draft, pod: _Pod) -> None:
    if pod.owner[1] and draft.kind in {"", "Pod"} | ({pod.owner[0]} if pod.owner[1] == draft.name else set()):
        draft.kind, draft.name = pod.owner
    draft.node = draft.node or pod.node
    draft.application = draft.application or pod.application
    if not draft.container and (draft.channel == "log" or draft.reason in _OF_CONTAINERS):
        draft.container = _sole(pod.containers)
    if draft.container and not draft.image:
        draft.image = pod.images.get(draft.container, "")
