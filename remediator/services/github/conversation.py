"""The conversation on a pull request: all comments and reviews in one request, and replies that are written once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from remediator.domain.base import Value
from remediator.domain.change import PullRequest
from remediator.errors import RemediatorError
from remediator.services.github.batches import batches, declarations, numbered, numbered_fields
from remediator.services.github.client import Unsure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.services.github.client import Client

_WRITERS = frozenset({"admin", "maintain", "write"})

_COMMENT_FIELDS = "id author { __typename login } body lastEditedAt reactionGroups { content viewerHasReacted }"
_FIELDS = f"""
fragment activity on PullRequest {{
    id url state title body headRefName headRefOid baseRefName mergeCommit {{ oid }} mergedAt mergedBy {{ __typename login }}
    autoMergeRequest {{ enabledAt }}
    timelineItems(last: 1, itemTypes: [CLOSED_EVENT]) {{ nodes {{ ... on ClosedEvent {{ actor {{ __typename login }} }} }} }}
    labels(first: 50) {{ nodes {{ name }} }}
    reviewRequests(first: 20) {{ nodes {{ requestedReviewer {{
      ... on User {{ login }} ... on Team {{ combinedSlug }}
    }} }} }}
    comments(last: 100) {{ nodes {{ {_COMMENT_FIELDS} createdAt viewerDidAuthor }} }}
    reviews(last: 100) {{ nodes {{ {_COMMENT_FIELDS} submittedAt viewerDidAuthor state commit {{ oid }} }} }}
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
_ADD_COMMENT = """
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
    """A comment or a review."""

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
    handled: bool = False
    """True where our final reaction is on it."""


class Activity(Value):
    """A pull request in its current state and all comments on it, oldest first."""

    id: str
    pull_request: PullRequest
    by: str = ""
    """The login of the person who merged or closed it; empty where a bot did."""
    merged_at: str = ""
    """RFC 3339, UTC; empty where it is not merged."""
    merges_itself: bool = False
    """GitHub will merge it when its rules are met."""
    labels: tuple[str, ...] = ()
    requested_reviewers: tuple[str, ...] = ()
    """People and teams (`org/team`) whose review is pending: the owners of the files among them."""
    comments: tuple[PostedComment, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """The people who were asked for a review, reviewed, merged or closed it, each once."""
        spoke = [comment.by for comment in self.comments if comment.review and not (comment.bot or comment.ours)]
        return tuple(dict.fromkeys([*self.requested_reviewers, *spoke, *([self.by] if self.by else [])]))

    def own_comment(self, first_line: str) -> PostedComment | None:
        """Return our comment that begins with this line."""
        return next(
            (
                comment
                for comment in self.comments
                if comment.ours and comment.body.split("\n", 1)[0].rstrip() == first_line
            ),
            None,
        )


@dataclass
class Conversation:
    """The comments on pull requests of one repository."""

    client: Client
    _writes: dict[str, bool] = field(default_factory=dict, repr=False)
    _written_comments: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    """The comments that this run has written, which an activity that was read earlier does not hold."""

    def read(self, pull_request: PullRequest) -> Activity:
        """Return the pull request and everything on it in one request; only its number must be known."""
        return _activity(
            pull_request, self.client.graphql(ACTIVITY, {"number": pull_request.number})["repository"]["pullRequest"]
        )

    def read_all(self, numbers: Sequence[int]) -> dict[int, Activity]:
        """Return many pull requests, as `read` gives them, in few requests; missing ones are left out."""
        activities: dict[int, Activity] = {}
        for batch in batches(numbers, AT_ONCE):
            pulls = numbered_fields(len(batch), "pullRequest(number: $item) { ...activity }")
            query = (
                f"query Activities($owner: String!, $name: String!{declarations(len(batch), 'Int!')}) {{"
                f" repository(owner: $owner, name: $name) {{ id {pulls} }} }}{_FIELDS}"
            )
            data = self.client.graphql(query, numbered(batch), expect={"NOT_FOUND"})["repository"] or {}
            nodes = {number: data.get(name) for name, number in numbered(batch).items()}
            activities |= {number: _activity(unknown(number), node) for number, node in nodes.items() if node}
        return activities

    def upsert_comments(self, notes: Sequence[tuple[Activity, str]]) -> list[RemediatorError | None]:
        """Call `upsert_comment` for many pull requests in few requests; returns the error of each, or None."""
        outcome: list[RemediatorError | None] = [None] * len(notes)
        due = [at for at, (activity, body) in enumerate(notes) if not self._is_current(activity, body)]
        self._written_comments |= {(notes[at][0].id, notes[at][1].split("\n", 1)[0]): "" for at in due}
        for batch in batches(due, AT_ONCE):
            try:
                self._write([notes[at] for at in batch])
            except RemediatorError:  # which of them were written is seen when each is read again
                for at in batch:
                    outcome[at] = self._write_one(*notes[at])
        return outcome

    def _is_current(self, activity: Activity, body: str) -> bool:
        comment = activity.own_comment(body.split("\n", 1)[0])
        return comment is not None and comment.body.strip() == body.strip()

    def _write(self, notes: Sequence[tuple[Activity, str]]) -> None:
        names, fields = [], []
        variables: dict[str, str] = {}
        for at, (activity, body) in enumerate(notes):
            comment = activity.own_comment(body.split("\n", 1)[0])
            verb = f"updateIssueComment(input: {{id: $i{at}, body: $b{at}}})" if comment else ""
            fields.append(f"c{at}: {verb or f'addComment(input: {{subjectId: $i{at}, body: $b{at}}})'} {_DONE}")
            names.append(f"$i{at}: ID!, $b{at}: String!")
            variables |= {f"i{at}": comment.id if comment else activity.id, f"b{at}": body}
        self.client.graphql(f"mutation Notes({', '.join(names)}) {{ {' '.join(fields)} }}", variables, again=False)

    def _write_one(self, activity: Activity, body: str) -> RemediatorError | None:
        try:
            self.upsert_comment(self.read(activity.pull_request), body)
        except RemediatorError as error:
            return error
        return None

    def may_command(self, login: str) -> bool:
        """Return whether somebody has write access, checked through the API: a payload says what its sender wants."""
        if login not in self._writes:
            reply = self.client.rest("GET", f"/collaborators/{login}/permission", expect={404})
            self._writes[login] = reply.status == 200 and reply.body["permission"] in _WRITERS
        return self._writes[login]

    def react(self, comment: PostedComment, reaction: Reaction) -> None:
        """Add a reaction; adding it twice has no further effect."""
        self.client.graphql(_REACT, {"subject": comment.id, "reaction": reaction})

    def reply(self, activity: Activity, comment: PostedComment, body: str, reaction: Reaction) -> None:
        """Reply to a comment and mark it as answered; the first line of `body` identifies the reply."""
        first = body.split("\n", 1)[0]
        if (activity.id, first) in self._written_comments:
            return
        self._written_comments[activity.id, first] = body
        if activity.own_comment(first):
            self.react(comment, reaction)
            return
        variables = {"pull": activity.id, "body": body, "subject": comment.id, "reaction": reaction}
        try:
            self.client.graphql(_REPLY, variables, again=False)
        except Unsure:
            if not self.read(activity.pull_request).own_comment(first):
                self.client.graphql(_REPLY, variables, again=False)
            else:
                self.react(comment, reaction)

    def label(self, activity: Activity, name: str) -> None:
        """Add a label; a second time changes nothing."""
        path = f"/issues/{activity.pull_request.number}/labels"
        self.client.rest("POST", path, {"labels": [name]}, expect={403, 404, 410, 422}, again=True)

    def upsert_comment(self, activity: Activity, body: str) -> None:
        """Write or edit the one comment that begins as `body` does; unchanged where it already has this text."""
        first = body.split("\n", 1)[0]
        key = (activity.id, first)
        if self._written_comments.get(key, "").strip() == body.strip():
            return
        comment = (self.read(activity.pull_request) if key in self._written_comments else activity).own_comment(first)
        self._written_comments[key] = body
        if comment is None:
            try:
                self.client.graphql(_ADD_COMMENT, {"pull": activity.id, "body": body}, again=False)
            except Unsure:
                if not self.read(activity.pull_request).own_comment(first):
                    self.client.graphql(_ADD_COMMENT, {"pull": activity.id, "body": body}, again=False)
        elif comment.body.strip() != body.strip():
            self.client.graphql(_EDIT, {"comment": comment.id, "body": body})


def _activity(pull_request: PullRequest, node: Mapping[str, Any]) -> Activity:
    closers = [event["actor"] for event in node["timelineItems"]["nodes"] if event.get("actor")]
    ended = node["mergedBy"] or (closers[-1] if closers else None) or {}
    update: dict[str, Any] = {
        "branch": node["headRefName"],
        "head": node["headRefOid"],
        "base": node["baseRefName"],
        "state": node["state"].lower(),
        "url": node["url"],
        "title": pull_request.title or node["title"],
        "body": pull_request.body or node["body"],
    }
    if update["state"] == "merged":
        update["merge_commit"] = (node["mergeCommit"] or {}).get("oid") or node["headRefOid"]
    comments = [_comment_of(item, item["createdAt"]) for item in node["comments"]["nodes"]]
    comments += [_comment_of(item, item["submittedAt"]) for item in node["reviews"]["nodes"] if item["submittedAt"]]
    return Activity(
        id=node["id"],
        pull_request=pull_request.model_copy(update=update),
        by=ended.get("login", "") if update["state"] != "open" and ended.get("__typename") != "Bot" else "",
        merged_at=node["mergedAt"] or "",
        merges_itself=bool(node["autoMergeRequest"]),
        labels=tuple(label["name"] for label in node["labels"]["nodes"]),
        requested_reviewers=tuple(
            reviewer.get("login") or reviewer.get("combinedSlug", "")
            for request in node["reviewRequests"]["nodes"]
            if (reviewer := request["requestedReviewer"])
        ),
        comments=tuple(sorted(comments, key=lambda comment: comment.at)),
    )


def unknown(number: int) -> PullRequest:
    """Return a pull request of which only the number is known."""
    return PullRequest(branch="", base="", title="", body="", number=number)


def _comment_of(node: Mapping[str, Any], at: str) -> PostedComment:
    author = node["author"] or {}
    reacted = {group["content"] for group in node["reactionGroups"] or () if group["viewerHasReacted"]}
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
        handled=bool(reacted & {"ROCKET", "CONFUSED"}),
    )
