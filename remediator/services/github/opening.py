"""Opening a pull request from a branch: searched for first, opened once, labelled, shown to its reviewers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.domain.base import Value
from remediator.domain.change import PullRequest
from remediator.errors import ConfigError, ConflictError, RemediatorError, ServiceError
from remediator.services.github.client import Reply, Unsure
from remediator.services.github.owners import Owners, owners
from remediator.services.github.queries import Branch

if TYPE_CHECKING:
    from remediator.domain.lifecycle import Change
    from remediator.services.github.client import Client

log = logging.getLogger(__name__)

MODEL_LABEL = "model-proposed"
"""The label of a change by a model that nothing confirms."""
LIMIT = 65_000
"""Characters of a body; GitHub refuses more than 65,536."""


class PullRequestRequest(Value):
    """The fields of a pull request beside its change, from the workflow's inputs."""

    labels: tuple[str, ...] = ("remediator",)
    reviewers: tuple[str, ...] = ()
    team_reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    draft: bool = False
    """True for drafts; an urgent pull request is never a draft."""


@dataclass
class PullRequestOpener:
    """The pull-request side of the forge."""

    client: Client
    request: PullRequestRequest

    def open(self, change: Change, branch: Branch, *, created: bool = False) -> PullRequest:
        """Update the branch's open pull request, or open a new one; `created`: this run created the branch."""
        if branch.pull and branch.pull.state == "OPEN":
            if words := self.outdated_fields(change, branch):
                self.client.rest("PATCH", f"/pulls/{branch.pull.number}", words, again=True)
            number, url = branch.pull.number, branch.pull.url
            labels, review_requested, assigned = branch.pull.labels, branch.pull.review_requested, branch.pull.assignees
        else:
            number, url = self._create(change, branch, created=created)
            labels, review_requested, assigned = (), False, ()
        self._add_labels(number, labels, assigned, (MODEL_LABEL,) if change.by_model else ())
        if not review_requested:
            self._request_reviewers(number, owners(branch.codeowners, list(change.files)))
        return PullRequest(
            branch=change.branch,
            base=change.base.branch,
            title=change.title,
            body=change.body,
            head=branch.head,
            number=number,
            url=url,
        )

    def look(self, pull_request: PullRequest) -> PullRequest:
        """Return the pull request in its current state; found by its branch where its number is not known."""
        if pull_request.number:
            body = self.client.rest("GET", f"/pulls/{pull_request.number}").body
        else:
            body = self._search(pull_request.branch, pull_request.base, "all")
            if body is None:
                return pull_request.model_copy(update={"state": "closed"})
        self.client.node_id = body["base"]["repo"]["node_id"]
        merged = bool(body.get("merged") or body.get("merged_at"))
        update: dict[str, Any] = {
            "number": body["number"],
            "url": body["html_url"],
            "head": body["head"]["sha"],
            "base": body["base"]["ref"],
            "state": "merged" if merged else body["state"],
        }
        if merged:
            update["merge_commit"] = body["merge_commit_sha"] or body["head"]["sha"]
        return pull_request.model_copy(update=update)

    def outdated_fields(self, change: Change, branch: Branch) -> dict[str, str]:
        """Return the fields of the open pull request that are out of date: title, body, base."""
        pull = branch.pull
        if pull is None or pull.state != "OPEN":
            return {}
        new = {"title": change.title, "body": _body(change, branch.template), "base": change.base.branch}
        old = {"title": pull.title, "body": pull.body, "base": pull.base}
        return {key: text for key, text in new.items() if text != old[key]}

    # inside

    def _create(self, change: Change, branch: Branch, *, created: bool) -> tuple[int, str]:
        """Open it; where the answer was lost or somebody was faster, return the existing one."""
        draft = change.draft or (self.request.draft and not change.urgent)
        for last in (False, True):
            try:
                reply = self._post(change, branch.template, draft=draft)
            except Unsure:
                if existing := self._search(change.branch, change.base.branch, "open"):
                    return int(existing["number"]), str(existing["html_url"])
                if last:
                    raise
                continue
            if reply.status == 201:
                return int(reply.body["number"]), str(reply.body["html_url"])
            if existing := self._search(change.branch, change.base.branch, "open"):
                return int(existing["number"]), str(existing["html_url"])
            if not (draft and "raft" in reply.message):
                raise self._refusal(change, branch.head, reply, created=created)
            draft = False
        raise ConflictError(f"a pull request of {change.branch} cannot be opened")

    def _post(self, change: Change, template: str, *, draft: bool) -> Reply:
        body = {
            "title": change.title,
            "head": change.branch,
            "base": change.base.branch,
            "body": _body(change, template),
            "draft": draft,
            "maintainer_can_modify": True,
        }
        return self.client.rest("POST", "/pulls", body, expect={403, 422}, again=False)

    def _refusal(self, change: Change, head: str, reply: Reply, *, created: bool) -> RemediatorError:
        """Return the error of a refusal; a branch that this run created is deleted, since it has no use alone."""
        if created:
            self.client.rest("DELETE", f"/git/refs/heads/{change.branch}", expect={403, 404, 409, 422})
        log.info("%s at %s cannot become a pull request: %s", change.branch, head[:9], reply.message)
        if "not permitted to create" in reply.message:
            setting = "Settings → Actions → General → Allow GitHub Actions to create and approve pull requests"
            return ConfigError(
                f"GitHub does not let workflows open pull requests: tick {setting}, or give an App's token"
            )
        if reply.status == 403:
            return ConfigError(
                f"GitHub forbids the pull request ({reply.message}): the job needs `pull-requests: write`"
            )
        if "No commits between" in reply.message:
            return ConflictError(f"{change.base.branch} already holds {change.branch}")
        return ServiceError(f"GitHub refuses the pull request of {change.branch}: {reply.message}")

    def _search(self, branch: str, base: str, state: str) -> Mapping[str, Any] | None:
        parameters = {"head": f"{self.client.owner}:{branch}", "base": base, "state": state}
        rows: list[Mapping[str, Any]] = self.client.rest("GET", "/pulls", params=parameters).body
        return next(iter(sorted(rows, key=lambda row: row["state"] != "open")), None)

    def _add_labels(self, number: int, labels: Sequence[str], assigned: Sequence[str], more: Sequence[str]) -> None:
        """Add missing labels and assignees; a failure here does not fail the pull request."""
        if missing := [name for name in (*self.request.labels, *more) if name not in labels]:
            self._try("labels", f"/issues/{number}/labels", {"labels": missing})
        if assignees := [login for login in self.request.assignees if login not in assigned]:
            self._try("assignees", f"/issues/{number}/assignees", {"assignees": assignees})

    def _request_reviewers(self, number: int, file_owners: Owners) -> None:
        """Request the workflow's reviewers and the owners of the files, all in one request where GitHub accepts it."""
        people = list(dict.fromkeys((*self.request.reviewers, *file_owners.people)))[:15]
        teams = list(dict.fromkeys((*self.request.team_reviewers, *file_owners.teams)))[:15]
        if not (people or teams):
            return
        path = f"/pulls/{number}/requested_reviewers"
        body: dict[str, Any] = {"reviewers": people} | ({"team_reviewers": teams} if teams else {})
        if self._try("reviewers", path, body, quiet=len(people) + len(teams) > 1) or len(people) + len(teams) == 1:
            return
        for login in people:  # one that cannot be asked spoils the request for all
            self._try(f"reviewer {login}", path, {"reviewers": [login]})
        for team in teams:
            self._try(f"team {team} (a workflow's own token cannot ask teams)", path, {"team_reviewers": [team]})

    def _try(self, title: str, path: str, body: Mapping[str, Any], *, quiet: bool = False) -> bool:
        reply = self.client.rest("POST", path, body, expect={403, 404, 410, 422}, again=True)
        if reply.status >= 400 and not quiet:
            log.warning("GitHub does not take the %s: %s", title, reply.message)
        return reply.status < 400


def _body(change: Change, template: str) -> str:
    text = f"{change.body}\n\n{template}\n" if template else change.body
    return text if len(text) <= LIMIT else change.body[:LIMIT]
