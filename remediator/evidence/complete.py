"""Completes subjects: what one statement knows of a pod holds for the others that name the same pod."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
    """The one value, or nothing where there are several: two candidates are no knowledge."""
    found = {value for value in values if value}
    return found.pop() if len(found) == 1 else ""


def complete(drafts: Sequence[Draft]) -> None:
    """Fills empty fields of the drafts' subjects in place; never replaces what a statement said itself."""
    _namespaces(drafts)
    pods = _pods(drafts)
    applications = _applications(drafts)
    for draft in drafts:
        if draft.pod and (known := pods.get((draft.namespace, draft.pod))):
            _fill(draft, known)
        if not draft.application and draft.name:
            found = applications.get((draft.namespace, draft.kind, draft.name))
            draft.application = _sole(found) if found else ""


def _namespaces(drafts: Sequence[Draft]) -> None:
    """Fills a namespace from another statement about the same pod, then from one about an object of that kind and name."""
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
    """Which Applications manage an object, by the resource rows of Argo CD."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for draft in drafts:
        if draft.channel == "sync" and draft.application and draft.kind not in {"", "Application"}:
            found[draft.namespace, draft.kind, draft.name].add(draft.application)
    return found


def _fill(draft: Draft, known: _Pod) -> None:
    if known.owner[1] and draft.kind in {"", "Pod"} | ({known.owner[0]} if known.owner[1] == draft.name else set()):
        draft.kind, draft.name = known.owner
    draft.node = draft.node or known.node
    draft.application = draft.application or known.application
    if not draft.container and (draft.channel == "log" or draft.reason in _OF_CONTAINERS):
        draft.container = _sole(known.containers)
    if draft.container and not draft.image:
        draft.image = known.images.get(draft.container, "")
