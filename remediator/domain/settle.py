"""One look proves nothing: what looks well must look well again, the settle time later, before it counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from remediator.domain.lifecycle import Observation

if TYPE_CHECKING:
    from collections.abc import Sequence

SINCE = "since"
"""Fact of an observation: from when on each look of this verifier found all well."""


def steady(seen: Observation, earlier: Sequence[Observation], settle: timedelta) -> Observation:
    """A success that is younger than the settle time as pending; whatever else was seen as it is.

    Argo CD calls an Application Healthy a moment before its pods die, and an alert ends where its pod was replaced.
    """
    if seen.status != "success" or "neutral" in seen.facts:
        return seen
    before = next((one for one in reversed(earlier) if one.verifier == seen.verifier), None)
    since = (before.facts.get(SINCE) if before else "") or seen.at
    facts = {**seen.facts, SINCE: since}
    due = datetime.fromisoformat(since) + settle
    if datetime.fromisoformat(seen.at) >= due:
        return seen.model_copy(update={"facts": facts})
    said = f"{seen.summary}; to be seen so again at {due:%H:%M:%S} UTC"
    return seen.model_copy(update={"status": "pending", "summary": said, "facts": facts})
