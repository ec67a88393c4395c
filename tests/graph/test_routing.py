"""Every branch of the routing table, as a table."""

from __future__ import annotations

from typing import Any

import pytest

from remediator.domain.change import PullRequest
from remediator.domain.lifecycle import Incident, SecondReading
from remediator.graph import routing
from remediator.graph.state import IncidentState, initial_state
from tests.graph.incident_run import proposal


def state(**fields: Any) -> IncidentState:
    blank = initial_state("inc-3f9a2c-1", Incident(fingerprint="3f9a2c"))
    return {**blank, **fields}  # type: ignore[typeddict-item]


def pull(status: str) -> PullRequest:
    return PullRequest.model_validate({"branch": "b", "base": "main", "title": "", "body": "", "state": status})


@pytest.mark.parametrize(
    ("category", "severity", "following"),
    [
        ("info", "info", "final_feedback"),
        ("unknown", "warning", "analyze_root_cause"),
        ("oom", "info", "final_feedback"),
        ("", "", "final_feedback"),
        ("oom", "warning", "analyze_root_cause"),
        ("other", "critical", "analyze_root_cause"),
    ],
)
def test_after_classify(category: str, severity: str, following: str) -> None:
    assert routing.after_classify(state(error_category=category, error_severity=severity)) == following


def test_after_analyze() -> None:
    assert routing.after_analyze(state()) == "final_feedback"
    assert routing.after_analyze(state(proposals=(proposal("a", "x"),))) == "generate_action"
    assert routing.after_analyze(state(incident=Incident(fingerprint="3f", merged=True))) == "generate_action"


def test_a_model_that_was_asked_hears_of_a_failure() -> None:
    failed = state(verification_status="failed", workflow_status="verifying")
    assert routing.after_verify({**failed, "second": SecondReading(model="small", note="")}) == "analyze_root_cause"


@pytest.mark.parametrize(
    ("reason", "status", "following"),
    [
        ("", "recorded", "commit_changes"),
        ("", "awaiting_review", "commit_changes"),
        ("", "verifying", "commit_changes"),
        ("no such option", "awaiting_review", "get_user_feedback"),
        ("all tried", "needs_person", "final_feedback"),
    ],
)
def test_after_generate(reason: str, status: str, following: str) -> None:
    incident = Incident(fingerprint="3f", reason=reason)
    assert routing.after_generate(state(incident=incident, workflow_status=status)) == following


def test_after_commit() -> None:
    assert routing.after_commit(state(pull_request=pull("open"))) == "get_user_feedback"
    assert routing.after_commit(state(pull_request=pull("merged"))) == "verify_recovery"


@pytest.mark.parametrize(
    ("kind", "status", "following"),
    [
        ("approved", "awaiting_review", "get_user_feedback"),
        ("seen", "awaiting_review", "get_user_feedback"),
        ("merged", "verifying", "verify_recovery"),
        ("verify", "verifying", "verify_recovery"),
        ("verify", "awaiting_review", "verify_recovery"),
        ("changes_requested", "awaiting_review", "generate_action"),
        ("changes_requested", "verifying", "get_user_feedback"),
        ("closed", "rejected", "final_feedback"),
        ("closed", "verifying", "get_user_feedback"),
        ("confirmed", "resolved", "final_feedback"),
        ("confirmed", "awaiting_review", "get_user_feedback"),
    ],
)
def test_after_feedback(kind: str, status: str, following: str) -> None:
    assert routing.after_feedback(state(user_feedback_history=[{"kind": kind}], workflow_status=status)) == following


@pytest.mark.parametrize(
    ("verification", "status", "following"),
    [
        ("success", "resolved", "final_feedback"),
        ("success", "verifying", "get_user_feedback"),
        ("success", "unconfirmed", "final_feedback"),
        ("failed", "verifying", "generate_action"),
        ("pending", "verifying", "get_user_feedback"),
        ("pending", "unconfirmed", "final_feedback"),
    ],
)
def test_after_verify(verification: str, status: str, following: str) -> None:
    assert routing.after_verify(state(verification_status=verification, workflow_status=status)) == following
