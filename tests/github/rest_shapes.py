"""How the world's values look in GitHub's REST answers; what the description requires beyond this is filled up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github.hub_state import BOT

if TYPE_CHECKING:
    from tests.github.hub_state import Artifact, Comment, Issue, Pull, Review, World

CONTENTS = {"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}


def user(login: str) -> dict[str, Any]:
    return {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}


def repository(world: World) -> dict[str, Any]:
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


def issue(world: World, one: Issue) -> dict[str, Any]:
    return {
        "number": one.number,
        "html_url": f"https://github.invalid/{world.owner}/{world.name}/issues/{one.number}",
        "title": one.title,
        "body": one.body,
        "state": one.state,
        "user": user(one.user),
        "labels": [{"name": name} for name in one.labels],
    }


def pull(world: World, one: Pull) -> dict[str, Any]:
    repo = repository(world)
    link = f"https://github.invalid/{world.owner}/{world.name}/pull/{one.number}"
    return {
        "number": one.number,
        "node_id": f"PR_{one.number}",
        "html_url": link,
        "title": one.title,
        "body": one.body,
        "state": one.state,
        "draft": one.draft,
        "merged": one.merged,
        "merged_at": "2026-01-02T03:04:05Z" if one.merged else None,
        "merged_by": user(one.merged_by) if one.merged_by else None,
        "merge_commit_sha": one.merge_commit or None,
        "user": user(one.user),
        "head": {"ref": one.head, "sha": one.sha, "label": f"{world.owner}:{one.head}", "repo": repo},
        "base": {"ref": one.base, "sha": one.base_sha, "label": f"{world.owner}:{one.base}", "repo": repo},
        "labels": [{"name": name} for name in one.labels],
        "assignees": [user(login) for login in one.assignees],
        "requested_reviewers": [user(login) for login in one.reviewers],
        "requested_teams": [team(slug) for slug in one.teams],
        "mergeable": one.state == "open",
        "mergeable_state": "clean",
    }


def team(slug: str) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": slug,
        "members_url": "https://api.github.invalid/t",
        "repositories_url": "https://api.github.invalid/t",
    }


def comment(one: Comment) -> dict[str, Any]:
    return {
        "id": one.id,
        "node_id": f"IC_{one.id}",
        "body": one.body,
        "user": user(one.user),
        "created_at": one.at,
        "updated_at": one.at,
        "html_url": f"https://github.invalid/comment/{one.id}",
        "author_association": "NONE",
    }


def review(one: Review) -> dict[str, Any]:
    return {
        "id": one.id,
        "body": one.body,
        "state": one.state,
        "user": user(one.user),
        "commit_id": one.commit,
        "submitted_at": one.at,
        "author_association": "NONE",
    }


def commit(world: World, oid: str) -> dict[str, Any]:
    """The git data API's form."""
    known = world.bare.commit(oid)
    assert known
    person = {"name": known.author, "email": "a@example.invalid", "date": "2026-01-02T03:04:05Z"}
    return {
        "sha": oid,
        "message": known.message,
        "tree": {"sha": known.tree},
        "parents": [{"sha": parent} for parent in known.parents],
        "author": person,
        "committer": person,
        "verification": {"verified": known.author == BOT, "reason": "valid"},
    }


def commit_entry(world: World, oid: str) -> dict[str, Any]:
    """The commits API's form."""
    data = commit(world, oid)
    inner = {key: data[key] for key in ("message", "tree", "author", "committer", "verification")}
    return {"sha": oid, "commit": inner, "parents": data["parents"], "author": None, "committer": None}


def artifact(one: Artifact) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "expired": one.expired,
        "size_in_bytes": len(one.content),
        "archive_download_url": f"https://api.github.invalid/artifacts/{one.id}/zip",
        "workflow_run": {"id": one.run},
    }
