"""Shapes of the world's values in GitHub's REST answers; what the description requires beyond this is filled up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github.hub_state import BOT

if TYPE_CHECKING:
    from tests.github.hub_state import Artifact, Comment, HubState, Issue, Pull, Review

CONTENTS = {"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}


def user(login: str) -> dict[str, Any]:
    return {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}


def repository(world: HubState) -> dict[str, Any]:
    full = f"{world.owner}/{world.name}"
    return {
        "name": world.name,
        "full_name": full,
        "node_id": f"R_{full}",
        "default_branch": world.default,
        "owner": user(world.owner),
        "allow_merge_commit": "merge" in world.methods,
        "allow_squash_merge": "squash" in world.methods,
        "allow_rebase_merge": "rebase" in world.methods,
        "private": False,
    }


def issue(world: HubState, item: Issue) -> dict[str, Any]:
    return {
        "number": item.number,
        "html_url": f"https://github.invalid/{world.owner}/{world.name}/issues/{item.number}",
        "title": item.title,
        "body": item.body,
        "state": item.state,
        "user": user(item.user),
        "labels": [{"name": name} for name in item.labels],
    }


def pull(world: HubState, item: Pull) -> dict[str, Any]:
    repo = repository(world)
    link = f"https://github.invalid/{world.owner}/{world.name}/pull/{item.number}"
    return {
        "number": item.number,
        "node_id": f"PR_{item.number}",
        "html_url": link,
        "title": item.title,
        "body": item.body,
        "state": item.state,
        "draft": item.draft,
        "merged": item.merged,
        "merged_at": "2026-01-02T03:04:05Z" if item.merged else None,
        "merged_by": user(item.merged_by) if item.merged_by else None,
        "merge_commit_sha": item.merge_commit or None,
        "user": user(item.user),
        "head": {"ref": item.head, "sha": item.sha, "label": f"{world.owner}:{item.head}", "repo": repo},
        "base": {"ref": item.base, "sha": item.base_sha, "label": f"{world.owner}:{item.base}", "repo": repo},
        "labels": [{"name": name} for name in item.labels],
        "assignees": [user(login) for login in item.assignees],
        "requested_reviewers": [user(login) for login in item.reviewers],
        "requested_teams": [team(slug) for slug in item.teams],
        "mergeable": item.state == "open",
        "mergeable_state": "clean",
    }


def team(slug: str) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": slug,
        "members_url": "https://api.github.invalid/t",
        "repositories_url": "https://api.github.invalid/t",
    }


def comment(item: Comment) -> dict[str, Any]:
    return {
        "id": item.id,
        "node_id": f"IC_{item.id}",
        "body": item.body,
        "user": user(item.user),
        "created_at": item.at,
        "updated_at": item.at,
        "html_url": f"https://github.invalid/comment/{item.id}",
        "author_association": "NONE",
    }


def review(item: Review) -> dict[str, Any]:
    return {
        "id": item.id,
        "body": item.body,
        "state": item.state,
        "user": user(item.user),
        "commit_id": item.commit,
        "submitted_at": item.at,
        "author_association": "NONE",
    }


def commit(world: HubState, oid: str) -> dict[str, Any]:
    """The git data API's form."""
    commit = world.bare.commit(oid)
    assert commit
    person = {"name": commit.author, "email": "a@example.invalid", "date": "2026-01-02T03:04:05Z"}
    return {
        "sha": oid,
        "message": commit.message,
        "tree": {"sha": commit.tree},
        "parents": [{"sha": parent} for parent in commit.parents],
        "author": person,
        "committer": person,
        "verification": {"verified": commit.author == BOT, "reason": "valid"},
    }


def commit_entry(world: HubState, oid: str) -> dict[str, Any]:
    """The commits API's form."""
    data = commit(world, oid)
    inner = {key: data[key] for key in ("message", "tree", "author", "committer", "verification")}
    return {"sha": oid, "commit": inner, "parents": data["parents"], "author": None, "committer": None}


def artifact(item: Artifact) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "expired": item.expired,
        "size_in_bytes": len(item.content),
        "archive_download_url": f"https://api.github.invalid/artifacts/{item.id}/zip",
        "workflow_run": {"id": item.run},
    }
