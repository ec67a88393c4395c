"""The speaker of a statement: the component that vouches for it.

Platform components are believed about any object. A container's log testifies about itself; about others it is a complaint,
because whoever can send a request can write a line into it.
"""

from __future__ import annotations

from collections.abc import Mapping

_SCHEDULED = frozenset({"FailedScheduling", "Scheduled", "Preempted", "Preempting", "WaitingForGates"})
_OF_NODE = frozenset(
    {"OOMKilling", "SystemOOM", "KernelOops", "TaskHung", "FilesystemIsReadOnly", "ReadonlyFilesystem"}
)
_OF_KUBELET = frozenset(
    {
        "BackOff", "Created", "ErrImageNeverPull", "Evicted", "Failed", "FailedAttachVolume", "FailedCreatePodSandBox",
        "FailedKillPod", "FailedMount", "FailedPostStartHook", "FailedPreStopHook", "FailedSync", "InspectFailed", "Killing",
        "NodeHasDiskPressure", "NodeNotReady", "ProbeWarning", "Pulled", "Pulling", "Started", "SuccessfulMountVolume", "Unhealthy",
    }
)  # fmt: skip
"""Reasons that only one component writes, for tables without their FROM column."""

_BY_REPORTER = (
    ("scheduler", "scheduler"),
    ("kubelet", "kubelet"),
    ("argocd", "argocd"),
    ("application-controller", "argocd"),
    ("kernel-monitor", "node"),
    ("node-problem", "node"),
)


def speaker_of(channel: str, reason: str, facts: Mapping[str, str], printed_by: str) -> str:
    """Return who says it, by channel and reporting component; `log:` and the workload for what a container prints."""
    if channel == "text":
        return "log:"
    if channel == "log":
        return f"log:{printed_by or facts.get('program', '')}"
    if channel == "event":
        return _of_event(reason, facts.get("reporter", ""))
    return {"sync": "argocd", "alert": "alert"}.get(channel, "api")


def _of_event(reason: str, reporter: str) -> str:
    for word, speaker in _BY_REPORTER if reporter else ():
        if word in reporter:
            return speaker
    if reporter:
        return "controller"
    if reason in _SCHEDULED:
        return "scheduler"
    if reason in _OF_NODE:
        return "node"
    return "kubelet" if reason in _OF_KUBELET else "controller"
