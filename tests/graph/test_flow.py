"""Each row of the flow's table, each step in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest

from remediator.domain.base import Value
from remediator.domain.lifecycle import ARRIVED, AWAITED, MOMENTS, UNDECIDED, Record, RemediationPlan, Review, is_open
from remediator.errors import ConfigError, ConflictError, ServiceError
from remediator.graph.admission import Admission, Caps
from remediator.graph.build import Ports, build
from remediator.graph.driver import Driver, DriverResult
from remediator.graph.limits import RunLimits
from remediator.graph.state import PLAN_FIELDS, VALUES, IncidentState
from remediator.graph.sweep import sweep_incidents
from tests.fake_ports import FakeForge, FakeLogs, FakePlanner, FakeVerifier
from tests.graph.incident_run import FILE, TWO, IncidentRun, case, proposal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.lifecycle import Base, Observation, VerificationStatus
    from remediator.domain.sources import Rollout

NODES = (
    "collect_logs",
    "classify_error",
    "analyze_root_cause",
    "generate_action",
    "commit_changes",
    "get_user_feedback",
    "verify_recovery",
    "final_feedback",
)


def test_the_state_has_the_plans_fields_and_types() -> None:
    hints = get_type_hints(IncidentState)
    assert tuple(hints)[: len(PLAN_FIELDS)] == PLAN_FIELDS
    assert len(PLAN_FIELDS) == 18
    assert hints["git_changes"] == dict[str, str]
    assert hints["affected_apps"] == hints["suggested_actions"] == list[str]
    assert {hints[name] for name in PLAN_FIELDS[:5]} == {str}


def values_in(hint: Any, found: set[type]) -> set[type]:
    """Every pydantic class that a type hint reaches."""
    if isinstance(hint, type) and issubclass(hint, Value) and hint not in found:
        found.add(hint)
        for field in hint.model_fields.values():
            values_in(field.annotation, found)
    for inner in get_args(hint):
        values_in(inner, found)
    return found


def test_every_value_of_the_state_is_listed_and_no_other() -> None:
    found: set[type] = set()
    for hint in get_type_hints(IncidentState).values():
        values_in(hint, found)
    assert set(VALUES) == found | {Review}


def test_the_graph_has_the_plans_nodes() -> None:
    driver = IncidentRun().driver()
    assert tuple(name for name in driver.graph.get_graph().nodes if not name.startswith("__")) == NODES


@pytest.mark.parametrize(("category", "severity"), [("info", "info"), ("oom", "info")])
def test_calm_logs_are_recorded_without_a_pull_request(category: str, severity: str) -> None:
    world = IncidentRun(cases=(case(category=category, severity=severity),))
    state = world.start().state
    assert state["workflow_status"] == "recorded"
    assert state["incident"].reason
    assert world.forge.calls == []
    assert world.driver().records()[0].status == "recorded"


def test_what_no_rule_knows_needs_a_person_who_is_told_why() -> None:
    plan = RemediationPlan(reason="no rule explains it")
    world = IncidentRun(cases=(case(category="unknown", severity="warning"),), planner=FakePlanner(plan))
    state = world.start().state
    assert (state["workflow_status"], state["incident"].reason) == ("needs_person", "no rule explains it")
    assert world.forge.calls == []


def test_without_a_fitting_action_a_person_is_needed() -> None:
    world = IncidentRun(
        planner=FakePlanner(RemediationPlan(applications=("checkout",), reason="rotate the credential"))
    )
    state = world.start().state
    assert (state["workflow_status"], state["incident"].reason) == ("needs_person", "rotate the credential")
    assert state["user_feedback_history"][-1]["outcome"] == "needs_person"
    assert world.forge.calls == []


def test_a_critical_incident_is_proposed_urgently_and_waits_for_a_person() -> None:
    world = IncidentRun()
    state = world.start().state
    assert state["workflow_status"] == "awaiting_review"
    assert state["suggested_actions"] == ["raise_memory_limit", "roll_back"]
    assert state["git_changes"] == {FILE: "memory: 2Gi\n"}
    assert state["commit_hash"]
    change = world.forge.branches["remediator/inc-3f9a2c-1-1"]
    assert (change.urgent, change.merge) == (True, False)
    assert "Incident-Id: inc-3f9a2c-1" in change.message


def test_a_critical_incident_never_merges_by_itself() -> None:
    world = IncidentRun(planner=FakePlanner(TWO, alone=True))
    assert world.start().state["workflow_status"] == "awaiting_review"


def test_a_warning_merges_by_itself_only_where_the_policy_allows() -> None:
    waiting = IncidentRun(cases=(case(severity="warning"),))
    assert waiting.start().state["workflow_status"] == "awaiting_review"
    assert not waiting.forge.branches["remediator/inc-3f9a2c-1-1"].urgent
    alone = IncidentRun(cases=(case(severity="warning"),), planner=FakePlanner(TWO, alone=True))
    state = alone.start().state
    assert (state["workflow_status"], state["verification_status"]) == ("verifying", "pending")
    assert alone.forge.files[FILE] == "memory: 2Gi\n"


def warned(*, says: str) -> IncidentRun:
    return IncidentRun(
        cases=(case(severity="warning"),),
        planner=FakePlanner(TWO, alone=True),
        verifiers=(FakeVerifier([says]),),
        limits=RunLimits(),
    )


def test_after_a_merge_by_itself_a_person_is_asked_to_confirm() -> None:
    world = warned(says="success")
    assert world.start().state["workflow_status"] == "verifying"
    state = world.answer("confirmed", by="ann").state
    assert (state["workflow_status"], state["recovery_result"]) == ("resolved", "confirmed by ann")


def test_unanswered_by_the_deadline_it_ends_unconfirmed() -> None:
    world = warned(says="success")
    world.start()
    world.pass_time(hours=5)
    assert world.answer("verify").state["workflow_status"] == "unconfirmed"


def test_approval_of_the_head_is_noted_and_the_interrupt_stays_until_the_merge() -> None:
    world = IncidentRun()
    head = world.start().state["commit_hash"]
    state = world.answer("approved", by="ann", commit=head).state
    assert (state["user_approved_action"], state["workflow_status"]) == ("raise_memory_limit", "awaiting_review")
    assert world.merge().state["workflow_status"] == "verifying"


def test_approval_of_an_older_head_counts_for_nothing() -> None:
    world = IncidentRun()
    old = world.start().state["commit_hash"]
    world.answer("changes_requested", words="use 2")
    assert world.answer("approved", by="ann", commit=old).state["user_approved_action"] == ""


def test_a_merge_is_verified_and_without_a_verifier_it_is_pending() -> None:
    world = IncidentRun()
    world.start()
    state = world.merge().state
    assert (state["workflow_status"], state["verification_status"]) == ("verifying", "pending")
    assert state["recovery_result"] == "no verifier configured"
    assert state["user_approved_action"] == "raise_memory_limit"
    world.pass_time(days=30)
    assert world.answer("verify").state["verification_status"] == "pending"


def test_success_resolves_only_when_all_verifiers_agree() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["success"]), FakeVerifier(["pending", "success"], name="slow")))
    world.start()
    state = world.merge().state
    assert (state["verification_status"], state["recovery_result"]) == ("pending", "slow: looks pending")
    state = world.answer("verify").state
    assert (state["workflow_status"], state["verification_status"]) == ("resolved", "success")
    assert len(state["observations"]) == 4


def test_what_failed_weighs_more_than_what_is_waited_for() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["pending"], name="slow"), FakeVerifier(["failed"], name="pods")))
    world.start()
    state = world.merge().state
    assert (state["incident"].attempt, state["recovery_result"]) == (2, "pods: looks failed")


def test_pending_past_the_deadline_ends_unconfirmed() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["pending"]),))
    world.start()
    world.merge()
    world.pass_time(hours=3)
    assert world.answer("verify").state["workflow_status"] == "verifying"
    world.pass_time(hours=2)
    state = world.answer("verify").state
    assert (state["workflow_status"], state["verification_status"]) == ("unconfirmed", "pending")


def test_pending_past_the_deadline_where_the_change_has_arrived_tries_the_next_action() -> None:
    world = IncidentRun(
        verifiers=(FakeVerifier(["success"], facts={ARRIVED: "yes"}), FakeVerifier(["pending"], name="pods"))
    )
    world.start()
    world.merge()
    world.pass_time(hours=5)
    state = world.answer("verify").state
    assert (state["workflow_status"], state["incident"].attempt) == ("awaiting_review", 2)
    (told,) = [entry for entry in state["user_feedback_history"] if entry.get("kind") == "verified"]
    assert told["words"] == "still waiting at the deadline: pods: looks pending"


@pytest.mark.parametrize("fact", [UNDECIDED, MOMENTS])
def test_what_nobody_could_see_by_the_deadline_is_no_failure(fact: str) -> None:
    says: VerificationStatus = "pending" if fact == UNDECIDED else "success"
    world = IncidentRun(
        verifiers=(
            FakeVerifier(["success"], facts={ARRIVED: "yes", "neutral": "never showed it"}),
            FakeVerifier([says], name="alerts", facts={fact: "yes"}),
        )
    )
    world.start()
    assert world.merge().state["workflow_status"] == "verifying"
    world.pass_time(hours=5)
    state = world.answer("verify").state
    assert (state["workflow_status"], state["verification_status"]) == ("unconfirmed", "pending")


@pytest.mark.parametrize(
    ("now", "says", "status", "words"),
    [
        ("memory: 1Gi\n", "success", "needs_person", "was reverted after the merge; "),
        ("memory: 1Gi\ncpu: 1\n", "success", "needs_person", "was reverted after the merge; "),
        ("memory: 3Gi\n", "success", "resolved", "no longer reads as proposed; "),
        ("memory: 2Gi\ncpu: 1\n", "success", "resolved", ""),
        ("memory: 1Gi\n", "failed", "needs_person", "was reverted after the merge; "),
        ("memory: 3Gi\n", "failed", "awaiting_review", "no longer reads as proposed; "),
        (None, "success", "resolved", "no longer reads as proposed; "),
    ],
)
def test_what_a_person_did_to_the_change_meanwhile_is_said(
    now: str | None, says: VerificationStatus, status: str, words: str
) -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["pending", says]),))
    world.start()
    world.merge()
    world.forge.files[FILE] = now
    state = world.answer("verify").state
    (told,) = [one for one in state["user_feedback_history"] if one.get("kind") == "verified"] or [{}]
    said = told.get("words", state["recovery_result"])
    assert state["workflow_status"] == status
    assert said == (f"`{FILE}` in main {words}" if words else "") + (said.rpartition("; ")[2])
    assert (state["incident"].attempt, status) in {(1, "resolved"), (1, "needs_person"), (2, "awaiting_review")}


def test_a_change_that_was_taken_back_and_never_arrived_is_said_at_the_deadline() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["pending"]),))
    world.start()
    world.merge()
    world.forge.files[FILE] = "memory: 1Gi\n"
    world.pass_time(hours=5)
    state = world.answer("verify").state
    assert state["workflow_status"] == "unconfirmed"
    assert state["recovery_result"].startswith(f"`{FILE}` in main was reverted after the merge; ")


def test_a_forge_that_cannot_be_asked_holds_up_no_verdict() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["pending", "success"]),))
    world.start()
    world.merge()

    def gone(_tracked: str) -> Base:
        raise ServiceError("GitHub answers 502", retryable=True)

    world.forge.base = gone  # type: ignore[method-assign]
    assert world.answer("verify").state["workflow_status"] == "resolved"


def test_what_fails_before_the_change_has_arrived_is_not_its_failure() -> None:
    argo = FakeVerifier(["pending", "pending", "success"], name="argocd", facts={AWAITED: "yes"})
    pods = FakeVerifier(["failed"], name="pods")
    world = IncidentRun(verifiers=(argo, pods))
    world.start()
    state = world.merge().state
    assert (state["verification_status"], state["incident"].attempt) == ("pending", 1)
    assert "before the change arrived: looks failed" in state["recovery_result"]
    argo.facts = {ARRIVED: "yes"}
    world.answer("verify")
    state = world.answer("verify").state
    assert state["incident"].attempt == 2


def test_a_sync_that_failed_is_a_failure_though_nothing_arrived() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["failed"], name="argocd", facts={AWAITED: "yes"}),))
    world.start()
    assert world.merge().state["incident"].attempt == 2


def test_others_look_from_when_the_change_was_first_seen_to_be_there() -> None:
    asked: list[str] = []

    class Pods(FakeVerifier):
        def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
            asked.append(rollout.since)
            return super().observe(rollout, earlier)

    argo = FakeVerifier(["pending"], name="argocd", facts={AWAITED: "yes"})
    world = IncidentRun(verifiers=(argo, Pods(["pending"], name="pods")))
    world.start()
    world.merge(at="2025-12-31T23:00:00Z")
    argo.facts = {ARRIVED: "yes"}
    world.answer("verify")
    world.answer("verify")
    assert asked == ["2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]


def test_verifiers_are_told_whose_pods_the_change_makes_anew() -> None:
    asked: list[tuple[str, ...]] = []

    class Pods(FakeVerifier):
        def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
            asked.append(rollout.remade)
            return super().observe(rollout, earlier)

    world = IncidentRun(verifiers=(Pods(["failed"], name="pods"),))
    first, second = world.planner.plan.proposals
    told = first.model_copy(update={"remade": ("Deployment/checkout",)})
    world.planner.plan = world.planner.plan.model_copy(update={"proposals": (told, second)})
    world.start()
    world.merge()
    assert asked == [("Deployment/checkout",)]


def test_what_servers_say_is_redacted_before_it_is_kept() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["pending"]),))
    made = world.driver()
    ports = Ports(
        logs=FakeLogs(world.cases), planner=world.planner, forge=world.forge, now=world.now,
        verifiers=world.verifiers, redact=lambda text: text.replace("pending", "***"),
    )  # fmt: skip
    driver = replace(made, graph=build(ports, made.memory))  # type: ignore[arg-type]
    driver.start(world.cases[0])
    state = driver.resume("inc-3f9a2c-1", Review(kind="merged", by="ann", commit="c1")).state
    assert state["observations"][0].summary == "looks ***"
    assert "pending" not in state["recovery_result"]


def test_declining_to_take_a_change_back_leaves_it_merged_and_says_so() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["success"]),))
    world.start()
    world.merge()
    world.driver().revert("inc-3f9a2c-1", Review(kind="revert", by="ann"))
    state = world.answer("closed", words="it is fine", by="bea").state
    assert (state["workflow_status"], state["incident"].reason) == ("unconfirmed", "it was not reverted: it is fine")


def test_failed_tries_the_next_action_as_the_next_attempt_then_needs_a_person() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["failed"]),))
    world.start()
    state = world.merge().state
    assert state["workflow_status"] == "awaiting_review"
    assert list(world.forge.branches) == ["remediator/inc-3f9a2c-1-2"]
    assert state["git_changes"] == {FILE: "memory: 4Gi\n"}
    assert "failed: fake: looks failed" in state["pull_request"].body
    assert (state["incident"].attempt, state["incident"].tried) == (2, ("raise_memory_limit",))
    state = world.merge().state
    assert (state["workflow_status"], state["incident"].chosen) == ("awaiting_review", "take_back")
    assert state["git_changes"] == {FILE: "memory: 2Gi\n"}
    assert "failed: fake: looks failed" in state["pull_request"].body
    assert "the incident then needs a person" in state["pull_request"].body
    state = world.merge().state
    assert (state["workflow_status"], state["incident"].reason) == ("needs_person", "the change was reverted")
    assert world.forge.files == {FILE: "memory: 2Gi\n"}


def test_what_a_person_has_changed_since_is_not_taken_back() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["success"]),))
    world.start()
    world.merge()
    world.forge.files[FILE] = "memory: 3Gi\n"
    state = world.driver().revert(world.driver().records()[0].incident_id, Review(kind="revert", by="ann")).state
    assert state["workflow_status"] == "needs_person"
    assert "changed since" in state["incident"].reason


def test_a_person_takes_a_resolved_change_back() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["success"]),))
    world.start()
    assert world.merge().state["workflow_status"] == "resolved"
    name = world.driver().records()[0].incident_id
    state = world.driver().revert(name, Review(kind="revert", by="ann")).state
    assert (state["workflow_status"], state["incident"].attempt) == ("awaiting_review", 2)
    assert world.driver().records()[0].status == "awaiting_review"
    assert world.merge().state["workflow_status"] == "needs_person"
    assert world.forge.files == {FILE: "memory: 1Gi\n"}
    with pytest.raises(ConfigError, match="no merged change"):
        world.driver().revert(name, Review(kind="revert"))


def test_a_person_takes_a_change_back_after_all_attempts_are_used_up() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["failed"]),), limits=RunLimits(attempts=1))
    world.start()
    assert world.merge().state["workflow_status"] == "needs_person"
    state = world.driver().revert(world.driver().records()[0].incident_id, Review(kind="revert", by="ann")).state
    assert (state["workflow_status"], state["git_changes"]) == ("awaiting_review", {FILE: "memory: 1Gi\n"})


@pytest.mark.parametrize("words", ["retry", "use 3"])
def test_whole_files_of_a_way_back_are_never_written_over_what_came_since(words: str) -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["success"]),))
    world.start()
    world.merge()
    world.driver().revert(world.driver().records()[0].incident_id, Review(kind="revert", by="ann"))
    before = dict(world.forge.branches)
    world.forge.files[FILE] = "memory: 2Gi\nnew: 1\n"
    state = world.answer("changes_requested", words=words).state
    assert "outdated" in state["incident"].reason
    assert world.forge.branches == before


def test_what_was_never_merged_cannot_be_taken_back() -> None:
    world = IncidentRun()
    world.start()
    with pytest.raises(ConfigError, match="no merged change"):
        world.driver().revert(world.driver().records()[0].incident_id, Review(kind="revert"))


def test_a_value_is_set_within_bounds_and_stays_an_option() -> None:
    world = IncidentRun(planner=FakePlanner(TWO, out_of_bounds="64Gi"))
    world.start()
    state = world.answer("changes_requested", words="set memory=3Gi").state
    assert state["git_changes"] == {FILE: "3Gi"}
    assert [one.id for one in state["proposals"]] == ["raise_memory_limit", "roll_back", "raise_memory_limit#set"]
    refused = world.answer("changes_requested", words="set memory=64Gi").state
    assert (refused["git_changes"], refused["incident"].reason) == ({FILE: "3Gi"}, "64Gi is out of bounds")


def test_an_ignored_incident_stays_quiet_as_long_as_was_asked() -> None:
    world = IncidentRun()
    world.start()
    world.answer("closed", words="ignored for 7d", by="ann", until="2026-01-08T00:00:00Z")
    world.pass_time(days=6)
    assert world.start().quiet_until == "2026-01-08T00:00:00Z"
    world.pass_time(days=2)
    assert world.start().state["workflow_status"] == "awaiting_review"


def test_a_freeze_holds_the_change_back_until_a_later_run() -> None:
    world = IncidentRun(planner=FakePlanner(TWO, ice="freeze: weekend"))
    state = world.start().state
    assert (state["workflow_status"], state["incident"].held) == ("recorded", "freeze: weekend")
    assert world.forge.branches == {}
    assert (world.driver().records()[0].held, world.driver().records()[0].branch) == ("freeze: weekend", "")
    world.planner.ice = ""
    state = world.driver().resume_queued(state["incident_id"]).state
    assert (state["workflow_status"], state["incident"].held) == ("awaiting_review", "")
    assert list(world.forge.branches) == ["remediator/inc-3f9a2c-1-1"]


def test_what_is_held_and_seen_again_is_not_made_twice() -> None:
    world = IncidentRun(planner=FakePlanner(TWO, ice="freeze: weekend"))
    world.start()
    assert world.start().state["incident"].held
    world.planner.ice = ""
    assert world.start().state["workflow_status"] == "awaiting_review"
    assert len(world.driver().records()) == 1


def test_attempts_are_bounded() -> None:
    world = IncidentRun(verifiers=(FakeVerifier(["failed"]),), limits=RunLimits(attempts=1))
    world.start()
    state = world.merge().state
    assert list(world.forge.branches) == []
    assert (state["workflow_status"], state["incident"].reason) == ("needs_person", "1 attempts did not end it")


def test_a_reviewer_chooses_another_option_in_the_same_branch() -> None:
    world = IncidentRun()
    first = world.start().state
    state = world.answer("changes_requested", words="use 2", by="ann").state
    assert state["incident"].chosen == "roll_back"
    assert state["git_changes"] == {FILE: "memory: 4Gi\n"}
    assert list(world.forge.branches) == ["remediator/inc-3f9a2c-1-1"]
    assert state["commit_hash"] != first["commit_hash"]
    assert state["user_recognition"] == "use 2"


@pytest.mark.parametrize(
    ("words", "says"),
    [("use 3", "there is no option 3"), ("too much!", "the commands are `use N`"), ("use 0", "no option 0")],
)
def test_words_that_cannot_be_followed_are_noted_and_change_nothing(words: str, says: str) -> None:
    world = IncidentRun()
    before = world.start().state
    state = world.answer("changes_requested", words=words).state
    assert says in state["incident"].reason
    assert state["workflow_status"] == "awaiting_review"
    assert state["commit_hash"] == before["commit_hash"]
    assert world.forge.calls == ["publish"]


def test_an_option_that_the_guardrails_forbid_leaves_the_pull_request_as_it_is() -> None:
    plan = TWO.model_copy(update={"proposals": (TWO.proposals[0], proposal("roll_back", "x: 1\n", file="deny.yaml"))})
    world = IncidentRun(
        planner=FakePlanner(plan, forbidden=("deny.yaml",)),
        forge=FakeForge({FILE: "memory: 1Gi\n", "deny.yaml": "x: 0\n"}),
    )
    world.start()
    state = world.answer("changes_requested", words="use 2").state
    assert (state["workflow_status"], state["incident"].chosen) == ("awaiting_review", "raise_memory_limit")
    assert "deny.yaml is denied" in state["incident"].reason


def test_rounds_of_feedback_are_bounded() -> None:
    world = IncidentRun(limits=RunLimits(rounds=1))
    world.start()
    world.answer("changes_requested", words="use 2")
    state = world.answer("changes_requested", words="use 1").state
    assert "changes were made once, as often as `guardrails.max_feedback_rounds`" in state["incident"].reason
    assert state["incident"].chosen == "roll_back"


def test_what_changed_nothing_uses_no_round_up() -> None:
    world = IncidentRun(limits=RunLimits(rounds=1), planner=FakePlanner(TWO, out_of_bounds="9Ti"))
    world.start()
    for words in ("bogus", "use 9", "set memory=9Ti"):
        assert world.answer("changes_requested", words=words).state["incident"].rounds == 0
    state = world.answer("changes_requested", words="use 2").state
    assert (state["incident"].chosen, state["incident"].rounds) == ("roll_back", 1)


def test_closing_without_a_merge_is_a_rejection_that_is_remembered() -> None:
    world = IncidentRun()
    world.start()
    state = world.answer("closed", words="the JVM leaks", by="ann", at="2026-01-01T01:00:00Z").state
    assert (state["workflow_status"], state["incident"].reason) == ("rejected", "the JVM leaks")
    quiet = world.start()
    assert quiet.quiet_until == "2026-01-04T01:00:00Z"
    assert world.forge.calls == ["publish"]
    world.pass_time(hours=80)
    again = world.start().state
    assert again["incident_id"] == "inc-3f9a2c-2"
    assert again["user_feedback_history"][0] == {
        "kind": "earlier",
        "incident_id": "inc-3f9a2c-1",
        "outcome": "rejected",
        "action": "raise_memory_limit",
        "words": "the JVM leaks",
    }


def test_guardrails_on_the_final_difference_pick_the_next_proposal_or_a_person() -> None:
    plan = TWO.model_copy(update={"proposals": (proposal("a", "x: 1\n", file="deny.yaml"), TWO.proposals[1])})
    forge = FakeForge({FILE: "memory: 1Gi\n", "deny.yaml": "x: 0\n"})
    world = IncidentRun(planner=FakePlanner(plan, forbidden=("deny.yaml",)), forge=forge)
    assert world.start().state["incident"].chosen == "roll_back"
    nothing = IncidentRun(planner=FakePlanner(plan, forbidden=("deny.yaml", FILE)), forge=forge)
    state = nothing.start().state
    assert (state["workflow_status"], state["git_changes"]) == ("needs_person", {})
    assert "deny.yaml is denied" in state["incident"].reason


def test_a_pinned_application_needs_a_person() -> None:
    state = IncidentRun(planner=FakePlanner(TWO, pinned="v1.2")).start().state
    assert (state["workflow_status"], state["git_changes"]) == ("needs_person", {})
    assert "pinned to v1.2" in state["incident"].reason


def test_the_same_incident_again_is_one_thread_and_one_pull_request() -> None:
    world = IncidentRun()
    world.start()
    state = world.start().state
    assert (state["incident"].seen, state["workflow_status"]) == (2, "awaiting_review")
    assert len(world.driver().records()) == 1
    assert world.forge.calls == ["publish"]
    assert len(world.store.messages) == 3


def test_an_event_that_no_longer_fits_changes_nothing() -> None:
    world = IncidentRun()
    world.start()
    world.merge()
    state = world.answer("closed", words="too late").state
    assert state["workflow_status"] == "verifying"
    assert state["pull_request"] is not None
    assert state["pull_request"].state == "merged"


def test_each_invocation_is_one_commit_with_skip_ci() -> None:
    world = IncidentRun()
    world.start()
    world.merge()
    assert world.store.messages == [
        "Open inc-3f9a2c-1 [skip ci]",
        "Record inc-3f9a2c-1: awaiting_review [skip ci]",
        "Record inc-3f9a2c-1: verifying [skip ci]",
    ]


def test_a_failing_forge_still_gives_the_whole_state_and_leaves_what_is_needed_to_go_on() -> None:
    world = IncidentRun(forge=FakeForge({FILE: "memory: 1Gi\n"}, fails=ServiceError("no permission")))
    result = world.start()
    assert isinstance(result.error, ServiceError)
    assert (result.state["workflow_status"], result.state["incident"].reason) == ("failed", "no permission")
    assert result.state["git_changes"] == {FILE: "memory: 2Gi\n"}
    assert [record.opening for record in world.driver().records()] == ["2026-01-01T00:00:00Z"]
    world.forge.fails = None
    assert world.start().state["workflow_status"] == "awaiting_review"


def test_an_invocation_that_breaks_can_be_repeated() -> None:
    world = IncidentRun()
    world.start()
    world.verifiers = (FakeVerifier([]),)
    with pytest.raises(IndexError):
        world.merge()
    world.verifiers = ()
    assert world.driver().records()[0].status == "awaiting_review"
    assert world.merge().state["workflow_status"] == "verifying"


def test_a_preview_writes_nothing_and_is_bound_by_no_earlier_decision() -> None:
    world = IncidentRun()
    world.start()
    world.answer("closed", words="no", at="2026-01-01T01:00:00Z")
    before = len(world.store.messages)
    state = world.driver(preview=True).start(world.cases[0]).state
    assert state["git_changes"] == {FILE: "memory: 2Gi\n"}
    assert len(world.store.messages) == before


def test_a_preview_of_an_open_incident_starts_from_its_start() -> None:
    world = IncidentRun()
    world.start()
    world.answer("changes_requested", words="use 2")
    state = world.driver(preview=True).start(world.cases[0]).state
    assert (state["incident"].chosen, state["incident_id"]) == ("raise_memory_limit", "inc-3f9a2c-1")
    assert world.driver().state("inc-3f9a2c-1")["incident"].chosen == "roll_back"


def test_what_needed_a_person_is_looked_at_anew_on_its_own_thread() -> None:
    world = IncidentRun(planner=FakePlanner(RemediationPlan(reason="not defined here")))
    world.start()
    world.planner = FakePlanner(TWO)
    state = world.start().state
    assert (state["workflow_status"], state["incident_id"]) == ("awaiting_review", "inc-3f9a2c-1")
    assert (state["incident"].seen, state["incident"].reason) == (2, "")
    assert world.merge().state["workflow_status"] == "verifying"


def test_the_commit_is_made_on_the_base_that_the_change_was_made_on() -> None:
    world = IncidentRun()
    world.start()
    assert world.forge.branches["remediator/inc-3f9a2c-1-1"].base.commit == "c0"


def test_two_answers_at_once_the_second_is_told() -> None:
    world = IncidentRun()
    world.start()
    slow, quick = world.driver(), world.driver()
    known = slow.records()[0].incident_id
    slow.state(known)
    quick.resume(known, Review(kind="closed", words="no"))
    with pytest.raises(ConflictError):
        slow.resume(known, Review(kind="changes_requested", words="use 2"))
    assert world.driver().records()[0].status == "rejected"


def test_an_unknown_incident_is_the_users_mistake() -> None:
    with pytest.raises(ConfigError, match="inc-none"):
        IncidentRun().driver().state("inc-none")


def test_a_slot_that_a_merge_frees_goes_to_the_gravest_that_is_held() -> None:
    prints = {name: name[0] * 64 for name in ("first", "warning", "critical")}
    cases = tuple(
        case(severity="warning" if name == "warning" else "critical", fingerprint=prints[name], name=name)
        for name in prints
    )
    world = IncidentRun(cases=cases)
    caps = Caps(open=1)

    def driver() -> Driver:
        return replace(world.driver(), admission=Admission(caps, now=world.now))

    for one in cases:
        driver().start(one)
    records = {record.fingerprint: record for record in driver().records()}
    first = records[prints["first"]]
    assert [bool(records[prints[name]].held) for name in prints] == [False, True, True]
    assert "max_open_pull_requests" in records[prints["warning"]].held
    pull = driver().state(first.incident_id)["pull_request"]
    assert pull
    world.forge.close(pull)

    def look(driver: Driver, record: Record) -> DriverResult:
        if record.held:
            return driver.resume_queued(record.incident_id)
        return driver.resume(record.incident_id, Review(kind="closed", by="ann"))

    done = sweep_incidents(driver(), [record for record in driver().records() if is_open(record)], look)
    assert all(isinstance(one, DriverResult) for one in done.values())
    status = {record.fingerprint: (record.status, bool(record.held)) for record in driver().records()}
    assert status == {
        prints["first"]: ("rejected", False),
        prints["warning"]: ("recorded", True),
        prints["critical"]: ("awaiting_review", False),
    }
