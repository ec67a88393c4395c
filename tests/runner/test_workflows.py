"""The workflows that users copy, run by the real runner, one event after the other, on one pull request's life."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.github.payloads import called, closed, commented, dispatched, ended, reviewed, scheduled
from tests.runner.act import NEEDS, Runner, proposed

pytestmark = NEEDS


@pytest.mark.thorough
def test_from_a_dispatched_run_to_the_sweep(runner: Runner) -> None:
    world = runner.server.world
    job, number, branch = proposed(runner)
    assert (job.outputs["conclusion"], job.outputs["pull-request-operation"]) == ("proposed", "created")
    assert world.branch(branch) == job.outputs["pull-request-head-sha"]
    assert json.loads(job.outputs["pull-requests"])[0]["number"] == number
    assert job.outputs["pull-request-url"] in job.summary
    assert job.outputs["summary-file"].endswith("remediator-summary.md")
    [(kind, text)] = job.annotations
    assert kind == "notice"
    assert "awaiting review" in text

    world.comment(number, "ada", "/remediator explain")
    job = runner("follow-up", "issue_comment", commented(number, "/remediator explain"))
    assert (job.code, job.outputs["pull-request-operation"]) == (0, "updated"), job.said
    assert [content for content, _ in world.pulls[number].comments[0].reactions] == ["eyes", "rocket"]

    world.review(number, "ada", "CHANGES_REQUESTED", "/remediator help")
    job = runner("follow-up", "pull_request_review", reviewed(number, branch, "changes_requested", "/remediator help"))
    assert job.code == 0, job.said
    assert "/remediator use N" in world.pulls[number].comments[-1].body

    merge = world.merge(number, "ada")
    job = runner("follow-up", "pull_request", closed(number, branch, merged=merge))
    assert (job.code, job.outputs["conclusion"], job.outputs["verification-status"]) == (0, "verifying", "pending"), (
        job.said
    )
    assert "Waiting" in world.pulls[number].comments[-1].body
    assert world.branch(branch) == ""

    world.comment(number, "ada", "/remediator confirm")
    job = runner("verify", "schedule", scheduled())
    assert (job.code, job.outputs["conclusion"]) == (0, "resolved"), job.said


@pytest.mark.thorough
def test_a_merge_that_no_event_told_is_found_by_the_schedule(runner: Runner) -> None:
    _, number, _ = proposed(runner)
    runner.server.world.merge(number, "ada", method="squash")
    job = runner("remediate", "schedule", scheduled("11,41 * * * *"))
    assert (job.code, job.outputs["conclusion"], job.outputs["verification-status"]) == (0, "verifying", "pending"), (
        job.said
    )


@pytest.mark.thorough
def test_argo_cd_tells_that_it_has_synced(runner: Runner) -> None:
    _, number, _ = proposed(runner)
    merge = runner.server.world.merge(number, "ada")
    payload = called("argocd-sync", {"application": "checkout-production", "revision": merge})
    job = runner("follow-up", "repository_dispatch", payload)
    assert (job.code, job.outputs["conclusion"]) == (0, "verifying"), job.said


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("issue_comment", lambda: commented(7, "looks good to me")),
        ("issue_comment", lambda: commented(7, "/remediator use 2", pull=False)),
        ("pull_request", lambda: closed(7, "feature/x", merged="abc")),
        ("pull_request_review", lambda: reviewed(7, "feature/x", "approved")),
    ],
)
def test_chatter_costs_no_run(runner: Runner, event: str, payload: Any) -> None:
    job = runner("follow-up", event, payload())
    assert job.code == 0
    assert job.result("Follow up") == ""
    assert runner.server.journal == []


def test_a_failed_run_of_a_listed_workflow_is_looked_into(runner: Runner) -> None:
    for payload, word in (
        (ended(9, "deploy"), "proposed"),
        (ended(9, "deploy", "success"), ""),
        (ended(9, "deploy", head="mallory/gitops"), ""),
    ):
        job = runner("failed-run", "workflow_run", payload)
        assert job.code == 0, job.said
        assert job.outputs.get("conclusion", "") == word


def test_the_switch_stops_everything(runner: Runner) -> None:
    runner.variables["REMEDIATOR_OFF"] = "true"
    job = runner("remediate", "workflow_dispatch", dispatched(**{"log-artifact": "incident"}))
    assert (job.code, job.outputs["conclusion"]) == (0, "nothing")
    assert "Switched off" in job.summary
    assert runner.server.journal == []


@pytest.mark.thorough
def test_each_cluster_has_a_job_of_its_own(runner: Runner) -> None:
    policy = "targets:\n  prod-eu: {clusters: [eu]}\n  prod-us: {clusters: [us]}\n  drill: {clusters: [dr]}\n"
    runner.server.world.commit_files("main", {".github/remediator.yml": policy}, "Name the clusters")
    job = runner("clusters", "schedule", scheduled("11,41 * * * *"))
    assert job.code == 0, job.said
    names = {one["matrix"].get("target") for one in job.log if one.get("jobResult") == "success"}
    assert names == {None, "prod-eu", "prod-us", "drill"}


def test_without_targets_one_job_reads_what_the_environment_names(runner: Runner) -> None:
    job = runner("clusters", "schedule", scheduled("11,41 * * * *"))
    assert job.code == 0, job.said
    assert [one["matrix"] for one in job.log if one.get("jobResult") == "success"][1:] == [{"target": ""}]


def test_switched_off_no_cluster_has_a_job(runner: Runner) -> None:
    runner.variables["REMEDIATOR_OFF"] = "true"
    job = runner("clusters", "schedule", scheduled("11,41 * * * *"))
    assert job.code == 0, job.said
    assert [one["matrix"] for one in job.log if one.get("jobResult") == "success"] == [{}]
