"""Derives the workload from the name of its pod or ReplicaSet, by Kubernetes' own naming rules."""

from __future__ import annotations

import re

_SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""Generated name parts use this alphabet (k8s.io/apimachinery `rand.SafeEncodeString`): no vowels, no 0, 1, 3."""

_HASH = r"[a-z0-9]{6,10}"
_REPLICA_SET = re.compile(rf"(?P<name>.+)-(?P<hash>{_HASH})")
_DEPLOYED = re.compile(rf"(?P<name>.+)-(?P<hash>{_HASH})-(?P<suffix>[a-z0-9]{{5}})")
_UNVOWELLED = re.compile(r"[b-df-hj-np-tv-z0-9]{5}")
_SCHEDULED_JOB = re.compile(r"(?P<name>.+)-(?P<time>[23]\d{7}|1[5-9]\d{8})")
"""A CronJob's Jobs end in the scheduled time: minutes since 1970 (8 digits), seconds before Kubernetes 1.21."""
_ORDINAL = re.compile(r"(?P<name>.+)-\d{1,5}")
_GENERATED = re.compile(rf"(?P<name>.+)-[{_SAFE}]{{5}}")


def _is_hash(text: str) -> bool:
    """Return True if `text` can be a pod-template-hash: with a digit, or eight to ten letters of the safe alphabet.

    The hash encodes a 32-bit number digit by digit, so it is nearly always nine or ten characters long.
    """
    return any(c.isdigit() for c in text) or (len(text) >= 8 and all(c in _SAFE for c in text))


def _are_generated(hash_: str, suffix: str) -> bool:
    """Return True if both parts look generated together; documentation and people also write suffixes with vowels."""
    if _UNVOWELLED.fullmatch(suffix):
        return _is_hash(hash_)
    return len(hash_) >= 8 and sum(c.isdigit() for c in hash_) >= 2


def workload_of_replica_set(name: str) -> tuple[str, str]:
    """Return kind and name of what made a ReplicaSet: its Deployment, or the ReplicaSet itself where no hash ends its name."""
    if (match := _REPLICA_SET.fullmatch(name)) and _is_hash(match["hash"]):
        return "Deployment", match["name"]
    return "ReplicaSet", name


def workload_of_job(name: str) -> tuple[str, str]:
    """Return kind and name of what made a Job: its CronJob where the name ends in a scheduled time, else the Job itself."""
    if match := _SCHEDULED_JOB.fullmatch(name):
        return "CronJob", match["name"]
    return "Job", name


def workload_of_pod(pod: str, owner: str = "") -> tuple[str, str]:
    """Return kind and name of the workload behind a pod.

    `owner` is what describe calls "Controlled By" (`ReplicaSet/web-5d98ffcfd`) and decides alone when given. From the
    name alone: `-hash-suffix` is a Deployment's, `-time-suffix` a CronJob's, `-0` a StatefulSet's. A mere `-suffix` may be
    a DaemonSet's or a Job's, so the kind stays empty; a name without any is a bare pod's.
    """
    kind, _, name = owner.partition("/")
    if name:
        match kind:
            case "ReplicaSet":
                return workload_of_replica_set(name)
            case "Job":
                return workload_of_job(name)
            case _:
                return kind, name
    if match := _DEPLOYED.fullmatch(pod):
        if _SCHEDULED_JOB.fullmatch(f"x-{match['hash']}"):
            return "CronJob", match["name"]
        if _are_generated(match["hash"], match["suffix"]):
            return "Deployment", match["name"]
    if match := _ORDINAL.fullmatch(pod):
        return "StatefulSet", match["name"]
    if match := _GENERATED.fullmatch(pod):
        return "", match["name"]
    return "Pod", pod
