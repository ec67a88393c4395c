"""The rhythm of a fault: how long it pauses between two occurrences, and how long it must be quiet to be over.

A crash every twenty minutes is quiet for most of any five: quiet proves something only after several such pauses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from remediator.domain.incident import Diagnosis, Evidence
from remediator.domain.times import duration
from remediator.errors import ConfigError

SEVERAL = 3
"""Pauses of the usual length without an occurrence that count as the end of the fault."""

UNKNOWN = 24
"""Settle times of quiet where nobody knows the rhythm of a fault that comes and goes: two hours, as shipped."""

_LASTING = frozenset(
    {
        "image_pull_error", "config_error", "scheduling_failure", "sync_error", "quota_exceeded", "permission_denied",
        "storage_error", "other",
    }
)  # fmt: skip
"""Categories of faults that last until they are mended: they have no pauses."""

_LONGEST = timedelta(days=1)
"""A longer pause is taken as this one: nothing waits for weeks."""


def least_quiet(settle: timedelta, pause: timedelta, category: str = "") -> timedelta:
    """Return the time without an occurrence that proves the end: several pauses, and never less than the settle time.

    A fault that comes and goes, and of which nobody knows how often, must be quiet for much longer than one that lasts.
    """
    if not settle:
        return settle  # the policy asks for no quiet at all
    if not pause and category and category not in _LASTING:
        return UNKNOWN * settle
    return max(settle, SEVERAL * pause)


def usual_pause(diagnosis: Diagnosis) -> timedelta:
    """Return the longest mean pause that the evidence shows between occurrences; zero where it shows none."""
    return min(max(_pauses(diagnosis), default=timedelta()), _LONGEST)


def longest_pause(moments: Sequence[float]) -> timedelta:
    """Return the longest time between two of the moments, in seconds, that follow each other; zero for fewer than two."""
    ordered = sorted(moments)
    gaps = [later - earlier for earlier, later in pairwise(ordered)]
    return min(timedelta(seconds=max(gaps, default=0.0)), _LONGEST)


def _pauses(diagnosis: Diagnosis) -> Iterator[timedelta]:
    for evidence in diagnosis.evidence:
        if evidence.channel == "alert":
            continue  # an alert fires from its beginning to its end, whatever happens in between
        yield from _between_sightings(evidence)
        yield from _between_restarts(evidence)


def _between_sightings(evidence: Evidence) -> Iterator[timedelta]:
    if evidence.count > 1 and evidence.first_seen and evidence.last_seen:
        span = datetime.fromisoformat(evidence.last_seen) - datetime.fromisoformat(evidence.first_seen)
        yield max(span, timedelta()) / (evidence.count - 1)


def _between_restarts(evidence: Evidence) -> Iterator[timedelta]:
    """Yield the mean time between restarts, where a status shows how long the pod lives."""
    restarts, age = evidence.facts.get("restart_count", ""), evidence.facts.get("age", "")
    try:
        if restarts.isdigit() and int(restarts) and age:
            yield duration(age) / int(restarts)
    except ConfigError:
        return  # an age that a person wrote
