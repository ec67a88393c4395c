"""A pull request's whole life on GitHub: each event in a run of its own, which knows only what GitHub holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from remediator.action.queue_issue import QueueIssue
from remediator.action.replies import parse
from remediator.domain.review_commands import ReviewCommand
from remediator.graph.admission import Caps
from remediator.graph.limits import RunLimits
from tests.github.pull_request_runs import Life, living
from tests.github.server import ServerFault
from tests.graph.incident_run import FILE, case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remediator.domain.lifecycle import VerificationStatus


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    with living(tmp_path) as one:
        yield one


def test_opening_costs_at_most_twelve_requests(life: Life) -> None:
    state = life.start().state
    pull = life.server.world.pulls[life.number]
    assert (state["workflow_status"], pull.labels, pull.reviewers) == ("awaiting_review", ["remediator"], ["ada"])
    assert len(life.cost) <= 12, life.cost


def test_the_body_says_how_recovery_will_be_proved(life: Life) -> None:
    life.verdicts = ["pending"]
    life.start()
    assert "all looks well; the result is posted here as a comment" in life.server.world.pulls[life.number].body


def test_a_recurrence_is_the_same_pull_request(life: Life) -> None:
    life.start()
    state = life.start().state
    assert state["incident"].seen == 2
    assert len(life.server.world.pulls) == 1
    life._run()[1].post_recurrence(state)
    life._run()[1].post_recurrence(life.start().state)
    (said,) = life.comments()
    assert "Awaiting review — seen 3 times, last at" in said


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_merge_costs_at_most_six_requests_and_is_noted_once(life: Life, method: str) -> None:
    life.start()
    oid = life.server.world.merge(life.number, "ada", method=method)
    state = life.event()
    assert (state["workflow_status"], state["user_approved_action"]) == ("verifying", "raise_memory_limit")
    assert state["pull_request"]
    assert state["pull_request"].merge_commit == oid
    assert len(life.cost) <= 6, life.cost
    assert [one.startswith("<!-- remediator:status") and "Waiting" in one for one in life.comments()] == [True]
    life.event()
    assert len(life.comments()) == 1
    assert len([e for e in state["user_feedback_history"] if e["kind"] == "merged"]) == 1


def test_a_command_that_revises_costs_at_most_twelve_requests(life: Life) -> None:
    life.start()
    life.server.world.comment(life.number, "ada", "/remediator use 2\nbecause of the heap")
    state = life.event()
    assert state["incident"].chosen == "roll_back"
    assert len(life.cost) <= 12, life.cost
    pull = life.server.world.pulls[life.number]
    assert life.server.world.bare.run("show", f"{pull.head}:{FILE}") == "memory: 4Gi"
    assert life.server.world.bare.run("rev-list", "--count", f"main..{pull.head}") == "1"
    assert "roll back" in pull.title
    assert [content for content, _ in pull.comments[0].reactions] == ["eyes", "rocket"]
    assert "Now proposes" in life.comments()[0]
    life.event()
    assert len(life.comments()) == 1


def test_only_people_who_can_write_are_obeyed(life: Life) -> None:
    life.start()
    life.server.world.comment(life.number, "bob", "/remediator close")
    assert life.event()["workflow_status"] == "awaiting_review"
    assert life.server.world.pulls[life.number].comments[0].reactions == [("confused", "github-actions[bot]")]
    assert life.comments() == []


def test_edited_words_and_bots_count_for_nothing(life: Life) -> None:
    life.start()
    life.server.world.edit_comment(life.server.world.comment(life.number, "ada", "hello").id, "/remediator close")
    life.server.world.comment(life.number, "renovate[bot]", "/remediator close")
    life.server.world.permissions["renovate"] = "write"
    assert life.event()["workflow_status"] == "awaiting_review"


@pytest.mark.parametrize(
    ("text", "words", "reaction"),
    [
        ("/remediator use 9", "no option 9", "confused"),
        ("/remediator explain", "limit is too low", "rocket"),
        ("/remediator help", "remediator use N", "rocket"),
        ("/remediator", "remediator use N", "rocket"),
        ("/remediator $(reboot) `x`", "remediator use N", "confused"),
        ("/remediator verify", "is not possible now", "confused"),
    ],
)
def test_answers(life: Life, text: str, words: str, reaction: str) -> None:
    life.start()
    life.server.world.comment(life.number, "ada", text)
    life.event()
    life.event()
    (answer,) = life.comments()
    assert words in answer
    assert life.server.world.pulls[life.number].comments[0].reactions[-1][0] == reaction


def test_who_mistypes_gets_the_table_once(life: Life) -> None:
    life.start()
    for words in ("/remediator fix it", "/remediator plase", "/remediator help"):
        life.server.world.comment(life.number, "ada", words)
        life.event()
    assert [text.count("| `/remediator use N` |") for text in life.comments()] == [1, 1]
    said = [one for one in life.server.world.pulls[life.number].comments if one.user == "ada"]
    assert [one.reactions[-1][0] for one in said] == ["confused", "confused", "rocket"]


def test_approval_of_the_head_counts_and_of_an_older_one_does_not(life: Life) -> None:
    life.start()
    life.server.world.review(life.number, "ada", "APPROVED")
    life.server.world.pulls[life.number].reviews[0].commit = life.server.world.branch("main")
    assert life.event()["user_approved_action"] == ""
    life.server.world.review(life.number, "ada", "APPROVED")
    assert life.event()["user_approved_action"] == "raise_memory_limit"


def test_a_review_that_asks_for_changes_is_answered(life: Life) -> None:
    life.start()
    life.server.world.review(life.number, "ada", "CHANGES_REQUESTED", "use 2")
    assert life.event()["incident"].chosen == "roll_back"
    life.server.world.review(life.number, "ada", "CHANGES_REQUESTED", "more please")
    life.event()
    assert "nothing changed" in life.comments()[-1]


def test_a_close_is_remembered_with_its_reason(life: Life) -> None:
    life.start()
    life.server.world.comment(life.number, "ada", "The node was too small.")
    life.server.world.close(life.number, "ada")
    state = life.event()
    assert (state["workflow_status"], state["incident"].reason) == ("rejected", "The node was too small.")
    assert [name for name in life.server.world.bare.refs() if "inc-" in name] == []


@pytest.mark.parametrize("how", ["by hand", "by command"])
def test_a_persons_commit_on_the_branch_outlives_the_pull_request(life: Life, how: str) -> None:
    life.start()
    branch = life.server.world.pulls[life.number].head
    theirs = life.server.world.commit_files(branch, {"notes.txt": "tried 3Gi by hand\n"}, "Try more memory")
    if how == "by hand":
        life.server.world.close(life.number, "ada")
    else:
        life.server.world.comment(life.number, "ada", "/remediator close not now")
    assert life.event()["workflow_status"] == "rejected"
    assert life.server.world.pulls[life.number].state == "closed"
    assert life.server.world.branch(branch) == theirs


def test_closing_by_command(life: Life) -> None:
    life.start()
    life.server.world.comment(life.number, "ada", "/remediator close not now")
    assert (life.event()["incident"].reason, life.server.world.pulls[life.number].state) == ("not now", "closed")


def test_the_verdict_is_one_comment_edited_in_place(life: Life) -> None:
    life.start()
    life.server.world.merge(life.number, "ada")
    life.verdicts = ["pending"]
    life.event()
    life.verdicts = ["success"]
    life.server.world.comment(life.number, "ada", "/remediator verify")
    assert life.event()["workflow_status"] == "resolved"
    status = [one for one in life.comments() if one.startswith("<!-- remediator:status")]
    assert len(status) == 1
    assert "Recovered" in status[0]


def test_a_failed_recovery_opens_the_next_attempt_and_names_it(life: Life) -> None:
    life.start()
    life.server.world.merge(life.number, "ada")
    life.verdicts = ["failed"]
    life.event()
    first, second = sorted(life.server.world.pulls)
    assert f"/pull/{second}" in life.comments()[-1]
    assert "Not recovered" in life.comments()[-1]
    assert life.server.world.pulls[second].head.endswith("-2")
    assert first == life.number


def test_events_that_were_lost_are_made_up_by_the_next_sweep(life: Life) -> None:
    life.start()
    life.server.world.comment(life.number, "ada", "/remediator use 2")
    life.sweep()
    life.server.world.review(life.number, "ada", "APPROVED")
    life.server.world.merge(life.number, "ada")
    life.sweep()
    life.verdicts = ["success"]
    life.sweep(verify=True)
    assert "Recovered" in life.comments()[-1]


@pytest.mark.parametrize("kind", ["after", "drop", "before"])
@pytest.mark.parametrize("call", ["GRAPHQL Reply", "GRAPHQL Record", "GRAPHQL Revise", "GRAPHQL React"])
def test_a_command_is_obeyed_once_whatever_answer_is_lost(life: Life, call: str, kind: str) -> None:
    life.start()
    life.server.world.comment(life.number, "ada", "/remediator use 2")
    life.server.faults = [ServerFault(call, kind)]
    life.event()
    assert life.event()["incident"].rounds == 1
    assert len(life.comments()) == 1


def test_a_label_switches_everything_off(life: Life) -> None:
    life.start()
    life.server.world.pulls[life.number].labels.append("remediator-off")
    life.server.world.comment(life.number, "ada", "/remediator close")
    assert life._run()[1].number(life.number) is None
    assert life.comments() == []


@pytest.mark.thorough
def test_twenty_runs_at_once_on_one_incident_end_in_one_pull_request(life: Life) -> None:
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda _: life._run()[0].start(case()), range(20)))
    assert [result.error for result in results] == [None] * 20
    assert len(life.server.world.pulls) == 1
    assert life.start().state["incident"].seen == 21


def test_revert_takes_a_merged_change_back_in_a_new_pull_request(life: Life) -> None:
    life.start()
    life.server.world.merge(life.number, "ada")
    life.verdicts = ["success"]
    assert life.event()["workflow_status"] == "resolved"
    life.server.world.comment(life.number, "ada", "/remediator revert")
    state = life.event()
    first, second = sorted(life.server.world.pulls)
    assert (state["workflow_status"], state["incident"].chosen) == ("awaiting_review", "take_back")
    assert life.server.world.pulls[second].title.startswith("fix(checkout): revert")
    assert f"Follows https://github.invalid/acme/gitops/pull/{first}." in life.server.world.pulls[second].body
    assert life.server.world.bare.run("show", f"{life.server.world.pulls[second].head}:{FILE}") == "memory: 1Gi"
    assert f"/pull/{second} reverts it" in life.comments()[-1]
    life.event()
    assert sorted(life.server.world.pulls) == [first, second]


def test_revert_of_what_is_not_merged_says_what_fits(life: Life) -> None:
    life.start()
    life.server.world.comment(life.number, "ada", "/remediator revert")
    assert life.event()["workflow_status"] == "awaiting_review"
    assert "not merged" in life.comments()[-1]


def test_ignore_closes_and_stays_quiet(life: Life) -> None:
    life.start()
    life.server.world.comment(life.number, "ada", "/remediator ignore 7d")
    state = life.event()
    assert (state["workflow_status"], state["incident"].quiet_until) == ("rejected", "2026-01-09T03:00:01Z")
    assert life.server.world.pulls[life.number].state == "closed"
    assert life.start().quiet_until == "2026-01-09T03:00:01Z"


def test_a_failure_without_a_way_on_calls_for_people_once(life: Life) -> None:
    life.start()
    life.limits = RunLimits(attempts=1)
    life.server.world.merge(life.number, "ada")
    life.verdicts = ["failed"]
    life.event()
    life.event()
    pull = life.server.world.pulls[life.number]
    assert "needs-human" in pull.labels
    assert [one for one in life.comments() if "@ada This needs a person" in one] == [life.comments()[-1]]


@pytest.mark.parametrize(("checks", "merged"), [(True, True), (False, False)])
def test_an_approval_merges_where_the_policy_says_so_and_never_around_a_rule(
    life: Life, *, checks: bool, merged: bool
) -> None:
    life.start()
    life.limits = RunLimits(merge_on_approval=True)
    life.server.world.checks = checks
    life.server.world.review(life.number, "ada", "APPROVED")
    state = life.event()
    pull = life.server.world.pulls[life.number]
    assert (pull.merged, pull.auto) == (merged, not merged)
    assert state["workflow_status"] == ("verifying" if merged else "awaiting_review")


def test_a_sweep_writes_all_incidents_as_one_commit(life: Life) -> None:
    life.start()
    life.server.world.merge(life.number, "ada")
    life.verdicts = ["pending"]
    before = life.server.world.bare.run("rev-list", "--count", "remediator-state")
    life.sweep(verify=True)
    assert int(life.server.world.bare.run("rev-list", "--count", "remediator-state")) == int(before) + 1


def three(life: Life) -> None:
    """Three incidents, none of which may be opened now."""
    life.cases = tuple(
        case(fingerprint=f"{n:02x}" * 32, name=f"app-{n}", severity="warning" if n == 1 else "critical")
        for n in (1, 2, 3)
    )
    life.caps = Caps(open=0)
    for one in life.cases:
        life._run()[0].start(one)


def test_what_is_held_back_is_listed_once_and_opened_when_a_box_is_ticked(life: Life) -> None:
    three(life)
    life.sweep()
    life.sweep()
    (issue,) = life.server.world.issues.values()
    assert (issue.labels, issue.state, issue.body.count("- [ ]")) == (["remediator-backlog"], "open", 3)
    assert issue.body.index("inc-020202-1") < issue.body.index("inc-010101-1"), "the gravest first"
    assert "max_open_pull_requests" in issue.body
    box = "- [ ] <!-- remediator:held inc-010101-1 -->"
    issue.body, issue.editor = issue.body.replace(box, box.replace("[ ]", "[x]")), "bob"
    life.sweep()
    assert life.server.world.pulls == {}, "bob may not write here"
    assert "[x]" not in issue.body
    issue.body, issue.editor = issue.body.replace(box, box.replace("[ ]", "[X]")), "ada"
    life.sweep()
    assert [pull.head for pull in life.server.world.pulls.values()] == ["remediator/inc-010101-1-1"]
    assert issue.body.count("- [ ]") == 2
    life.caps = Caps()
    life.sweep()
    assert len(life.server.world.pulls) == 3
    assert (issue.state, "No fix is queued" in issue.body) == ("closed", True)


def test_a_tick_between_two_looks_is_not_wiped_away(life: Life) -> None:
    three(life)
    life.sweep()
    (issue,) = life.server.world.issues.values()
    issue.body, issue.editor = issue.body.replace("- [ ]", "- [x]", 1), "ada"
    driver, follow = life._run()
    QueueIssue(driver, follow.conversation).update()  # a run that was there for a new log
    assert issue.body.count("- [x]") == 1
    life.sweep()
    assert len(life.server.world.pulls) == 1


def test_a_next_attempt_that_is_held_back_is_said_on_the_one_before(life: Life) -> None:
    life.start()
    life.server.world.merge(life.number, "ada")
    life.verdicts, life.caps = ["failed"], Caps(open=0)
    life.event()
    (said,) = life.comments()
    assert "Not recovered" in said
    assert "queued: 0 pull requests are open" in said
    life.caps = Caps()
    life.sweep()
    (said,) = life.comments()
    assert f"/pull/{max(life.server.world.pulls)}" in said


def test_a_repository_without_issues_only_costs_a_warning(life: Life, caplog: pytest.LogCaptureFixture) -> None:
    life.server.world.has_issues = False
    three(life)
    life.sweep()
    assert "issues: write" in caplog.text
    assert life.server.world.issues == {}


def calm(life: Life) -> None:
    """Found gone for the first half of the time that it takes."""
    life.verdicts = ["success"]
    life.time += timedelta(hours=37)
    life.sweep(verify=True)
    life.time += timedelta(hours=37)


def test_an_incident_that_has_gone_by_itself_closes_its_pull_request_with_a_word(life: Life) -> None:
    life.start()
    calm(life)
    pull = life.server.world.pulls[life.number]
    assert pull.state == "open"
    life.sweep(verify=True)
    assert pull.state == "closed"
    assert "it has cleared by itself: fake: looks success" in life.comments()[0]
    (known,) = life._run()[0].records()
    assert known.status == "resolved"
    assert [name for name in life.server.world.bare.refs() if "inc-" in name] == []


def test_what_is_seen_again_is_not_gone(life: Life) -> None:
    life.start()
    calm(life)
    life.cases = (case().model_copy(update={"read_at": "2026-01-05T05:00:00Z"}),)
    life._run()[0].start(life.cases[0])
    life.sweep(verify=True)
    assert life.server.world.pulls[life.number].state == "open"


@pytest.mark.parametrize(("verdict", "hours"), [("pending", 72), ("failed", 72), ("success", 0), ("success", 480)])
def test_an_incident_that_may_still_be_there_keeps_its_pull_request(
    life: Life, verdict: VerificationStatus, hours: int
) -> None:
    life.start()
    life.limits = RunLimits(cleared_for=timedelta(hours=hours))
    calm(life)
    life.verdicts = [verdict]
    life.sweep(verify=True)
    assert life.server.world.pulls[life.number].state == "open"
    assert life.event()["workflow_status"] == "awaiting_review"


def test_what_takes_a_change_back_is_not_closed_because_all_is_quiet(life: Life) -> None:
    life.start()
    life.server.world.merge(life.number, "ada")
    life.verdicts = ["success"]
    life.event()
    life.server.world.comment(life.number, "ada", "/remediator revert")
    life.event()
    calm(life)
    life.sweep(verify=True)
    assert life.server.world.pulls[max(life.server.world.pulls)].state == "open"


def test_without_a_verifier_a_merge_ends_unconfirmed_and_the_next_one_is_a_new_incident(life: Life) -> None:
    life.start()
    life.server.world.merge(life.number, "ada")
    life.event()
    life.time += timedelta(days=30)
    life.sweep()
    (known,) = life._run()[0].records()
    assert known.status == "unconfirmed"
    assert "Unconfirmed" in life.comments()[0]
    assert not any("needs a person" in text for text in life.comments())
    life.server.world.commit_files("main", {FILE: "memory: 1Gi\n"}, "Undo")
    assert life.start().state["incident_id"] == "inc-3f9a2c-2"


def test_a_commit_that_nobody_approved_is_not_merged(life: Life) -> None:
    life.start()
    life.limits = RunLimits(merge_on_approval=True)
    life.server.world.checks = False
    life.server.world.review(life.number, "ada", "APPROVED")
    life.event()
    pull = life.server.world.pulls[life.number]
    pull.auto, life.server.world.checks = False, True
    life.server.world.commit_files(pull.head, {"evil.yaml": "a: 1\n"}, "more", "bob")
    life.event()
    life.sweep(verify=True)
    assert not pull.merged


@pytest.mark.parametrize("words", ["close no", "use 2", "ignore 7d"])
def test_a_command_on_an_earlier_pull_request_says_where_it_belongs(life: Life, words: str) -> None:
    life.start()
    life.server.world.merge(life.number, "ada")
    life.verdicts = ["failed"]
    life.event()
    life.server.world.comment(life.number, "ada", f"/remediator {words}")
    assert life.event()["workflow_status"] == "awaiting_review"
    assert f"comment on https://github.invalid/acme/gitops/pull/{max(life.server.world.pulls)}" in life.comments()[-1]


def test_a_merge_by_a_bot_is_no_approval(life: Life) -> None:
    life.cases = (case(severity="warning"),)
    life.start()
    life.server.world.merge(life.number, "github-actions[bot]")
    life.verdicts = ["success"]
    state = life.event()
    assert (state["user_approved_action"], state["workflow_status"]) == ("", "verifying")


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("hello", None),
        ("/remediatorx use 2", None),
        ("please /remediator use 2", None),
        ("  /remediator USE #2 \nmore", ReviewCommand(verb="use", argument="2")),
        ("/remediator use 2; rm -rf /", ReviewCommand(verb="help")),
        ("/remediator use two", ReviewCommand(verb="help")),
        ("/remediator close `$(x)` ${{ y }}", ReviewCommand(verb="close", argument="`$(x)` ${{ y }}")),
        ("/remediator retry", ReviewCommand(verb="retry")),
        ("/remediator retry now", ReviewCommand(verb="help")),
        (
            "/remediator set resources.limits.memory=1Gi",
            ReviewCommand(verb="set", argument="resources.limits.memory=1Gi"),
        ),
        ("/remediator set memory", ReviewCommand(verb="help")),
        ("/remediator ignore 7d", ReviewCommand(verb="ignore", argument="7d")),
        ("/remediator ignore forever", ReviewCommand(verb="help")),
        ("/remediator revert", ReviewCommand(verb="revert")),
        ("", None),
    ],
)
def test_commands_are_read_by_a_table(text: str, ask: ReviewCommand | None) -> None:
    assert parse(text) == ask
