"""Which faults a look at pods can see: a container that runs and answers its probes may still print the same error."""

from __future__ import annotations

from remediator.domain.incident import Diagnosis

_OF_PODS = frozenset(
    {"crashloop", "oom", "probe_failure", "image_pull_error", "scheduling_failure", "quota_exceeded", "storage_error"}
)
"""Categories of faults that keep pods from running or from being ready."""


def is_shown_by_pods(diagnosis: Diagnosis) -> bool:
    """Return True where the platform told of the fault, or faults of its kind keep pods from being ready."""
    platform = {"status", "event", "sync"}
    return diagnosis.category in _OF_PODS or any(piece.channel in platform for piece in diagnosis.evidence)
