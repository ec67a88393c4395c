"""The GraphQL side of the stand-in: GitHub's own schema, executed over the world; what the schema refuses is a lie."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.github.api_descriptions import Lie, graphql_schema
from tests.github.hub_state import Refused, Stale

if TYPE_CHECKING:
    from tests.github.bare_repository import Entry
    from tests.github.hub_state import Comment, HubState, Pull, Review

MOST_TEXT = 512_000
"""Characters of a blob's text in an answer; a longer one is cut and says so."""

ZERO = "0" * 40


def execute(world: HubState, login: str, body: dict[str, Any]) -> dict[str, Any]:
    """GitHub's answer to one document; Lie for a document that its schema refuses."""
    from graphql import graphql_sync

    root = Graph(world, login)
    result = graphql_sync(graphql_schema(), body["query"], root.root(), variable_values=body.get("variables"))
    answer: dict[str, Any] = {}
    if result.data is not None:
        answer["data"] = result.data
    errors = []
    for error in result.errors or ():
        cause = error.original_error
        if not isinstance(cause, Refused | Stale):
            raise Lie(f"GraphQL: {error}") from cause
        kind = "STALE_DATA" if isinstance(cause, Stale) else _kind(cause)
        errors.append({"type": kind, "path": error.path, "message": str(cause)})
    return answer | ({"errors": errors} if errors else {})


def _kind(cause: Refused) -> str:
    return {403: "FORBIDDEN", 404: "NOT_FOUND"}.get(cause.status, "UNPROCESSABLE")


class Graph:
    """Plain dictionaries with callables where a field has arguments; the executor checks each against its type."""

    def __init__(self, world: HubState, login: str) -> None:
        self.world, self.login = world, login

    def root(self) -> dict[str, Any]:
        return {
            "repository": self.repository,
            "createCommitOnBranch": self.create_commit,
            "updateRefs": self.update_refs,
            "updatePullRequest": self.update_pull,
            "closePullRequest": self.close_pull,
            "addComment": self.add_comment,
            "enablePullRequestAutoMerge": self.auto_merge,
            "updateIssueComment": self.update_comment,
            "addReaction": self.add_reaction,
        }

    def repository(self, info: Any, owner: str, name: str, **_: Any) -> dict[str, Any] | None:
        world = self.world
        if (owner, name) != (world.owner, world.name):
            raise Refused(404, f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return {
            "id": f"R_{owner}/{name}",
            "visibility": world.visibility,
            "mergeCommitAllowed": "merge" in world.methods,
            "squashMergeAllowed": "squash" in world.methods,
            "rebaseMergeAllowed": "rebase" in world.methods,
            "nameWithOwner": f"{owner}/{name}",
            "defaultBranchRef": self.ref(world.default),
            "ref": lambda _info, **named: self.ref(named["qualifiedName"].removeprefix("refs/heads/")),
            "object": self.object,
            "pullRequest": lambda _info, number: self.pull(world.pull(number)),
            "pullRequests": self.pulls,
            "issues": self.issues,
            "pullRequestTemplates": [{"filename": k, "body": v} for k, v in world.templates.items()],
        }

    def ref(self, branch: str) -> dict[str, Any] | None:
        oid = self.world.branch(branch)
        if not oid:
            return None
        return {"id": f"REF_{branch}", "name": branch, "prefix": "refs/heads/", "target": self.commit(oid)}

    def object(self, info: Any, oid: str = "", expression: str = "") -> dict[str, Any] | None:
        answer = self.world.bare.ask(oid or expression)
        return self.commit(answer[0]) if answer and answer[1] == "commit" else None

    def commit(self, oid: str) -> dict[str, Any] | None:
        commit = self.world.bare.commit(oid)
        if commit is None:
            return None
        parents = {"totalCount": len(commit.parents), "nodes": [{"oid": parent} for parent in commit.parents]}
        return {
            "__typename": "Commit",
            "id": f"C_{oid}",
            "oid": oid,
            "message": commit.message,
            "tree": {"oid": commit.tree},
            "author": {"name": commit.author},
            "parents": lambda _info, **_: parents,
            "file": lambda _info, path: self.entry(oid, path),
            "history": lambda _info, first=10, **_: self.history(oid, first),
        }

    def history(self, oid: str, first: int) -> dict[str, Any]:
        ids = self.world.bare.run("rev-list", f"--max-count={first}", oid).split()
        return {"totalCount": len(ids), "nodes": [self.commit(item) for item in ids]}

    def entry(self, commit: str, path: str) -> dict[str, Any] | None:
        entry = self.world.bare.entry(commit, path)
        return entry and {
            "mode": int(entry.mode, 8),
            "name": path.rsplit("/", maxsplit=1)[-1],
            "path": path,
            "oid": entry.oid,
            "type": {"40000": "tree", "160000": "commit"}.get(entry.mode, "blob"),
            "object": lambda _info: self.blob(entry),
        }

    def blob(self, entry: Entry) -> dict[str, Any] | None:
        blob = self.world.bare.ask(entry.oid)
        if blob is None or blob[1] != "blob":
            return {"__typename": "Tree", "oid": entry.oid} if blob else None
        try:
            text = None if b"\0" in blob[2] else blob[2].decode()
        except UnicodeDecodeError:
            text = None
        return {
            "__typename": "Blob",
            "oid": entry.oid,
            "byteSize": len(blob[2]),
            "isBinary": text is None,
            "isTruncated": len(text or "") > MOST_TEXT,
            "text": text[:MOST_TEXT] if text is not None else None,
        }

    def pulls(self, info: Any, headRefName: str = "", states: Any = None, first: int = 30, **_: Any) -> dict[str, Any]:  # noqa: N803
        rows = [self.pull(item) for item in sorted(self.world.pulls.values(), key=lambda item: -item.number)]
        rows = [
            r
            for r in rows
            if (not headRefName or r["headRefName"] == headRefName) and (not states or r["state"] in states)
        ]
        return {"totalCount": len(rows), "nodes": rows[:first]}

    def pull(self, pull: Pull) -> dict[str, Any]:
        ahead = self.world.bare.ahead(self.world.branch(pull.base), pull.sha) if pull.state == "open" else [pull.sha]
        return {
            "__typename": "PullRequest",
            "id": f"PR_{pull.number}",
            "number": pull.number,
            "url": f"https://github.invalid/{self.world.owner}/{self.world.name}/pull/{pull.number}",
            "title": pull.title,
            "body": pull.body,
            "state": "MERGED" if pull.merged else pull.state.upper(),
            "isDraft": pull.draft,
            "isCrossRepository": False,
            "isInMergeQueue": pull.queued,
            "mergeStateStatus": "CLEAN" if self.world.checks else "BLOCKED",
            "headRefName": pull.head,
            "headRefOid": pull.sha,
            "baseRefName": pull.base,
            "mergeCommit": self.commit(pull.merge_commit) if pull.merge_commit else None,
            "mergedBy": actor(pull.merged_by),
            "mergedAt": pull.merged_at or None,
            "autoMergeRequest": {"enabledAt": self.world.now()} if pull.auto else None,
            "author": actor(pull.user),
            "commits": lambda _info, **_: {
                "totalCount": len(ahead),
                "nodes": [{"commit": self.commit(oid)} for oid in ahead],
            },
            "labels": lambda _info, **_: {"nodes": [{"name": name} for name in pull.labels]},
            "assignees": lambda _info, **_: {"nodes": [{"login": login} for login in pull.assignees]},
            "reviewRequests": lambda _info, **_: {
                "totalCount": len(requested(pull)),
                "nodes": [{"requestedReviewer": r} for r in requested(pull)],
            },
            "comments": lambda _info, **args: window([self.comment(c) for c in pull.comments], **args),
            "reviews": lambda _info, **args: window([self.review(r) for r in pull.reviews], **args),
            "timelineItems": lambda _info, **_: {"nodes": closed(pull)},
        }

    def issues(self, info: Any, labels: list[str] | None = None, **args: Any) -> dict[str, Any]:
        rows = [item for item in self.world.issues.values() if set(labels or ()) <= set(item.labels)]
        args.pop("orderBy", None)
        return window(
            [
                {
                    "number": item.number,
                    "state": item.state.upper(),
                    "body": item.body,
                    "viewerDidAuthor": item.user == self.login,
                    "editor": actor(item.editor),
                }
                for item in sorted(rows, key=lambda item: item.number)
            ],
            **args,
        )

    def comment(self, comment: Comment) -> dict[str, Any]:
        return {
            "__typename": "IssueComment",
            "id": f"IC_{comment.id}",
            "databaseId": comment.id,
            "author": actor(comment.user),
            "body": comment.body,
            "createdAt": comment.at,
            "lastEditedAt": comment.at if comment.edited else None,
            "viewerDidAuthor": comment.user == self.login,
            "reactionGroups": self.reactions(comment.reactions),
        }

    def review(self, review: Review) -> dict[str, Any]:
        return {
            "__typename": "PullRequestReview",
            "id": f"PRR_{review.id}",
            "databaseId": review.id,
            "author": actor(review.user),
            "state": review.state,
            "body": review.body,
            "submittedAt": review.at,
            "viewerDidAuthor": review.user == self.login,
            "reactionGroups": self.reactions(review.reactions),
            "lastEditedAt": None,
            "commit": self.commit(review.commit),
        }

    def reactions(self, reactions: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """GitHub lists all groups, empty ones too."""
        names = ("eyes", "rocket", "confused", "heart")
        return [{"content": name.upper(), "viewerHasReacted": (name, self.login) in reactions} for name in names]

    # mutations

    def create_commit(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        branch, changes, message = input["branch"], input.get("fileChanges") or {}, input["message"]
        if branch.get("repositoryNameWithOwner") != f"{self.world.owner}/{self.world.name}":
            raise Refused(404, "Could not resolve to a Repository")
        files: dict[str, bytes | None] = {
            item["path"]: base64.b64decode(item["contents"]) for item in changes.get("additions") or ()
        }
        files |= {item["path"]: None for item in changes.get("deletions") or ()}
        text = message["headline"] + (f"\n\n{message['body']}" if message.get("body") else "")
        oid = self.world.commit_on(
            branch["branchName"].removeprefix("refs/heads/"), input["expectedHeadOid"], files, text, self.login
        )
        return {"commit": self.commit(oid), "ref": self.ref(branch["branchName"])}

    def update_refs(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        world = self.world
        with world.lock:
            for update in input["refUpdates"]:
                now = world.branch(update["name"].removeprefix("refs/heads/")) or ZERO
                if update.get("beforeOid") and update["beforeOid"] != now:
                    raise Refused(422, f"Reference update failed: {update['name']} is at {now}")
            for update in input["refUpdates"]:
                branch, after = update["name"].removeprefix("refs/heads/"), update["afterOid"]
                if after == ZERO:
                    world.delete(branch)
                elif world.branch(branch):
                    world.move(branch, after, force=bool(update.get("force")))
                else:
                    world.create(branch, after)
        return {"clientMutationId": None}

    def update_pull(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        pull = self.world.pull(int(input["pullRequestId"].removeprefix("PR_")))
        pull.title, pull.body = input.get("title") or pull.title, input.get("body") or pull.body
        pull.base = input.get("baseRefName") or pull.base
        return {"pullRequest": self.pull(pull)}

    def close_pull(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        pull = self.world.pull(int(input["pullRequestId"].removeprefix("PR_")))
        self.world.close(pull.number, self.login)
        return {"pullRequest": self.pull(pull)}

    def auto_merge(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        pull = self.world.pull(int(input["pullRequestId"].removeprefix("PR_")))
        if self.world.checks:
            raise Refused(422, "Pull request Pull request is in clean status")
        if input.get("mergeMethod", "MERGE").lower() not in self.world.methods:
            raise Refused(422, "Pull request Merge method merge commits are not allowed on this repository")
        if input.get("expectedHeadOid", pull.sha) != pull.sha:
            raise Refused(422, "Head sha didn't match expectedHeadOid")
        pull.auto = True
        return {"pullRequest": self.pull(pull)}

    def add_comment(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        comment = self.world.comment(int(input["subjectId"].removeprefix("PR_")), self.login, input["body"])
        return {"commentEdge": {"node": self.comment(comment)}}

    def update_comment(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        comment = self.world.edit_comment(int(input["id"].removeprefix("IC_")), input["body"])
        return {"issueComment": self.comment(comment)}

    def add_reaction(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        self.world.react(int(input["subjectId"].partition("_")[2]), self.login, input["content"].lower())
        return {"reaction": {"content": input["content"], "id": "REA_1"}}


def actor(login: str) -> dict[str, Any] | None:
    """GraphQL names bots without the suffix that REST gives them."""
    if not login:
        return None
    return {"__typename": "Bot" if login.endswith("[bot]") else "User", "login": login.removesuffix("[bot]")}


def requested(pull: Pull) -> list[dict[str, Any]]:
    people = [{"__typename": "User", "login": login} for login in pull.reviewers]
    return people + [{"__typename": "Team", "slug": slug, "combinedSlug": f"acme/{slug}"} for slug in pull.teams]


def closed(pull: Pull) -> list[dict[str, Any]]:
    return [{"__typename": "ClosedEvent", "actor": actor(pull.closed_by)}] if pull.closed_by else []


def window(rows: list[Any], first: int | None = None, last: int | None = None, **_: Any) -> dict[str, Any]:
    """The first or the last of them, as GitHub pages."""
    page = rows[:first] if first else rows[-last:] if last else rows
    page_info = {"hasNextPage": False, "hasPreviousPage": len(page) < len(rows), "startCursor": "", "endCursor": ""}
    return {"totalCount": len(rows), "nodes": page, "pageInfo": page_info}
