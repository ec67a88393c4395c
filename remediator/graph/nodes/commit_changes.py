"""Publish the change: one branch, one commit, one pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.lifecycle import Base, Change
from remediator.domain.times import stamp
from remediator.graph.state import IncidentState, all_changes, chosen, remember

if TYPE_CHECKING:
    from remediator.domain.change import PullRequest
    from remediator.domain.ports import Clock, Forge, Planner


def commit_changes(state: IncidentState, *, forge: Forge, planner: Planner, now: Clock) -> IncidentState:
    """Open the pull request, or adopt the one that a killed run has left; merge it where the policy allows."""
    pull, proposal = state["pull_request"], chosen(state)
    if pull is None or proposal is None:
        raise AssertionError("a change is committed after it was generated")
    second = state.get("second")
    draft = bool(second and second.draft)
    sure = proposal.source != "model" and not draft
    merges_itself = sure and state["error_severity"] == "warning" and planner.merges_itself(proposal.action)
    published = forge.publish(
        Change(
            incident_id=state["incident_id"],
            branch=pull.branch,
            base=Base(branch=pull.base, commit=state["incident"].base_commit),
            title=pull.title,
            body=pull.body,
            message=state["commit_message"],
            files=all_changes(state),
            urgent=state["error_severity"] == "critical" and not draft,
            merge=merges_itself,
            draft=draft,
            by_model=draft and proposal.source == "model",
        )
    )
    if merges_itself:
        published = forge.merge_when_ready(published)
    return IncidentState(
        pull_request=published,
        commit_hash=published.head,
        incident=state["incident"].model_copy(update={"opening": ""}),
        workflow_status="verifying" if published.state == "merged" else "awaiting_review",
        user_feedback_history=remember(
            state,
            kind="proposed",
            action=proposal.id,
            branch=published.branch,
            commit=published.head,
            url=published.url,
            at=stamp(now()) if not pull.head else "",
        ),
    )


def join_pull_request(state: IncidentState, pull: PullRequest, at: str) -> IncidentState:
    """Return the update of this node where another incident's pull request already makes the same change."""
    return IncidentState(
        pull_request=pull,
        commit_hash=pull.head,
        incident=state["incident"].model_copy(update={"opening": ""}),
        workflow_status="awaiting_review",
        user_feedback_history=remember(
            state, kind="joined", action=state["incident"].chosen, branch=pull.branch, url=pull.url, at=at
        ),
    )


def queue_change(state: IncidentState, why: str) -> IncidentState:
    """Return the update of this node for a queued change: no branch is recorded, and the proposals stay to continue with."""
    return IncidentState(
        pull_request=None,
        git_changes={},
        commit_message="",
        workflow_status="recorded",
        incident=state["incident"].model_copy(update={"held": why, "opening": "", "reason": f"queued: {why}"}),
    )
