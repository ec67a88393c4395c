"""How long a fault pauses, as evidence tells it, and how long it must be quiet to be over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from remediator.domain.incident import Diagnosis, Evidence, Subject
from remediator.domain.rhythm import least_quiet, longest_pause, usual_pause

MINUTE = timedelta(minutes=1)


def told(channel: Any = "log", **more: Any) -> Diagnosis:
    piece = Evidence(
        id="E1", signal="s", category="oom", source="log", line=1, channel=channel, subject=Subject(), text="t", **more
    )
    return Diagnosis(category="oom", severity="critical", subject=Subject(), summary="s", evidence=(piece,))


SIGHTINGS = {"count": 7, "first_seen": "2026-03-02T10:00:00Z", "last_seen": "2026-03-02T11:00:00Z"}


@pytest.mark.parametrize(
    ("diagnosis", "pause"),
    [
        (told(**SIGHTINGS), 10 * MINUTE),
        (told(**{**SIGHTINGS, "count": 1}), timedelta()),
        (told("status", facts={"restart_count": "4", "age": "1h20m"}), 20 * MINUTE),
        (told("status", facts={"restart_count": "0", "age": "1h20m"}), timedelta()),
        (told("status", facts={"restart_count": "4", "age": "yesterday"}), timedelta()),
        (told("alert", **SIGHTINGS), timedelta()),
        (told("status", facts={"restart_count": "1", "age": "90d"}), timedelta(days=1)),
    ],
)
def test_the_pause_is_what_the_evidence_shows(diagnosis: Diagnosis, pause: timedelta) -> None:
    assert usual_pause(diagnosis) == pause


def test_the_longest_pause_lies_between_two_that_follow_each_other() -> None:
    assert longest_pause([100.0, 0.0, 40.0]) == timedelta(seconds=60)
    assert longest_pause([5.0]) == timedelta()


@pytest.mark.parametrize(
    ("settle", "pause", "category", "quiet"),
    [
        (5, 1, "oom", 5),
        (5, 20, "oom", 60),
        (5, 0, "oom", 120),
        (5, 0, "image_pull_error", 5),
        (5, 20, "image_pull_error", 60),
        (0, 20, "oom", 0),
        (0, 0, "oom", 0),
    ],
)
def test_quiet_outlasts_the_pauses(settle: int, pause: int, category: str, quiet: int) -> None:
    assert least_quiet(settle * MINUTE, pause * MINUTE, category) == quiet * MINUTE
