"""Entries of a ResourceQuota, and the pods that count for them."""

from __future__ import annotations

from math import ceil

from remediator.domain.yaml_paths import get
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
