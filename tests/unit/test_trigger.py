"""Events to decisions, as a table."""

from __future__ import annotations

from typing import Any

import pytest

from remediator.trigger import Decision, Ignore, ListTargets, Resume, Start, Sweep, decide

OURS = {"number": 7, "head": {"ref": "remediator/inc-3f9a2c-1-1"}, "merged": False, "merge_commit_sha": None}
MERGED = {**OURS, "merged": True, "merge_commit_sha": "abc123"}
THEIRS = {"number": 8, "head": {"ref": "feature/x"}, "merged": True, "merge_commit_sha": "abc123"}
RUN = {"id": 42, "name": "deploy", "conclusion": "failure", "head_repository": {"full_name": "acme/gitops"}}
PULL = {"number": 7, "pull_request": {"url": "x"}}


def comment(text: str, kind: str = "User") -> dict[str, Any]:
    return {"action": "created", "issue": PULL, "comment": {"body": text, "user": {"type": kind}}}


@pytest.mark.parametrize(
    ("event", "payload", "expected"),
    [
        ("workflow_dispatch", {"inputs": {}}, Start(source="inputs")),
        ("schedule", {"schedule": "*/10 * * * *"}, Sweep(start=True)),
        ("repository_dispatch", {"action": "alert", "client_payload": {"alerts": []}}, Start(source="alert", alerts={"alerts": []})),
        ("repository_dispatch", {"action": "alert", "client_payload": {"payload": {"status": "resolved", "alerts": []}}}, Sweep()),
        ("repository_dispatch", {"action": "alert", "client_payload": {"payload": {"status": "firing"}}},
         Start(source="alert", alerts={"payload": {"status": "firing"}})),
        ("repository_dispatch", {"action": "argocd-sync", "client_payload": {"application": "shop", "revision": "abc"}},
         Resume(application="shop", revision="abc", why="argocd-sync")),
        ("pull_request", {"action": "closed", "pull_request": MERGED}, Resume(pull_request=7, revision="abc123", why="merged")),
        ("pull_request", {"action": "closed", "pull_request": OURS}, Resume(pull_request=7, why="closed")),
        ("pull_request_review", {"action": "submitted", "pull_request": OURS, "review": {"state": "approved"}},
         Resume(pull_request=7, why="review: approved")),
        ("pull_request_review", {"action": "submitted", "pull_request": OURS, "review": {"state": "commented", "body": "/remediator use 2"}},
         Resume(pull_request=7, why="review: commented")),
        ("issue_comment", comment("/remediator use 2"), Resume(pull_request=7, why="command")),
        ("issue_comment", comment("  /remediator\n"), Resume(pull_request=7, why="command")),
    ],
)  # fmt: skip
def test_events_that_ask_for_something(event: str, payload: dict[str, Any], expected: Decision) -> None:
    assert decide(event, payload) == expected


@pytest.mark.parametrize(
    ("event", "payload", "word"),
    [
        ("push", {}, "push"),
        ("pull_request", {"action": "opened", "pull_request": OURS}, "opened"),
        ("pull_request", {"action": "closed", "pull_request": THEIRS}, "not Remediator's"),
        (
            "pull_request_review",
            {"action": "submitted", "pull_request": THEIRS, "review": {"state": "approved"}},
            "not Remediator's",
        ),
        (
            "pull_request_review",
            {"action": "submitted", "pull_request": OURS, "review": {"state": "commented", "body": "nice"}},
            "asks for nothing",
        ),
        ("issue_comment", {**comment("/remediator use 2"), "issue": {"number": 7}}, "not on a pull request"),
        ("issue_comment", {**comment("/remediator use 2"), "action": "edited"}, "edited"),
        ("issue_comment", comment("please /remediator use 2"), "does not start"),
        ("issue_comment", comment("/remediators"), "does not start"),
        ("issue_comment", comment("/remediator help", "Bot"), "bot"),
        ("repository_dispatch", {"action": "argocd-sync", "client_payload": {}}, "names no application"),
        ("repository_dispatch", {"action": "other", "client_payload": {}}, "other"),
        ("pull_request", {"action": "closed", "pull_request": None}, "nothing to do"),
    ],
)
def test_events_that_ask_for_nothing_say_why(event: str, payload: dict[str, Any], word: str) -> None:
    decision = decide(event, payload)
    assert isinstance(decision, Ignore)
    assert word in decision.why


def test_verify_mode_sweeps_whatever_the_event() -> None:
    assert decide("workflow_dispatch", {}, "verify") == Sweep()


def test_targets_mode_names_the_clusters_whatever_the_event() -> None:
    assert decide("schedule", {}, "targets") == ListTargets()


def test_a_schedule_in_run_mode_only_starts() -> None:
    assert decide("schedule", {}, "run") == Start(source="inputs")


def run_of(**changes: Any) -> Decision:
    payload = {"action": "completed", "workflow_run": {**RUN, **changes}}
    return decide("workflow_run", payload, workflows=("deploy",), repository="acme/gitops")


def test_a_failed_run_of_a_listed_workflow_of_this_repository_starts() -> None:
    assert run_of() == Start(source="workflow_run", run_id=42)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"conclusion": "success"}, "not in failure"),
        ({"conclusion": None}, "not in failure"),
        ({"head_repository": {"full_name": "mallory/gitops"}}, "another repository"),
        ({"head_repository": None}, "another repository"),
        ({"name": "lint"}, "allow-list"),
    ],
)
def test_other_runs_do_not(changes: dict[str, Any], word: str) -> None:
    decision = run_of(**changes)
    assert isinstance(decision, Ignore)
    assert word in decision.why


@pytest.mark.parametrize(
    ("body", "sender", "wanted"),
    [
        ("<!-- remediator:backlog  -->\nx", {"type": "User"}, Sweep()),
        ("<!-- remediator:backlog  -->\nx", {"type": "Bot"}, Ignore(why="only people tick boxes")),
        ("hello", {"type": "User"}, Ignore(why="the issue is not Remediator's list of queued fixes")),
        (None, None, Ignore(why="the issue is not Remediator's list of queued fixes")),
    ],
)
def test_a_ticked_box_asks_for_a_sweep(body: str | None, sender: object, wanted: object) -> None:
    assert decide("issues", {"action": "edited", "issue": {"body": body}, "sender": sender}) == wanted
