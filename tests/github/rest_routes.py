"""The REST calls that the stand-in answers: one small function each, found by method and pattern."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.github import rest_shapes
from tests.github.bare_repository import LINK, MODULE, TREE, Entry
from tests.github.hub_state import Issue, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.github.hub_state import HubState


@dataclass
class Call:
    """One request as a route sees it."""

    world: HubState
    login: str
    query: Mapping[str, str]
    body: Any
    raw: bool = False
    """The raw media type was asked for."""


@dataclass
class RestAnswer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


ROUTES: list[tuple[str, re.Pattern[str], Callable[..., RestAnswer]]] = []


def route(method: str, path: str) -> Callable[[Callable[..., RestAnswer]], Callable[..., RestAnswer]]:
    """`*` in a pattern takes slashes, `:` and a name does not."""
    pattern = re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path)
    pattern = re.sub(r"\*(\w+)", r"(?P<\1>.+)", pattern)

    def keep(handler: Callable[..., RestAnswer]) -> Callable[..., RestAnswer]:
        ROUTES.append((method, re.compile(pattern), handler))
        return handler

    return keep


def dispatch(call: Call, method: str, path: str) -> RestAnswer:
    """The route's answer; 404 for another repository, as GitHub has it."""
    if method == "GET" and path == "/rate_limit":
        rate = {"limit": 1000, "remaining": 999, "reset": 1_800_000_000, "used": 1}
        return RestAnswer(body={"resources": {"core": rate, "search": rate, "graphql": rate}, "rate": rate})
    root = f"/repos/{call.world.owner}/{call.world.name}"
    if path != root and not path.startswith(f"{root}/"):
        raise Refused(404, "Not Found")
    for verb, pattern, handler in ROUTES:
        if verb == method and (match := pattern.fullmatch(path[len(root) :])):
            return handler(call, **{name: unquote(value) for name, value in match.groupdict().items()})
    raise NotImplementedError(f"the stand-in has no {method} {path}")


# the repository and its git data


@route("GET", "")
def get_repository(call: Call) -> RestAnswer:
    return RestAnswer(body=rest_shapes.repository(call.world))


@route("GET", "/git/ref/*ref")
def get_ref(call: Call, ref: str) -> RestAnswer:
    oid = call.world.bare.ref(f"refs/{ref}")
    if not oid:
        raise Refused(404, "Not Found")
    return RestAnswer(body=_ref(f"refs/{ref}", oid))


def _ref(name: str, oid: str) -> dict[str, Any]:
    return {"ref": name, "object": {"type": "commit", "sha": oid}}


@route("POST", "/git/refs")
def create_ref(call: Call) -> RestAnswer:
    call.world.create(call.body["ref"].removeprefix("refs/heads/"), call.body["sha"])
    return RestAnswer(201, _ref(call.body["ref"], call.body["sha"]))


@route("PATCH", "/git/refs/*ref")
def update_ref(call: Call, ref: str) -> RestAnswer:
    call.world.move(ref.removeprefix("heads/"), call.body["sha"], force=call.body.get("force", False))
    return RestAnswer(body=_ref(f"refs/{ref}", call.body["sha"]))


@route("DELETE", "/git/refs/*ref")
def delete_ref(call: Call, ref: str) -> RestAnswer:
    call.world.delete(ref.removeprefix("heads/"))
    return RestAnswer(204)


@route("GET", "/git/commits/:sha")
def get_commit(call: Call, sha: str) -> RestAnswer:
    if call.world.bare.commit(sha) is None:
        raise Refused(404, "Not Found")
    return RestAnswer(body=rest_shapes.commit(call.world, sha))


@route("POST", "/git/commits")
def create_commit(call: Call) -> RestAnswer:
    bare, body = call.world.bare, call.body
    for oid in (body["tree"], *body.get("parents", ())):
        if bare.ask(oid) is None:
            raise Refused(422, "Tree SHA does not exist" if oid == body["tree"] else "Parent SHA does not exist")
    oid = bare.write_commit(body["tree"], list(body.get("parents", ())), body["message"], call.login)
    return RestAnswer(201, rest_shapes.commit(call.world, oid))


@route("POST", "/git/blobs")
def create_blob(call: Call) -> RestAnswer:
    text = call.body["content"]
    content = base64.b64decode(text) if call.body.get("encoding") == "base64" else text.encode()
    return RestAnswer(201, {"sha": call.world.bare.write_blob(content), "url": "https://api.github.invalid/blob"})


@route("GET", "/git/blobs/:sha")
def get_blob(call: Call, sha: str) -> RestAnswer:
    answer = call.world.bare.ask(sha)
    if answer is None or answer[1] != "blob":
        raise Refused(404, "Not Found")
    if call.raw:
        return RestAnswer(body=answer[2])
    return RestAnswer(
        body={"sha": sha, "size": len(answer[2]), "encoding": "base64", "content": base64.b64encode(answer[2]).decode()}
    )


@route("POST", "/git/trees")
def create_tree(call: Call) -> RestAnswer:
    bare, changes = call.world.bare, {}
    base = call.body.get("base_tree", "")
    if base and bare.ask(base) is None:
        raise Refused(422, "base_tree is not a valid tree SHA")
    for item in call.body["tree"]:
        if item.get("sha", "") is None:
            if base and _entry(bare, base, item["path"]) is None:
                raise Refused(422, "GitRPC::BadObjectState")
            changes[item["path"]] = None
            continue
        oid = item.get("sha") or bare.write_blob(item["content"].encode())
        changes[item["path"]] = Entry(item["mode"].lstrip("0"), oid)
    oid = bare.write_tree(base, changes)
    return RestAnswer(201, _tree(call.world, oid, recursive=False))


@route("GET", "/git/trees/*sha")
def get_tree(call: Call, sha: str) -> RestAnswer:
    if call.world.bare.ask(f"{sha}^{{tree}}") is None:
        raise Refused(404, "Not Found")
    return RestAnswer(body=_tree(call.world, sha, recursive=bool(call.query.get("recursive"))))


def _tree(world: HubState, oid: str, *, recursive: bool) -> dict[str, Any]:
    entries = world.bare.walk(oid) if recursive else world.bare.tree(oid)
    entry = world.bare.ask(f"{oid}^{{tree}}")
    kinds = {TREE: "tree", MODULE: "commit"}
    rows = [
        {"path": path, "mode": entry.mode.zfill(6), "type": kinds.get(entry.mode, "blob"), "sha": entry.oid, "size": 1}
        for path, entry in entries.items()
    ]
    return {"sha": entry[0] if entry else oid, "truncated": False, "tree": rows}


def _entry(bare: Any, oid: str, path: str) -> Entry | None:
    entry: Entry | None = bare.entry(oid, path)
    return entry


@route("GET", "/branches/*branch")
def get_branch(call: Call, branch: str) -> RestAnswer:
    oid = call.world.branch(branch)
    if not oid:
        raise Refused(404, "Branch not found")
    return RestAnswer(body={"name": branch, "commit": rest_shapes.commit_entry(call.world, oid), "protected": False})


@route("GET", "/contents/*path")
def get_contents(call: Call, path: str) -> RestAnswer:
    world, ref = call.world, call.query.get("ref", call.world.default)
    answer = world.bare.ask(ref if world.bare.commit(ref) else f"refs/heads/{ref}")
    entry = world.bare.entry(answer[0], path) if answer else None
    if entry is None:
        raise Refused(404, "Not Found")
    if entry.mode in {TREE, MODULE, LINK}:
        raise NotImplementedError("the stand-in serves files only")
    blob = world.bare.ask(entry.oid)
    assert blob
    if call.raw:
        return RestAnswer(body=blob[2])
    text = base64.b64encode(blob[2]).decode()
    about = {
        "type": "file",
        "name": path.rsplit("/", maxsplit=1)[-1],
        "path": path,
        "sha": entry.oid,
        "size": len(blob[2]),
    }
    return RestAnswer(body={**about, "encoding": "base64", "content": text})


@route("GET", "/compare/*pair")
def compare(call: Call, pair: str) -> RestAnswer:
    bare = call.world.bare
    base, _, head = pair.partition("...")
    ids = [(bare.ask(f"refs/heads/{name}") or bare.ask(name) or ("",))[0] for name in (base, head)]
    if not all(ids):
        raise Refused(404, "Not Found")
    ahead, behind = bare.ahead(*ids), bare.ahead(ids[1], ids[0])
    status = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}.get(
        (bool(ahead), bool(behind)), "identical"
    )
    merge_base = bare.run("merge-base", *ids)
    entries = {
        name: rest_shapes.commit_entry(call.world, oid)
        for name, oid in (("base_commit", ids[0]), ("merge_base_commit", merge_base))
    }
    commits = [rest_shapes.commit_entry(call.world, oid) for oid in ahead]
    counts = {"ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead)}
    return RestAnswer(body={**entries, **counts, "status": status, "commits": commits, "files": []})


# pull requests


@route("GET", "/pulls")
def list_pulls(call: Call) -> RestAnswer:
    state, head, base = (call.query.get(name, "") for name in ("state", "head", "base"))
    pulls = [
        pull
        for pull in sorted(call.world.pulls.values(), key=lambda item: -item.number)
        if (not head or head == f"{call.world.owner}:{pull.head}")
        and (not base or base == pull.base)
        and (state == "all" or pull.state == (state or "open"))
    ]
    return _page(call, [rest_shapes.pull(call.world, pull) for pull in pulls])


@route("POST", "/pulls")
def create_pull(call: Call) -> RestAnswer:
    body = call.body
    draft = body.get("draft", False)
    pull = call.world.open_pull(
        body["title"], body["head"], body["base"], body.get("body", ""), call.login, draft=draft
    )
    return RestAnswer(201, rest_shapes.pull(call.world, pull))


@route("GET", "/pulls/:number")
def get_pull(call: Call, number: str) -> RestAnswer:
    return RestAnswer(body=rest_shapes.pull(call.world, call.world.pull(int(number))))


@route("PATCH", "/pulls/:number")
def update_pull(call: Call, number: str) -> RestAnswer:
    pull = call.world.pull(int(number))
    with call.world.lock:
        pull.title, pull.body = call.body.get("title", pull.title), call.body.get("body", pull.body)
        pull.base = call.body.get("base", pull.base)
        if call.body.get("state") == "closed":
            call.world.close(pull.number, call.login)
    return RestAnswer(body=rest_shapes.pull(call.world, pull))


@route("PUT", "/pulls/:number/merge")
def merge_pull(call: Call, number: str) -> RestAnswer:
    body = call.body or {}
    text = "\n\n".join(body[key] for key in ("commit_title", "commit_message") if body.get(key))
    oid = call.world.merge(
        int(number), call.login, sha=body.get("sha", ""), method=body.get("merge_method", "merge"), message=text
    )
    return RestAnswer(body={"sha": oid, "merged": True, "message": "Pull Request successfully merged"})


@route("GET", "/pulls/:number/merge")
def is_merged(call: Call, number: str) -> RestAnswer:
    if not call.world.pull(int(number)).merged:
        raise Refused(404, "Not Found")
    return RestAnswer(204)


@route("GET", "/pulls/:number/commits")
def pull_commits(call: Call, number: str) -> RestAnswer:
    pull = call.world.pull(int(number))
    ahead = call.world.bare.ahead(call.world.branch(pull.base), pull.sha)
    return _page(call, [rest_shapes.commit_entry(call.world, oid) for oid in ahead])


@route("GET", "/pulls/:number/reviews")
def list_reviews(call: Call, number: str) -> RestAnswer:
    return _page(call, [rest_shapes.review(item) for item in call.world.pull(int(number)).reviews])


@route("POST", "/pulls/:number/requested_reviewers")
def request_reviewers(call: Call, number: str) -> RestAnswer:
    requested = call.body.get("reviewers", []), call.body.get("team_reviewers", [])
    return RestAnswer(201, rest_shapes.pull(call.world, call.world.request(int(number), *requested)))


# the issue side of a pull request


@route("POST", "/issues")
def create_issue(call: Call) -> RestAnswer:
    if not call.world.has_issues:
        raise Refused(410, "Issues has been disabled in this repository.")
    body = call.body
    issue = Issue(call.world.next_id(), body["title"], body.get("body", ""), call.login, list(body.get("labels", ())))
    call.world.issues[issue.number] = issue
    return RestAnswer(201, rest_shapes.issue(call.world, issue))


@route("PATCH", "/issues/:number")
def update_issue(call: Call, number: str) -> RestAnswer:
    issue = call.world.issues.get(int(number))
    if issue is None:
        raise Refused(404, "Not Found")
    issue.body, issue.state = call.body.get("body", issue.body), call.body.get("state", issue.state)
    issue.editor = call.login
    return RestAnswer(body=rest_shapes.issue(call.world, issue))


@route("POST", "/issues/:number/labels")
def add_labels(call: Call, number: str) -> RestAnswer:
    pull = call.world.pull(int(number))
    names = call.body["labels"] if isinstance(call.body, dict) else call.body
    pull.labels += [name for name in names if name not in pull.labels]
    return RestAnswer(body=[{"name": name} for name in pull.labels])


@route("POST", "/issues/:number/assignees")
def add_assignees(call: Call, number: str) -> RestAnswer:
    pull = call.world.pull(int(number))
    assignable = [login for login in call.body["assignees"] if login in call.world.permissions]
    pull.assignees += [login for login in assignable if login not in pull.assignees]
    return RestAnswer(201, {"number": pull.number, "title": pull.title, "state": pull.state})


@route("GET", "/issues/:number/comments")
def list_comments(call: Call, number: str) -> RestAnswer:
    since = call.query.get("since", "")
    return _page(
        call, [rest_shapes.comment(item) for item in call.world.pull(int(number)).comments if item.at >= since]
    )


@route("POST", "/issues/:number/comments")
def create_comment(call: Call, number: str) -> RestAnswer:
    return RestAnswer(201, rest_shapes.comment(call.world.comment(int(number), call.login, call.body["body"])))


@route("PATCH", "/issues/comments/:number")
def update_comment(call: Call, number: str) -> RestAnswer:
    return RestAnswer(body=rest_shapes.comment(call.world.edit_comment(int(number), call.body["body"])))


@route("POST", "/issues/comments/:number/reactions")
def react(call: Call, number: str) -> RestAnswer:
    new = call.world.react(int(number), call.login, call.body["content"])
    return RestAnswer(201 if new else 200, {"content": call.body["content"], "user": rest_shapes.user(call.login)})


@route("GET", "/collaborators/:login/permission")
def permission(call: Call, login: str) -> RestAnswer:
    level = call.world.permissions.get(login, "read")
    return RestAnswer(body={"permission": level, "role_name": level, "user": rest_shapes.user(login)})


# actions


@route("GET", "/actions/artifacts")
def list_artifacts(call: Call) -> RestAnswer:
    return _artifacts(call, 0)


@route("GET", "/actions/runs/:run/artifacts")
def list_run_artifacts(call: Call, run: str) -> RestAnswer:
    return _artifacts(call, int(run))


def _artifacts(call: Call, run: int) -> RestAnswer:
    name = call.query.get("name")
    artifacts = [a for a in call.world.artifacts if (not run or a.run == run) and name in {None, a.name}]
    size, page = int(call.query.get("per_page", 30)), int(call.query.get("page", 1))
    page_of_artifacts = list(reversed(artifacts))[(page - 1) * size : page * size]
    return RestAnswer(
        body={"total_count": len(artifacts), "artifacts": [rest_shapes.artifact(item) for item in page_of_artifacts]}
    )


@route("GET", "/actions/artifacts/:number/zip")
def download(call: Call, number: str) -> RestAnswer:
    artifact = next((item for item in call.world.artifacts if item.id == int(number)), None)
    if artifact is None:
        raise Refused(404, "Not Found")
    if artifact.expired:
        raise Refused(410, "Artifact has expired")
    return RestAnswer(302, headers={"Location": f"/storage/{artifact.id}?sig=secret"})


@route("GET", "/actions/variables/:name")
def variable(call: Call, name: str) -> RestAnswer:
    if name not in call.world.variables:
        raise Refused(404, "Not Found")
    return RestAnswer(body={"name": name, "value": call.world.variables[name]})


def _page(call: Call, rows: list[Any]) -> RestAnswer:
    size, number = int(call.query.get("per_page", 30)), int(call.query.get("page", 1))
    return RestAnswer(body=rows[(number - 1) * size : number * size])


def storage(world: HubState, path: str) -> bytes:
    """The other host that an artifact is kept on."""
    return next(item.content for item in world.artifacts if path == f"/storage/{item.id}")
