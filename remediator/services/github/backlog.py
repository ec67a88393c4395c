"""The one issue that lists queued fixes, with a box for each; found by its label, so that it is made once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.domain.base import Value
from remediator.services.github.client import Unsure

if TYPE_CHECKING:
    from remediator.services.github.client import Client

log = logging.getLogger(__name__)

LABEL = "remediator-backlog"
TITLE = "Remediator: fixes that are held back"

_LISTED = """
query Backlog($owner: String!, $name: String!, $labels: [String!]) {
  repository(owner: $owner, name: $name) {
    issues(labels: $labels, first: 20, orderBy: {field: CREATED_AT, direction: ASC}) { nodes {
      number state body viewerDidAuthor editor { login }
    } }
  }
}"""


class BacklogEntry(Value):
    """The issue in its current state."""

    number: int
    body: str
    open: bool
    editor: str = ""
    """The login of the last editor; ticking a box edits the issue."""


@dataclass
class Backlog:
    """The backlog issue of one repository."""

    client: Client

    def find(self) -> BacklogEntry | None:
        """Return the oldest issue with the label that this account wrote."""
        nodes = self.client.graphql(_LISTED, {"labels": [LABEL]})["repository"]["issues"]["nodes"]
        mine = [node for node in nodes if node["viewerDidAuthor"]]
        return _entry_of(mine[0]) if mine else None

    def write(self, issue: BacklogEntry | None, body: str, *, empty: bool) -> int:
        """Create or update the issue; closed while nothing is queued. Returns its number, 0 where there is none.

        A repository without issues, or a token that may not write them, costs a warning and nothing else.
        """
        if issue is None:
            return 0 if empty else self._create(body)
        update = {"body": body, "state": "closed" if empty else "open"}
        if issue.body.strip() == body.strip() and issue.open is not empty:
            return issue.number
        return self._request("PATCH", f"/issues/{issue.number}", update, again=True)

    def _create(self, body: str) -> int:
        try:
            number = self._request("POST", "/issues", {"title": TITLE, "body": body, "labels": [LABEL]}, again=False)
        except Unsure:
            number = 0
        first = self.find()  # two runs at once make two: the older one stays
        if first and number and first.number != number:
            self._request("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "not_planned"}, again=True)
        return first.number if first else number

    def _request(self, method: str, path: str, body: dict[str, Any], *, again: bool) -> int:
        reply = self.client.rest(method, path, body, expect={403, 404, 410, 422}, again=again)
        if reply.status < 400:
            return int(reply.body["number"])
        hint = "" if reply.status == 422 else " (the job needs `issues: write`, and the repository issues)"
        log.warning("what is held back cannot be listed in an issue%s: %s", hint, reply.message)
        return 0


def _entry_of(node: dict[str, Any]) -> BacklogEntry:
    editor = node["editor"] or {}
    return BacklogEntry(
        number=node["number"], body=node["body"], open=node["state"] == "OPEN", editor=editor.get("login", "")
    )
