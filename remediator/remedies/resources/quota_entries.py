"""Entries of a ResourceQuota, and the pods that count for them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import ceil

from remediator.domain import quantities
from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import Manifest

FULL_NAMES = {"cpu": "requests.cpu", "memory": "requests.memory", "ephemeral-storage": "requests.ephemeral-storage"}
"""Short names of quota entries → their full names."""


def pods_at_once(manifest: Manifest) -> int:
    """Return the number of pods of a workload that exist together during a rollout."""
    spec = manifest.body.get("spec") or {}
    replicas = spec.get("replicas", 1)
    replicas = replicas if isinstance(replicas, int) and not isinstance(replicas, bool) else 1
    if manifest.kind != "Deployment" or get(spec, ("strategy", "type")) == "Recreate":
        return max(1, replicas)
    surge = get(spec, ("strategy", "rollingUpdate", "maxSurge"))
    if isinstance(surge, int):
        return max(1, replicas + surge)
    percent = int(surge[:-1]) if isinstance(surge, str) and surge.endswith("%") and surge[:-1].isdigit() else 25
    return max(1, replicas + ceil(replicas * percent / 100))


def needed_by(manifests: Sequence[Manifest], entry: str) -> Decimal | None:
    """Return what all pods of these objects ask for of a quota's entry at once; None where a container does not say it."""
    most = {
        str(get(item.body, ("spec", "scaleTargetRef", "name"))): get(item.body, ("spec", "maxReplicas"))
        for item in manifests
        if item.kind == "HorizontalPodAutoscaler"
    }
    total = Decimal(0)
    for manifest in manifests:
        if manifest.pod_spec() is None:
            continue
        share = Decimal(1) if entry in ("pods", "count/pods") else _share(manifest, entry)
        if share is None:
            return None
        limit = most.get(manifest.name, 0)
        total += share * max(pods_at_once(manifest), limit if isinstance(limit, int) else 0)
    return total


def _share(manifest: Manifest, entry: str) -> Decimal | None:
    """Return what one pod asks for: its containers together, or its largest init container; None where one says nothing."""
    side, _, resource = FULL_NAMES.get(entry, entry).partition(".")
    together, largest = Decimal(0), Decimal(0)
    for body, _, is_init in manifest.containers():
        value = get(body, ("resources", side, resource))
        if value is MISSING and side == "requests":
            value = get(body, ("resources", "limits", resource))
        amount = None if value is MISSING else quantities.parse(value)
        if amount is None:
            return None
        together, largest = (together, max(largest, amount)) if is_init else (together + amount, largest)
    return max(together, largest)
