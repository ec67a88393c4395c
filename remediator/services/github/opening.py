"""From a branch to a pull request that people see: searched for first, opened once, labelled, shown to its reviewers."""

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

LIMIT = 65_000
"""Characters of a body; GitHub refuses more than 65,536."""


class PullRequestRequest(Value):
    """What a pull request gets beside its change, as the workflow's inputs say."""

    labels: tuple[str, ...] = ("remediator",)
    reviewers: tuple[str, ...] = ()
    team_reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    draft: bool = False
    """Urgent ones are never drafts."""


@dataclass
class PullRequestOpener:
    """The pull-request side of the forge."""

    client: Client
    wanted: PullRequestRequest

    def open(self, change: Change, branch: Branch, *, made: bool = False) -> PullRequest:
        """The branch's open pull request, brought up to date, or a new one; `made`: this run made the branch."""
        if branch.pull and branch.pull.state == "OPEN":
            if words := self.words(change, branch):
                self.client.rest("PATCH", f"/pulls/{branch.pull.number}", words, again=True)
            number, url = branch.pull.number, branch.pull.url
            labels, asked, assigned = branch.pull.labels, branch.pull.asked, branch.pull.assignees
        else:
            number, url = self._create(change, branch, made=made)
            labels, asked, assigned = (), False, ()
        self._dress(number, labels, assigned)
        if not asked:
            self._ask(number, owners(branch.codeowners, list(change.files)))
        return PullRequest(
            branch=change.branch,
            base=change.base.branch,
            title=change.title,
            body=change.body,
            head=branch.head,
            number=number,
            url=url,
        )

    def look(self, known: PullRequest) -> PullRequest:
        """The pull request as it is now; found by its branch where its number is not known."""
        if known.number:
            body = self.client.rest("GET", f"/pulls/{known.number}").body
        else:
            body = self._search(known.branch, known.base, "all")
            if body is None:
                return known.model_copy(update={"state": "closed"})
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
        return known.model_copy(update=update)

    def words(self, change: Change, branch: Branch) -> dict[str, str]:
        """What the open pull request should say and does not: title, body, base."""
        pull = branch.pull
        if pull is None or pull.state != "OPEN":
            return {}
        new = {"title": change.title, "body": _body(change, branch.template), "base": change.base.branch}
        old = {"title": pull.title, "body": pull.body, "base": pull.base}
        return {key: text for key, text in new.items() if text != old[key]}

    # inside

    def _create(self, change: Change, branch: Branch, *, made: bool) -> tuple[int, str]:
        """Open it; where the answer was lost or somebody was faster, the one that is there."""
        draft = self.wanted.draft and not change.urgent
        for last in (False, True):
            try:
                reply = self._post(change, branch.template, draft=draft)
            except Unsure:
                if found := self._search(change.branch, change.base.branch, "open"):
                    return int(found["number"]), str(found["html_url"])
                if last:
                    raise
                continue
            if reply.status == 201:
                return int(reply.body["number"]), str(reply.body["html_url"])
            if found := self._search(change.branch, change.base.branch, "open"):
                return int(found["number"]), str(found["html_url"])
            if not (draft and "raft" in reply.message):
                raise self._refused(change, branch.head, reply, made=made)
            draft = False
        raise ConflictError(f"a pull request of {change.branch} cannot be opened")

    def _post(self, change: Change, template: str, *, draft: bool) -> Reply:
        wanted = {
            "title": change.title,
            "head": change.branch,
            "base": change.base.branch,
            "body": _body(change, template),
            "draft": draft,
            "maintainer_can_modify": True,
        }
        return self.client.rest("POST", "/pulls", wanted, expect={403, 422}, again=False)

    def _refused(self, change: Change, head: str, reply: Reply, *, made: bool) -> RemediatorError:
        """A branch without a pull request helps nobody: it goes at once if this run made it."""
        if made:
            self.client.rest("DELETE", f"/git/refs/heads/{change.branch}", expect={403, 404, 409, 422})
        log.info("%s at %s cannot become a pull request: %s", change.branch, head[:9], reply.message)
        if "not permitted to create" in reply.message:
            where = "Settings → Actions → General → Allow GitHub Actions to create and approve pull requests"
            return ConfigError(
                f"GitHub does not let workflows open pull requests: tick {where}, or give an App's token"
            )
        if reply.status == 403:
            return ConfigError(
                f"GitHub forbids the pull request ({reply.message}): the job needs `pull-requests: write`"
            )
        if "No commits between" in reply.message:
            return ConflictError(f"{change.base.branch} already holds {change.branch}")
        return ServiceError(f"GitHub refuses the pull request of {change.branch}: {reply.message}")

    def _search(self, branch: str, base: str, state: str) -> Mapping[str, Any] | None:
        asked = {"head": f"{self.client.owner}:{branch}", "base": base, "state": state}
        rows: list[Mapping[str, Any]] = self.client.rest("GET", "/pulls", params=asked).body
        return next(iter(sorted(rows, key=lambda one: one["state"] != "open")), None)

    def _dress(self, number: int, labels: Sequence[str], assigned: Sequence[str]) -> None:
        """Labels and assignees that are missing; none is worth losing a pull request over."""
        if missing := [name for name in self.wanted.labels if name not in labels]:
            self._try("labels", f"/issues/{number}/labels", {"labels": missing})
        if who := [login for login in self.wanted.assignees if login not in assigned]:
            self._try("assignees", f"/issues/{number}/assignees", {"assignees": who})

    def _ask(self, number: int, found: Owners) -> None:
        """Reviewers that the workflow names, and the owners of the files; all at once where GitHub takes them so."""
        people = list(dict.fromkeys((*self.wanted.reviewers, *found.people)))[:15]
        teams = list(dict.fromkeys((*self.wanted.team_reviewers, *found.teams)))[:15]
        if not (people or teams):
            return
        path = f"/pulls/{number}/requested_reviewers"
        both: dict[str, Any] = {"reviewers": people} | ({"team_reviewers": teams} if teams else {})
        if self._try("reviewers", path, both, quiet=len(people) + len(teams) > 1) or len(people) + len(teams) == 1:
            return
        for login in people:  # one that cannot be asked spoils the request for all
            self._try(f"reviewer {login}", path, {"reviewers": [login]})
        for team in teams:
            self._try(f"team {team} (a workflow's own token cannot ask teams)", path, {"team_reviewers": [team]})

    def _try(self, what: str, path: str, body: Mapping[str, Any], *, quiet: bool = False) -> bool:
        reply = self.client.rest("POST", path, body, expect={403, 404, 410, 422}, again=True)
        if reply.status >= 400 and not quiet:
            log.warning("GitHub does not take the %s: %s", what, reply.message)
        return reply.status < 400


def _body(change: Change, template: str) -> str:
    kept = f"{change.body}\n\n{template}\n" if template else change.body
    return kept if len(kept) <= LIMIT else change.body[:LIMIT]
