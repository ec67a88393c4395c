"""The settle time: one success proves nothing, so a second one must follow after the settle time before it counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from remediator.domain.lifecycle import UNDECIDED, Observation

if TYPE_CHECKING:
    from collections.abc import Sequence

SINCE = "since"
"""Fact of an observation: the time since which each check of this verifier was a success."""


def require_settled(
    observation: Observation, earlier: Sequence[Observation], settle: timedelta, changed: str = ""
) -> Observation:
    """Return a success that is younger than the settle time as pending; any other observation unchanged.

    Argo CD reports an Application as Healthy a moment before its pods die, and an alert ends when its pod is replaced.
    `changed` is the time of the last change that the server itself tells of: what happened between two looks counts.
    """
    if observation.status != "success" or "neutral" in observation.facts:
        return observation
    previous = next((item for item in reversed(earlier) if item.verifier == observation.verifier), None)
    since = max((previous.facts.get(SINCE) if previous else "") or observation.at, changed)
    facts = {**observation.facts, SINCE: since, UNDECIDED: "yes"}
    due = datetime.fromisoformat(since) + settle
    if datetime.fromisoformat(observation.at) >= due:
        return observation.model_copy(update={"facts": {**observation.facts, SINCE: since}})
    summary = f"{observation.summary}; to be confirmed at {due:%H:%M:%S} UTC"
    return observation.model_copy(update={"status": "pending", "summary": summary, "facts": facts})
