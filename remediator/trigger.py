"""The work that an event asks for.

Events are hints: they may be lost, repeated or late. This pure function only decides where to look; the pull request
itself is then read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from remediator.domain.base import Value

Mode = Literal["auto", "run", "verify", "targets"]


class Start(Value):
    """Read logs and open incidents."""

    source: Literal["inputs", "alert", "workflow_run"]
    """`inputs`: what the workflow's inputs name; `alert`: the payload's alerts; `workflow_run`: that run's artifact."""
    run_id: int = 0
    alerts: Mapping[str, Any] = Field(default_factory=dict)


class Resume(Value):
    """Bring one pull request's incident up to date; number 0: the incidents of the named Application."""

    pull_request: int = 0
    application: str = ""
    revision: str = ""
    why: str


class Sweep(Value):
    """Bring all open incidents up to date, then start the polled sources where `start` says so."""

    start: bool = False


class ListTargets(Value):
    """Name the clusters, as the matrix of the jobs that follow."""


class Ignore(Value):
    """Do nothing; the reason is shown in the job summary."""

    why: str


Decision = Start | Resume | Sweep | ListTargets | Ignore

COMMAND = "/remediator"
BACKLOG = "<!-- remediator:backlog"


def decide(
    event: str,
    payload: Mapping[str, Any],
    mode: Mode = "auto",
    *,
    workflows: tuple[str, ...] = (),
    repository: str = "",
) -> Decision:
    """Return the work for this event. `workflows` is the allow-list for `workflow_run`, `repository` our own `owner/name`."""
    if mode == "verify":
        return Sweep()
    if mode == "targets":
        return ListTargets()
    match event, payload:
        case "workflow_dispatch", _:
            return Start(source="inputs")
        case "schedule", _:
            return Start(source="inputs") if mode == "run" else Sweep(start=True)
        case "repository_dispatch", {"action": "alert", "client_payload": dict(alerts)}:
            return _alerted(alerts)
        case "repository_dispatch", {"action": "argocd-sync", "client_payload": dict(sync)}:
            return _synced(sync)
        case "workflow_run", {"action": "completed", "workflow_run": dict(run)}:
            return _failed_run(run, workflows, repository)
        case "pull_request", {"action": "closed", "pull_request": dict(pull)}:
            return _closed(pull)
        case "pull_request_review", {"action": "submitted", "pull_request": dict(pull), "review": dict(review)}:
            return _reviewed(pull, review)
        case "issues", {"action": "edited", "issue": dict(issue)}:
            return _ticked(issue, payload.get("sender"))
        case "issue_comment", {"action": "created", "issue": dict(issue), "comment": dict(comment)}:
            return _commented(issue, comment)
        case _:
            action = payload.get("action")
            return Ignore(why=f"nothing to do for {event}{f' ({action})' if action else ''}")


def ours(branch: str) -> bool:
    """Return whether a branch is one of Remediator's."""
    return branch.startswith("remediator/")


def _alerted(alerts: Mapping[str, Any]) -> Decision:
    """Start from the alerts; a group whose alerts are all resolved is a reason to check the open incidents."""
    message = alerts.get("payload", alerts.get("body", alerts))
    over = isinstance(message, Mapping) and message.get("status") == "resolved"
    return Sweep() if over else Start(source="alert", alerts=dict(alerts))


def _closed(pull: Mapping[str, Any]) -> Decision:
    if not ours(_head(pull)):
        return Ignore(why="the pull request is not Remediator's")
    ending = "merged" if pull.get("merged") else "closed"
    return Resume(
        pull_request=_number(pull),
        why=ending,
        revision=str(pull.get("merge_commit_sha") or "") if ending == "merged" else "",
    )


def _reviewed(pull: Mapping[str, Any], review: Mapping[str, Any]) -> Decision:
    if not ours(_head(pull)):
        return Ignore(why="the pull request is not Remediator's")
    state = str(review.get("state", "")).lower()
    if state not in ("approved", "changes_requested") and not _is_command(review):
        return Ignore(why=f"a review that says {state or 'nothing'} asks for nothing")
    return Resume(pull_request=_number(pull), why=f"review: {state}")


def _commented(issue: Mapping[str, Any], comment: Mapping[str, Any]) -> Decision:
    if "pull_request" not in issue:
        return Ignore(why="a comment on an issue, not on a pull request")
    if not _is_command(comment):
        return Ignore(why=f"the comment does not start with {COMMAND}")
    author = comment.get("user")
    if isinstance(author, Mapping) and author.get("type") == "Bot":
        return Ignore(why="a bot's comment is no command")
    return Resume(pull_request=_number(issue), why="command")


def _ticked(issue: Mapping[str, Any], sender: Any) -> Decision:
    """Sweep after a person has ticked a box of the list of queued fixes; our own edits are ignored."""
    if not str(issue.get("body") or "").startswith(BACKLOG):
        return Ignore(why="the issue is not Remediator's list of queued fixes")
    if not isinstance(sender, Mapping) or sender.get("type") != "User":
        return Ignore(why="only people tick boxes")
    return Sweep()


def _synced(sync: Mapping[str, Any]) -> Decision:
    name = str(sync.get("application") or sync.get("app") or "")
    if not name:
        return Ignore(why="the argocd-sync payload names no application")
    return Resume(application=name, revision=str(sync.get("revision") or ""), why="argocd-sync")


def _failed_run(run: Mapping[str, Any], workflows: tuple[str, ...], repository: str) -> Decision:
    """Start from a failed run of this repository's own code, if its workflow is on the user's list."""
    if run.get("conclusion") != "failure":
        return Ignore(why=f"the run concluded {run.get('conclusion') or 'in nothing'}, not in failure")
    head = run.get("head_repository")
    name = head.get("full_name") if isinstance(head, Mapping) else ""
    if not repository or name != repository:
        return Ignore(why="the run's head is another repository")
    if run.get("name") not in workflows:
        return Ignore(why=f"the workflow {run.get('name')!r} is not on the allow-list")
    return Start(source="workflow_run", run_id=_number(run, "id"))


def _is_command(body: Mapping[str, Any]) -> bool:
    text = str(body.get("body") or "").lstrip()
    return text == COMMAND or text.startswith((f"{COMMAND} ", f"{COMMAND}\n", f"{COMMAND}\r"))


def _head(pull: Mapping[str, Any]) -> str:
    head = pull.get("head")
    return str(head.get("ref", "")) if isinstance(head, Mapping) else ""


def _number(body: Mapping[str, Any], key: str = "number") -> int:
    value = body.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
