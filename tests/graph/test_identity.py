"""One open thread for each fingerprint, whatever repeats."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from remediator.domain.lifecycle import Record
from remediator.graph.identity import IncidentStart, Quiet, SeenAgain, decide
from remediator.graph.limits import RunLimits
from tests.graph.incident_run import case

NOW = datetime(2026, 1, 10, tzinfo=UTC)
PRINT = "abcdef" + "1" * 58
OTHER = "abcdef" + "2" * 58


def known(status: str, *, generation: int = 1, fingerprint: str = PRINT, **more: object) -> Record:
    facts = {"incident_id": f"inc-abcdef-{generation}", "fingerprint": fingerprint, "generation": generation}
    return Record.model_validate({**facts, "status": status, "branch": "b", "updated": "2026-01-09T00:00:00Z", **more})


def test_a_new_fingerprint_is_generation_one() -> None:
    decision = decide(PRINT, [known("resolved", fingerprint="99" * 32, incident_id="inc-999999-1")], NOW, RunLimits())
    assert isinstance(decision, IncidentStart)
    assert (decision.incident_id, decision.incident.generation, decision.earlier) == ("inc-abcdef-1", 1, None)


def test_another_fingerprint_with_the_same_digits_takes_one_more() -> None:
    decision = decide(OTHER, [known("resolved")], NOW, RunLimits())
    assert isinstance(decision, IncidentStart)
    assert decision.incident_id == "inc-abcdef2-1"


@pytest.mark.parametrize("status", ["awaiting_review", "verifying"])
def test_an_open_one_is_seen_again(status: str) -> None:
    assert isinstance(decide(PRINT, [known(status)], NOW, RunLimits()), SeenAgain)


@pytest.mark.parametrize("status", ["resolved", "unconfirmed", "needs_person", "failed"])
def test_what_ended_with_a_pull_request_gets_a_new_generation(status: str) -> None:
    decision = decide(PRINT, [known("rejected"), known(status, generation=2)], NOW, RunLimits())
    assert isinstance(decision, IncidentStart)
    assert (decision.incident_id, decision.incident.generation) == ("inc-abcdef-3", 3)
    assert decision.earlier
    assert decision.earlier.generation == 2


@pytest.mark.parametrize("status", ["recorded", "needs_person"])
def test_what_came_to_nothing_runs_again_on_its_own_thread(status: str) -> None:
    decision = decide(PRINT, [known(status, branch="", seen=3)], NOW, RunLimits())
    assert isinstance(decision, IncidentStart)
    assert (decision.incident_id, decision.incident.seen, decision.earlier) == ("inc-abcdef-1", 4, None)


PLACE = "/shop/Deployment/checkout/"


@pytest.mark.parametrize(
    ("facts", "told", "same"),
    [
        ({}, {}, True),
        ({}, {"about": PLACE}, True),
        ({}, {"about": f"{PLACE}proxy"}, False),
        ({}, {"about": "/shop/Deployment/cart/app"}, False),
        ({}, {"about": "eu/shop/Deployment/checkout/app"}, False),
        ({}, {"about": ""}, False),
        ({"status": "resolved"}, {}, False),
        ({"about": ""}, {}, False),
        ({"category": "crashloop"}, {}, False),
        ({"category": "crashloop"}, {"echo": True}, True),
        ({"names": "HOST"}, {}, True),
        ({"names": "HOST"}, {"names": "HOST"}, True),
        ({"names": "HOST"}, {"names": "PORT"}, False),
    ],
)
def test_an_open_fault_that_is_told_in_other_words_is_seen_again(facts: dict, told: dict, same: bool) -> None:
    before = {"about": f"{PLACE}app", "category": "oom", **facts}
    record = known(before.pop("status", "verifying"), fingerprint="99" * 32, incident_id="inc-999999-1", **before)
    now = case(fingerprint=PRINT).model_copy(update={"about": f"{PLACE}app", **told})
    decision = decide(PRINT, [record], NOW, RunLimits(), now)
    assert isinstance(decision, SeenAgain if same else IncidentStart)
    if isinstance(decision, IncidentStart):
        assert (decision.incident.about, decision.incident.names) == (now.about, now.names)


def test_a_rejection_keeps_quiet_for_the_cool_down() -> None:
    decision = decide(PRINT, [known("rejected")], NOW, RunLimits())
    assert isinstance(decision, Quiet)
    assert decision.until == "2026-01-12T00:00:00Z"
    assert isinstance(
        decide(PRINT, [known("rejected", updated="2026-01-01T00:00:00Z")], NOW, RunLimits()), IncidentStart
    )
