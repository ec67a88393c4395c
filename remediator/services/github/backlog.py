"""The one issue that lists what is held back, with a box for each; found by its label, so that it is made once."""

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
    """The issue as it stands."""

    number: int
    body: str
    open: bool
    editor: str = ""
    """Who edited it last; whoever ticks a box edits it."""


@dataclass
class Backlog:
    """The issue of one repository."""

    client: Client

    def find(self) -> BacklogEntry | None:
        """The oldest one that is ours."""
        nodes = self.client.graphql(_LISTED, {"labels": [LABEL]})["repository"]["issues"]["nodes"]
        mine = [one for one in nodes if one["viewerDidAuthor"]]
        return _listed(mine[0]) if mine else None

    def write(self, known: BacklogEntry | None, body: str, *, empty: bool) -> int:
        """Make it, or bring it up to date; closed while nothing is held. Its number, 0 where there is none.

        A repository without issues, or a token that may not write them, costs a warning and nothing else.
        """
        if known is None:
            return 0 if empty else self._made(body)
        wanted = {"body": body, "state": "closed" if empty else "open"}
        if known.body.strip() == body.strip() and known.open is not empty:
            return known.number
        return self._asked("PATCH", f"/issues/{known.number}", wanted, again=True)

    def _made(self, body: str) -> int:
        try:
            number = self._asked("POST", "/issues", {"title": TITLE, "body": body, "labels": [LABEL]}, again=False)
        except Unsure:
            number = 0
        first = self.find()  # two runs at once make two: the older one stays
        if first and number and first.number != number:
            self._asked("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "not_planned"}, again=True)
        return first.number if first else number

    def _asked(self, method: str, path: str, body: dict[str, Any], *, again: bool) -> int:
        reply = self.client.rest(method, path, body, expect={403, 404, 410, 422}, again=again)
        if reply.status < 400:
            return int(reply.body["number"])
        hint = "" if reply.status == 422 else " (the job needs `issues: write`, and the repository issues)"
        log.warning("what is held back cannot be listed in an issue%s: %s", hint, reply.message)
        return 0


def _listed(node: dict[str, Any]) -> BacklogEntry:
    editor = node["editor"] or {}
    return BacklogEntry(
        number=node["number"], body=node["body"], open=node["state"] == "OPEN", editor=editor.get("login", "")
    )
