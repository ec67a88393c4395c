"""Every event that GitHub gives an example of, through the trigger: none breaks it, and only the documented ones ask for work."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from remediator.trigger import Decision, Ignore, Resume, Start, Sweep, decide
from tests.github import payloads
from tests.github.payloads import called, closed, commented, dispatched, ended, examples, fault, reviewed, scheduled

KNOWN_FAULTS = {("deployment_status", "created"), ("sponsorship", "pending_tier_change")}
"""Examples that GitHub's own schemas refuse."""
BRANCH = "remediator/inc-3f9a2c-1-1"


def all_of() -> list[tuple[str, dict[str, Any]]]:
    return [(event, one) for event, ones in examples().items() for one in ones]


def test_the_examples_are_what_the_schemas_describe() -> None:
    assert len(all_of()) > 250
    refused = {(event, one.get("action")) for event, one in all_of() if fault(event, one)}
    assert refused == KNOWN_FAULTS


def test_no_event_breaks_the_trigger_and_only_documented_ones_ask_for_work() -> None:
    asking = {}
    for event, payload in all_of():
        decision = decide(event, payload, workflows=("CI",), repository="acme/gitops")
        if not isinstance(decision, Ignore):
            asking[event, payload.get("action")] = type(decision)
        else:
            assert decision.why
    # GitHub's examples are of other people's repositories: nothing there is Remediator's but a run by hand.
    assert asking == {("workflow_dispatch", None): Start}


def test_in_mode_verify_every_event_is_a_sweep() -> None:
    assert {type(decide(event, payload, "verify")) for event, payload in all_of()} == {Sweep}


def _poked(value: Any, junk: Any) -> list[Any]:
    """The payload with one thing at a time replaced, two levels deep."""
    out = []
    for key, inner in value.items():
        out.append({**value, key: junk})
        if isinstance(inner, dict):
            out += [{**value, key: {**inner, name: junk}} for name in inner]
    return out


@pytest.mark.parametrize("junk", [None, "", 0, [], {}, True, ["x"], {"x": {}}])
def test_a_payload_that_is_not_as_described_breaks_nothing(junk: Any) -> None:
    events = {
        "pull_request": closed(7, BRANCH, merged="abc"), "pull_request_review": reviewed(7, BRANCH, "approved"),
        "issue_comment": commented(7, "/remediator retry"), "repository_dispatch": called("argocd-sync", {"application": "shop"}),
        "workflow_run": ended(5, "deploy"),
    }  # fmt: skip
    for event, payload in events.items():
        for odd in [junk, *_poked(payload, junk)]:
            if isinstance(odd, dict):
                decision = decide(event, copy.deepcopy(odd), workflows=("deploy",), repository="acme/gitops")
                assert isinstance(decision, Start | Resume | Sweep | Ignore)


@pytest.mark.parametrize(
    ("event", "payload", "expected"),
    [
        ("pull_request", lambda: closed(7, BRANCH, merged="abc123"), Resume(pull_request=7, revision="abc123", why="merged")),
        ("pull_request", lambda: closed(7, BRANCH), Resume(pull_request=7, why="closed")),
        ("pull_request_review", lambda: reviewed(7, BRANCH, "approved"), Resume(pull_request=7, why="review: approved")),
        ("pull_request_review", lambda: reviewed(7, BRANCH, "changes_requested", "use 2"), Resume(pull_request=7, why="review: changes_requested")),
        ("issue_comment", lambda: commented(7, "/remediator use 2"), Resume(pull_request=7, why="command")),
        ("workflow_dispatch", dispatched, Start(source="inputs")),
        ("repository_dispatch", lambda: called("alert", {"alerts": []}), Start(source="alert", alerts={"alerts": []})),
        ("repository_dispatch", lambda: called("argocd-sync", {"application": "shop"}), Resume(application="shop", why="argocd-sync")),
        ("workflow_run", lambda: ended(42, "deploy"), Start(source="workflow_run", run_id=42)),
        ("schedule", scheduled, Sweep(start=True)),
    ],
)  # fmt: skip
def test_the_documented_events_as_github_sends_them(event: str, payload: Any, expected: Decision) -> None:
    assert decide(event, payload(), workflows=("deploy",), repository="acme/gitops") == expected


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request", lambda: closed(7, "feature/x", merged="abc123")),
        ("pull_request_review", lambda: reviewed(7, BRANCH, "commented", "nice")),
        ("issue_comment", lambda: commented(7, "/remediator use 2", pull=False)),
        ("workflow_run", lambda: ended(42, "deploy", "success")),
        ("workflow_run", lambda: ended(42, "deploy", head="mallory/gitops")),
        ("workflow_run", lambda: ended(42, "lint")),
    ],
)
def test_the_same_events_of_others_are_ignored(event: str, payload: Any) -> None:
    assert isinstance(decide(event, payload(), workflows=("deploy",), repository="acme/gitops"), Ignore)


def test_a_derived_payload_that_github_would_not_send_is_refused() -> None:
    odd = closed(7, BRANCH, merged="abc")
    del odd["pull_request"]["merged_by"]
    assert "merged_by" in payloads.fault("pull_request", odd)
