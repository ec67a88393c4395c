"""What people did on a pull request, read from it in one request; and what we say there, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from remediator.domain.base import Value
from remediator.domain.change import PullRequest
from remediator.errors import RemediatorError
from remediator.services.github.client import Unsure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.services.github.client import Client

_WRITERS = frozenset({"admin", "maintain", "write"})

_SAID = "id author { __typename login } body lastEditedAt reactionGroups { content viewerHasReacted }"
_FIELDS = f"""
fragment activity on PullRequest {{
    id url state title body headRefName headRefOid baseRefName mergeCommit {{ oid }} mergedAt mergedBy {{ __typename login }}
    autoMergeRequest {{ enabledAt }}
    timelineItems(last: 1, itemTypes: [CLOSED_EVENT]) {{ nodes {{ ... on ClosedEvent {{ actor {{ __typename login }} }} }} }}
    labels(first: 50) {{ nodes {{ name }} }}
    reviewRequests(first: 20) {{ nodes {{ requestedReviewer {{
      ... on User {{ login }} ... on Team {{ combinedSlug }}
    }} }} }}
    comments(last: 100) {{ nodes {{ {_SAID} createdAt viewerDidAuthor }} }}
    reviews(last: 100) {{ nodes {{ {_SAID} submittedAt viewerDidAuthor state commit {{ oid }} }} }}
}}"""
ACTIVITY = f"""
query Activity($owner: String!, $name: String!, $number: Int!) {{
  repository(owner: $owner, name: $name) {{ id pullRequest(number: $number) {{ ...activity }} }}
}}{_FIELDS}"""
_REACT = """
mutation React($subject: ID!, $reaction: ReactionContent!) {
  addReaction(input: {subjectId: $subject, content: $reaction}) { clientMutationId }
}"""
_REPLY = """
mutation Reply($pull: ID!, $body: String!, $subject: ID!, $reaction: ReactionContent!) {
  addComment(input: {subjectId: $pull, body: $body}) { clientMutationId }
  addReaction(input: {subjectId: $subject, content: $reaction}) { clientMutationId }
}"""
_SAY = """
mutation Say($pull: ID!, $body: String!) {
  addComment(input: {subjectId: $pull, body: $body}) { clientMutationId }
}"""
_DONE = "{ clientMutationId }"
_EDIT = """
mutation Edit($comment: ID!, $body: String!) {
  updateIssueComment(input: {id: $comment, body: $body}) { clientMutationId }
}"""

AT_ONCE = 20
"""Pull requests in one request; GitHub bounds what one query may cost."""

Reaction = Literal["EYES", "ROCKET", "CONFUSED"]


class PostedComment(Value):
    """A comment or a review of somebody's."""

    id: str
    by: str
    body: str
    at: str
    """RFC 3339, UTC."""
    review: str = ""
    """APPROVED, CHANGES_REQUESTED, COMMENTED …; empty for a comment."""
    commit: str = ""
    """The head that was reviewed."""
    edited: bool = False
    bot: bool = False
    ours: bool = False
    answered: bool = False
    """We have set our last reaction on it."""


class Activity(Value):
    """A pull request as it stands and all that was said on it, oldest first."""

    id: str
    pull_request: PullRequest
    by: str = ""
    """Who merged or closed it; empty where a bot did."""
    merged_at: str = ""
    """RFC 3339, UTC; empty where it is not merged."""
    merges_itself: bool = False
    """GitHub will merge it when its rules are met."""
    labels: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    """People and teams (`org/team`) whose review is still awaited: the owners of the files among them."""
    said: tuple[PostedComment, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Who was asked for a review, reviewed, merged or closed it, each once."""
        spoke = [one.by for one in self.said if one.review and not (one.bot or one.ours)]
        return tuple(dict.fromkeys([*self.asked, *spoke, *([self.by] if self.by else [])]))

    def own(self, first_line: str) -> PostedComment | None:
        """Our comment that begins with this line."""
        return next((one for one in self.said if one.ours and one.body.split("\n", 1)[0].rstrip() == first_line), None)


@dataclass
class Conversation:
    """The words on pull requests of one repository."""

    client: Client
    _writes: dict[str, bool] = field(default_factory=dict, repr=False)
    _stuck: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    """What this run has written where, which an activity that was read before does not know."""

    def read(self, known: PullRequest) -> Activity:
        """The pull request now, of which only the number need be known; it and everything on it, in one request."""
        return _activity(known, self.client.graphql(ACTIVITY, {"number": known.number})["repository"]["pullRequest"])

    def read_all(self, numbers: Sequence[int]) -> dict[int, Activity]:
        """Many pull requests, as `read` gives them, in few requests; those that are not there are left out."""
        found: dict[int, Activity] = {}
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            names = ", ".join(f"$n{at}: Int!" for at in range(len(some)))
            fields = " ".join(f"p{at}: pullRequest(number: $n{at}) {{ ...activity }}" for at in range(len(some)))
            query = (
                f"query Activities($owner: String!, $name: String!, {names}) {{"
                f" repository(owner: $owner, name: $name) {{ id {fields} }} }}{_FIELDS}"
            )
            asked = {f"n{at}": number for at, number in enumerate(some)}
            data = self.client.graphql(query, asked, expect={"NOT_FOUND"})["repository"] or {}
            nodes = {number: data.get(f"p{at}") for at, number in enumerate(some)}
            found |= {number: _activity(unknown(number), node) for number, node in nodes.items() if node}
        return found

    def stick_all(self, notes: Sequence[tuple[Activity, str]]) -> list[RemediatorError | None]:
        """`stick` for many pull requests in few requests; for each the error that kept it from being written."""
        outcome: list[RemediatorError | None] = [None] * len(notes)
        due = [at for at, (activity, body) in enumerate(notes) if not self._says(activity, body)]
        self._stuck |= {(notes[at][0].id, notes[at][1].split("\n", 1)[0]): "" for at in due}
        for start in range(0, len(due), AT_ONCE):
            some = due[start : start + AT_ONCE]
            try:
                self._write([notes[at] for at in some])
            except RemediatorError:  # which of them were written is seen when each is read again
                for at in some:
                    outcome[at] = self._alone(*notes[at])
        return outcome

    def _says(self, activity: Activity, body: str) -> bool:
        known = activity.own(body.split("\n", 1)[0])
        return known is not None and known.body.strip() == body.strip()

    def _write(self, notes: Sequence[tuple[Activity, str]]) -> None:
        names, fields = [], []
        asked: dict[str, str] = {}
        for at, (activity, body) in enumerate(notes):
            known = activity.own(body.split("\n", 1)[0])
            verb = f"updateIssueComment(input: {{id: $i{at}, body: $b{at}}})" if known else ""
            fields.append(f"c{at}: {verb or f'addComment(input: {{subjectId: $i{at}, body: $b{at}}})'} {_DONE}")
            names.append(f"$i{at}: ID!, $b{at}: String!")
            asked |= {f"i{at}": known.id if known else activity.id, f"b{at}": body}
        self.client.graphql(f"mutation Notes({', '.join(names)}) {{ {' '.join(fields)} }}", asked, again=False)

    def _alone(self, activity: Activity, body: str) -> RemediatorError | None:
        try:
            self.stick(self.read(activity.pull_request), body)
        except RemediatorError as error:
            return error
        return None

    def may_command(self, login: str) -> bool:
        """Whether somebody can write to the repository, asked of the API: a payload says what its sender wants."""
        if login not in self._writes:
            reply = self.client.rest("GET", f"/collaborators/{login}/permission", expect={404})
            self._writes[login] = reply.status == 200 and reply.body["permission"] in _WRITERS
        return self._writes[login]

    def react(self, said: PostedComment, reaction: Reaction) -> None:
        """The same reaction twice is there once."""
        self.client.graphql(_REACT, {"subject": said.id, "reaction": reaction})

    def reply(self, activity: Activity, said: PostedComment, body: str, reaction: Reaction) -> None:
        """Answer somebody, and mark what they said as answered; the first line of `body` finds the answer again."""
        first = body.split("\n", 1)[0]
        if (activity.id, first) in self._stuck:
            return
        self._stuck[activity.id, first] = body
        if activity.own(first):
            self.react(said, reaction)
            return
        asked = {"pull": activity.id, "body": body, "subject": said.id, "reaction": reaction}
        try:
            self.client.graphql(_REPLY, asked, again=False)
        except Unsure:
            if not self.read(activity.pull_request).own(first):
                self.client.graphql(_REPLY, asked, again=False)
            else:
                self.react(said, reaction)

    def label(self, activity: Activity, name: str) -> None:
        """Put a label on it; a second time changes nothing."""
        path = f"/issues/{activity.pull_request.number}/labels"
        self.client.rest("POST", path, {"labels": [name]}, expect={403, 404, 410, 422}, again=True)

    def stick(self, activity: Activity, body: str) -> None:
        """The one comment that begins as `body` does, made or edited in place; untouched where it says so already."""
        first = body.split("\n", 1)[0]
        key = (activity.id, first)
        if self._stuck.get(key, "").strip() == body.strip():
            return
        known = (self.read(activity.pull_request) if key in self._stuck else activity).own(first)
        self._stuck[key] = body
        if known is None:
            try:
                self.client.graphql(_SAY, {"pull": activity.id, "body": body}, again=False)
            except Unsure:
                if not self.read(activity.pull_request).own(first):
                    self.client.graphql(_SAY, {"pull": activity.id, "body": body}, again=False)
        elif known.body.strip() != body.strip():
            self.client.graphql(_EDIT, {"comment": known.id, "body": body})


def _activity(known: PullRequest, node: Mapping[str, Any]) -> Activity:
    closers = [one["actor"] for one in node["timelineItems"]["nodes"] if one.get("actor")]
    ended = node["mergedBy"] or (closers[-1] if closers else None) or {}
    update: dict[str, Any] = {
        "branch": node["headRefName"],
        "head": node["headRefOid"],
        "base": node["baseRefName"],
        "state": node["state"].lower(),
        "url": node["url"],
        "title": known.title or node["title"],
        "body": known.body or node["body"],
    }
    if update["state"] == "merged":
        update["merge_commit"] = (node["mergeCommit"] or {}).get("oid") or node["headRefOid"]
    said = [_said(one, one["createdAt"]) for one in node["comments"]["nodes"]]
    said += [_said(one, one["submittedAt"]) for one in node["reviews"]["nodes"] if one["submittedAt"]]
    return Activity(
        id=node["id"],
        pull_request=known.model_copy(update=update),
        by=ended.get("login", "") if update["state"] != "open" and ended.get("__typename") != "Bot" else "",
        merged_at=node["mergedAt"] or "",
        merges_itself=bool(node["autoMergeRequest"]),
        labels=tuple(one["name"] for one in node["labels"]["nodes"]),
        asked=tuple(
            who.get("login") or who.get("combinedSlug", "")
            for one in node["reviewRequests"]["nodes"]
            if (who := one["requestedReviewer"])
        ),
        said=tuple(sorted(said, key=lambda one: one.at)),
    )


def unknown(number: int) -> PullRequest:
    """A pull request of which only the number is known."""
    return PullRequest(branch="", base="", title="", body="", number=number)


def _said(node: Mapping[str, Any], at: str) -> PostedComment:
    author = node["author"] or {}
    reacted = {one["content"] for one in node["reactionGroups"] or () if one["viewerHasReacted"]}
    return PostedComment(
        id=node["id"],
        by=author.get("login", ""),
        body=node["body"],
        at=at,
        review=node.get("state", ""),
        commit=(node.get("commit") or {}).get("oid", ""),
        edited=bool(node["lastEditedAt"]),
        bot=author.get("__typename") == "Bot",
        ours=node["viewerDidAuthor"],
        answered=bool(reacted & {"ROCKET", "CONFUSED"}),
    )
