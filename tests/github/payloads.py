"""Event payloads: GitHub's own examples, and what is derived from them, judged by GitHub's own schemas."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.github.api_descriptions import folder

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = "@octokit/webhooks-examples/api.github.com/index.json"
SCHEMAS = "@octokit/webhooks-schemas/schema.json"
NEEDS = "npm's @octokit/webhooks-examples and @octokit/webhooks-schemas are not installed (scripts/install_tools.py)"


def _file(name: str) -> Path:
    place = folder()
    if place is None or not (place / name).is_file():
        pytest.skip(NEEDS)
    return place / name


@cache
def examples() -> dict[str, list[dict[str, Any]]]:
    """Payloads by event; the first of each was written by hand and is older than the schemas, so it is left out."""
    return {row["name"]: row["examples"][1:] for row in json.loads(_file(EXAMPLES).read_bytes())}


@cache
def schemas() -> dict[str, Any]:
    definitions: dict[str, Any] = json.loads(_file(SCHEMAS).read_bytes())["definitions"]
    return definitions


def fault(event: str, payload: dict[str, Any]) -> str:
    """Return what GitHub's schema of this event has against it; empty: nothing."""
    name = f"{event}${payload.get('action')}"
    schema = {"$ref": f"#/definitions/{name if name in schemas() else f'{event}$event'}", "definitions": schemas()}
    error = jsonschema.exceptions.best_match(jsonschema.Draft7Validator(schema).iter_errors(payload))
    return f"{error.json_path}: {error.message[:200]}" if error else ""


def _like(event: str, action: str | None) -> dict[str, Any]:
    return copy.deepcopy(next(item for item in examples()[event] if item.get("action") == action))


def _checked(event: str, payload: dict[str, Any]) -> dict[str, Any]:
    payload["repository"] |= {"full_name": "acme/gitops", "default_branch": "main"}
    assert not (why := fault(event, payload)), why
    return payload


def closed(number: int, branch: str, *, merged: str = "", title: str = "A title") -> dict[str, Any]:
    """A pull request closed, by the commit `merged` or without one; GitHub ships no merged example."""
    payload = _like("pull_request", "closed")
    pull = payload["pull_request"]
    payload["number"] = pull["number"] = number
    pull |= {"title": title, "merged": bool(merged), "merge_commit_sha": merged or None}
    pull["head"] |= {"ref": branch}
    pull |= {"merged_at": pull["closed_at"], "merged_by": payload["sender"]} if merged else {}
    return _checked("pull_request", payload)


def commented(number: int, body: str, *, title: str = "A title", pull: bool = True) -> dict[str, Any]:
    """A person's new comment on a pull request, or on an issue."""
    payload = _like("issue_comment", "created")
    payload["issue"] |= {"number": number, "title": title}
    payload["issue"].pop("pull_request", None)
    if pull:
        address = payload["issue"]["url"]
        payload["issue"]["pull_request"] = dict.fromkeys(("url", "html_url", "diff_url", "patch_url"), address)
    payload["comment"] |= {"body": body}
    payload["comment"]["user"] |= {"login": "ada", "type": "User"}
    return _checked("issue_comment", payload)


def reviewed(number: int, branch: str, state: str, body: str = "") -> dict[str, Any]:
    """A review handed in."""
    payload = _like("pull_request_review", "submitted")
    payload["pull_request"] |= {"number": number}
    payload["pull_request"]["head"] |= {"ref": branch}
    payload["review"] |= {"state": state, "body": body or None}
    return _checked("pull_request_review", payload)


def dispatched(**inputs: str) -> dict[str, Any]:
    """A workflow started by hand."""
    return _checked("workflow_dispatch", {**_like("workflow_dispatch", None), "inputs": inputs})


def called(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """`repository_dispatch`, whose `action` is the caller's event type."""
    return _checked(
        "repository_dispatch",
        {**_like("repository_dispatch", "on-demand-test"), "action": kind, "client_payload": payload},
    )


def ended(run: int, name: str, conclusion: str = "failure", head: str = "acme/gitops") -> dict[str, Any]:
    """A workflow run that has come to its end."""
    payload = _like("workflow_run", "completed")
    payload["workflow_run"] |= {"id": run, "name": name, "conclusion": conclusion}
    payload["workflow_run"]["head_repository"] |= {"full_name": head}
    return _checked("workflow_run", payload)


def scheduled(cron: str = "7,22,37,52 * * * *") -> dict[str, Any]:
    """Return what the runner hands over; there is no such webhook, hence no schema of it, and no repository to rely on."""
    return {"schedule": cron}
