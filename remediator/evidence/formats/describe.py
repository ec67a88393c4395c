"""`kubectl describe` of any kind: pods with their containers, nodes, workloads, claims, services and the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.draft import Draft
from remediator.evidence.formats import describe_pod, describe_rest, events
from remediator.evidence.formats.tree import ResourceRow, find, nodes, value
from remediator.evidence.kinds import is_kind
from remediator.evidence.lines import next_filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

OPENS = re.compile(r"Name:\s+\S")
_KEY = re.compile(r"(?:[A-Z][\w./()-]*(?: [\w./()-]+){0,5}):(?:\s|$)")
_ARGO = re.compile(r"(?:Project|Sync Policy|Sync Status|Health Status|SyncWindow|URL):")

_TELLING: tuple[tuple[str, str], ...] = (
    ("Kind", ""),
    ("Controlled By", "Pod"),
    ("Service Account", ""),
    ("Parallelism", "Job"),
    ("Schedule", "CronJob"),
    ("StrategyType", "Deployment"),
    ("Allocatable", "Node"),
    ("Min replicas", "HorizontalPodAutoscaler"),
    ("Rules", "Ingress"),
    ("Endpoints", "Service"),
    ("Subsets", "Endpoints"),
    ("VolumeMode", "PersistentVolumeClaim"),
    ("Provisioner", "StorageClass"),
    ("ReclaimPolicy", "StorageClass"),
    ("PodSelector", "NetworkPolicy"),
    ("Allowed disruptions", "PodDisruptionBudget"),
    ("Update Strategy", "StatefulSet"),
    ("Desired Number of Nodes Scheduled", "DaemonSet"),
    ("Replicas", "ReplicaSet"),
    ("Mountable secrets", "ServiceAccount"),
    ("Resource Quotas", "Namespace"),
    ("Data", "ConfigMap"),
)
"""A key that only describe of one kind prints, for outputs without their command; the first that is there decides."""


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of a describe: from `Name:` to the blank line that no further key of the object follows."""
    head = [line.text for line in lines[start + 1 : start + 14]]
    keys = sum(1 for text in head if _KEY.match(text))
    if command.verb != "describe" and (keys < 2 or sum(1 for text in head[:9] if _ARGO.match(text)) >= 2):
        return 0
    end, seen_events = start + 1, False
    while end < len(lines):
        line = lines[end]
        if line.text.startswith("$ ") or (line.text.startswith("Name:") and not lines[end - 1].text.startswith(" ")):
            break
        seen_events = seen_events or line.text.startswith("Events:")
        if not line.text:
            following = next_filled(lines, end)
            if seen_events or following >= len(lines) or not _continues(lines[following].text):
                break
            end = following
            continue
        end += 1
    return end - start


def _continues(text: str) -> bool:
    """Return True if a line after a blank one still belongs to the object: indented, or a key other than `Name:`."""
    return text.startswith((" ", "===", "----")) or bool(_KEY.match(text) and not text.startswith("Name:"))


def _kind(tree: list[ResourceRow], command: Command) -> str:
    target_kind, _ = command.target
    if command.verb == "describe" and is_kind(target_kind):
        return target_kind
    for key, kind in _TELLING:
        if node := find(tree, key):
            if key == "Kind":
                return node.value
            if key == "Service Account":
                return "Pod"
            if kind == "Pod" and not find(tree, "Containers"):
                return "ReplicaSet" if find(tree, "Replicas") else "Job"
            if kind == "ReplicaSet" and find(tree, "Update Strategy"):
                return "StatefulSet"
            return kind
    return "Pod" if find(tree, "Containers") or find(tree, "Init Containers") else ""


def read(section: Section) -> Iterator[Draft]:
    """Yield the object's statements and its events, all about the same subject."""
    lines = section.lines
    cut = next((i for i, line in enumerate(lines) if line.text.startswith("Events:")), len(lines))
    tree = nodes(lines[:cut])
    name = value(tree, "Name")
    kind = _kind(tree, section.command)
    base = Draft(section.first, "status", namespace=value(tree, "Namespace"), section=section.no)
    if kind != "Node" and not base.namespace:
        base.namespace = section.command.namespace
    if kind == "Pod":
        yield from describe_pod.read(tree, base, name)
        base = describe_pod.subject(tree, base, name)
    else:
        events.set_subject(base, kind, name)
        yield from describe_rest.read(kind, tree, base)
    below = [line for line in lines[cut + 1 :] if not line.blank]
    if below:
        holder = base.like(facts={}, kind=base.kind, name=base.name)
        yield from events.table(below, namespace=base.namespace, kind=kind, name=name, section=section.no, base=holder)
