"""What an earlier release has stored resumes: documents of every schema, as they were written then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remediator.domain.lifecycle import Review
from remediator.graph.driver import Driver
from remediator.services.checkpoints.documents import SCHEMA, document_path
from tests.fake_ports import FakeVerifier, MemoryRefStore
from tests.graph.incident_run import IncidentRun

STATES = Path(__file__).parents[1] / "fixtures" / "state"
RELEASES = sorted(path.name for path in STATES.iterdir())
INCIDENT = "inc-3f9a2c-1"


def world(release: str, state: str, verdict: str = "success") -> IncidentRun:
    """The world as it is now, its memory as that release left it."""
    folder = STATES / release / state
    known = IncidentRun(verifiers=(FakeVerifier(["failed"]),)) if state == "second_attempt" else IncidentRun()
    known.start()
    if state != "awaiting_review":
        known.merge(at="2026-01-01T00:05:00Z")
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.json")}
    known.store = MemoryRefStore([files])
    known.verifiers = (FakeVerifier([verdict]),)  # type: ignore[list-item]
    return known


def stored(known: IncidentRun) -> int:
    return int(json.loads(known.store.read(known.store.head())[document_path(INCIDENT)])["schema"])


def driver(known: IncidentRun) -> Driver:
    return known.driver()


@pytest.mark.parametrize("release", RELEASES)
def test_a_review_goes_on(release: str) -> None:
    known = world(release, "awaiting_review")
    assert stored(known) == 1
    state = driver(known).resume(INCIDENT, Review(kind="changes_requested", words="use 2", by="ann")).state
    assert (state["incident"].chosen, state["incident"].rounds) == ("roll_back", 1)
    assert stored(known) == SCHEMA
    assert known.merge().state["workflow_status"] == "resolved"


@pytest.mark.parametrize("release", RELEASES)
def test_it_is_recognised_and_counted(release: str) -> None:
    known = world(release, "awaiting_review")
    assert known.start().state["incident"].seen == 2
    (record,) = driver(known).records()
    assert (record.status, record.seen, record.opening) == ("awaiting_review", 2, "")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("verdict", "status"), [("success", "resolved"), ("failed", "awaiting_review")])
def test_a_verification_goes_on(release: str, verdict: str, status: str) -> None:
    known = world(release, "verifying", verdict)
    state = driver(known).resume(INCIDENT, Review(kind="verify", at="2026-01-01T00:10:00Z")).state
    assert state["workflow_status"] == status


@pytest.mark.parametrize("release", RELEASES)
def test_a_second_attempt_goes_on(release: str) -> None:
    known = world(release, "second_attempt")
    assert driver(known).state(INCIDENT)["incident"].tried == ("raise_memory_limit",)
    state = known.merge().state
    assert (state["workflow_status"], state["incident"].attempt) == ("resolved", 2)
