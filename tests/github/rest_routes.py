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

    from tests.github.hub_state import World


@dataclass
class Call:
    """One request as a route sees it."""

    world: World
    who: str
    query: Mapping[str, str]
    body: Any
    raw: bool = False
    """The raw media type was asked for."""


@dataclass
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


ROUTES: list[tuple[str, re.Pattern[str], Callable[..., Answer]]] = []


def route(method: str, path: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """`*` in a pattern takes slashes, `:` and a name does not."""
    pattern = re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path)
    pattern = re.sub(r"\*(\w+)", r"(?P<\1>.+)", pattern)

    def keep(handler: Callable[..., Answer]) -> Callable[..., Answer]:
        ROUTES.append((method, re.compile(pattern), handler))
        return handler

    return keep


def dispatch(call: Call, method: str, path: str) -> Answer:
    """The route's answer; 404 for another repository, as GitHub has it."""
    if method == "GET" and path == "/rate_limit":
        rate = {"limit": 1000, "remaining": 999, "reset": 1_800_000_000, "used": 1}
        return Answer(body={"resources": {"core": rate, "search": rate, "graphql": rate}, "rate": rate})
    root = f"/repos/{call.world.owner}/{call.world.name}"
    if path != root and not path.startswith(f"{root}/"):
        raise Refused(404, "Not Found")
    for wanted, pattern, handler in ROUTES:
        if wanted == method and (match := pattern.fullmatch(path[len(root) :])):
            return handler(call, **{name: unquote(value) for name, value in match.groupdict().items()})
    raise NotImplementedError(f"the stand-in has no {method} {path}")


# the repository and its git data


@route("GET", "")
def get_repository(call: Call) -> Answer:
    return Answer(body=rest_shapes.repository(call.world))


@route("GET", "/git/ref/*ref")
def get_ref(call: Call, ref: str) -> Answer:
    oid = call.world.bare.ref(f"refs/{ref}")
    if not oid:
        raise Refused(404, "Not Found")
    return Answer(body=_ref(f"refs/{ref}", oid))


def _ref(name: str, oid: str) -> dict[str, Any]:
    return {"ref": name, "object": {"type": "commit", "sha": oid}}


@route("POST", "/git/refs")
def create_ref(call: Call) -> Answer:
    call.world.create(call.body["ref"].removeprefix("refs/heads/"), call.body["sha"])
    return Answer(201, _ref(call.body["ref"], call.body["sha"]))


@route("PATCH", "/git/refs/*ref")
def update_ref(call: Call, ref: str) -> Answer:
    call.world.move(ref.removeprefix("heads/"), call.body["sha"], force=call.body.get("force", False))
    return Answer(body=_ref(f"refs/{ref}", call.body["sha"]))


@route("DELETE", "/git/refs/*ref")
def delete_ref(call: Call, ref: str) -> Answer:
    call.world.delete(ref.removeprefix("heads/"))
    return Answer(204)


@route("GET", "/git/commits/:sha")
def get_commit(call: Call, sha: str) -> Answer:
    if call.world.bare.commit(sha) is None:
        raise Refused(404, "Not Found")
    return Answer(body=rest_shapes.commit(call.world, sha))


@route("POST", "/git/commits")
def create_commit(call: Call) -> Answer:
    bare, body = call.world.bare, call.body
    for oid in (body["tree"], *body.get("parents", ())):
        if bare.ask(oid) is None:
            raise Refused(422, "Tree SHA does not exist" if oid == body["tree"] else "Parent SHA does not exist")
    oid = bare.write_commit(body["tree"], list(body.get("parents", ())), body["message"], call.who)
    return Answer(201, rest_shapes.commit(call.world, oid))


@route("POST", "/git/blobs")
def create_blob(call: Call) -> Answer:
    text = call.body["content"]
    content = base64.b64decode(text) if call.body.get("encoding") == "base64" else text.encode()
    return Answer(201, {"sha": call.world.bare.write_blob(content), "url": "https://api.github.invalid/blob"})


@route("GET", "/git/blobs/:sha")
def get_blob(call: Call, sha: str) -> Answer:
    found = call.world.bare.ask(sha)
    if found is None or found[1] != "blob":
        raise Refused(404, "Not Found")
    if call.raw:
        return Answer(body=found[2])
    return Answer(
        body={"sha": sha, "size": len(found[2]), "encoding": "base64", "content": base64.b64encode(found[2]).decode()}
    )


@route("POST", "/git/trees")
def create_tree(call: Call) -> Answer:
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
    return Answer(201, _tree(call.world, oid, recursive=False))


@route("GET", "/git/trees/*sha")
def get_tree(call: Call, sha: str) -> Answer:
    if call.world.bare.ask(f"{sha}^{{tree}}") is None:
        raise Refused(404, "Not Found")
    return Answer(body=_tree(call.world, sha, recursive=bool(call.query.get("recursive"))))


def _tree(world: World, oid: str, *, recursive: bool) -> dict[str, Any]:
    entries = world.bare.walk(oid) if recursive else world.bare.tree(oid)
    found = world.bare.ask(f"{oid}^{{tree}}")
    kinds = {TREE: "tree", MODULE: "commit"}
    rows = [
        {"path": path, "mode": entry.mode.zfill(6), "type": kinds.get(entry.mode, "blob"), "sha": entry.oid, "size": 1}
        for path, entry in entries.items()
    ]
    return {"sha": found[0] if found else oid, "truncated": False, "tree": rows}


def _entry(bare: Any, oid: str, path: str) -> Entry | None:
    found: Entry | None = bare.entry(oid, path)
    return found


@route("GET", "/branches/*branch")
def get_branch(call: Call, branch: str) -> Answer:
    oid = call.world.branch(branch)
    if not oid:
        raise Refused(404, "Branch not found")
    return Answer(body={"name": branch, "commit": rest_shapes.commit_entry(call.world, oid), "protected": False})


@route("GET", "/contents/*path")
def get_contents(call: Call, path: str) -> Answer:
    world, ref = call.world, call.query.get("ref", call.world.default)
    found = world.bare.ask(ref if world.bare.commit(ref) else f"refs/heads/{ref}")
    entry = world.bare.entry(found[0], path) if found else None
    if entry is None:
        raise Refused(404, "Not Found")
    if entry.mode in {TREE, MODULE, LINK}:
        raise NotImplementedError("the stand-in serves files only")
    held = world.bare.ask(entry.oid)
    assert held
    if call.raw:
        return Answer(body=held[2])
    text = base64.b64encode(held[2]).decode()
    about = {
        "type": "file",
        "name": path.rsplit("/", maxsplit=1)[-1],
        "path": path,
        "sha": entry.oid,
        "size": len(held[2]),
    }
    return Answer(body={**about, "encoding": "base64", "content": text})


@route("GET", "/compare/*pair")
def compare(call: Call, pair: str) -> Answer:
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
    return Answer(body={**entries, **counts, "status": status, "commits": commits, "files": []})


# pull requests


@route("GET", "/pulls")
def list_pulls(call: Call) -> Answer:
    state, head, base = (call.query.get(name, "") for name in ("state", "head", "base"))
    found = [
        pull
        for pull in sorted(call.world.pulls.values(), key=lambda one: -one.number)
        if (not head or head == f"{call.world.owner}:{pull.head}")
        and (not base or base == pull.base)
        and (state == "all" or pull.state == (state or "open"))
    ]
    return _page(call, [rest_shapes.pull(call.world, pull) for pull in found])


@route("POST", "/pulls")
def create_pull(call: Call) -> Answer:
    body = call.body
    draft = body.get("draft", False)
    made = call.world.open_pull(body["title"], body["head"], body["base"], body.get("body", ""), call.who, draft=draft)
    return Answer(201, rest_shapes.pull(call.world, made))


@route("GET", "/pulls/:number")
def get_pull(call: Call, number: str) -> Answer:
    return Answer(body=rest_shapes.pull(call.world, call.world.pull(int(number))))


@route("PATCH", "/pulls/:number")
def update_pull(call: Call, number: str) -> Answer:
    pull = call.world.pull(int(number))
    with call.world.lock:
        pull.title, pull.body = call.body.get("title", pull.title), call.body.get("body", pull.body)
        pull.base = call.body.get("base", pull.base)
        if call.body.get("state") == "closed":
            call.world.close(pull.number, call.who)
    return Answer(body=rest_shapes.pull(call.world, pull))


@route("PUT", "/pulls/:number/merge")
def merge_pull(call: Call, number: str) -> Answer:
    body = call.body or {}
    text = "\n\n".join(body[key] for key in ("commit_title", "commit_message") if body.get(key))
    oid = call.world.merge(
        int(number), call.who, sha=body.get("sha", ""), method=body.get("merge_method", "merge"), message=text
    )
    return Answer(body={"sha": oid, "merged": True, "message": "Pull Request successfully merged"})


@route("GET", "/pulls/:number/merge")
def is_merged(call: Call, number: str) -> Answer:
    if not call.world.pull(int(number)).merged:
        raise Refused(404, "Not Found")
    return Answer(204)


@route("GET", "/pulls/:number/commits")
def pull_commits(call: Call, number: str) -> Answer:
    pull = call.world.pull(int(number))
    ahead = call.world.bare.ahead(call.world.branch(pull.base), pull.sha)
    return _page(call, [rest_shapes.commit_entry(call.world, oid) for oid in ahead])


@route("GET", "/pulls/:number/reviews")
def list_reviews(call: Call, number: str) -> Answer:
    return _page(call, [rest_shapes.review(one) for one in call.world.pull(int(number)).reviews])


@route("POST", "/pulls/:number/requested_reviewers")
def request_reviewers(call: Call, number: str) -> Answer:
    wanted = call.body.get("reviewers", []), call.body.get("team_reviewers", [])
    return Answer(201, rest_shapes.pull(call.world, call.world.request(int(number), *wanted)))


# the issue side of a pull request


@route("POST", "/issues")
def create_issue(call: Call) -> Answer:
    if not call.world.has_issues:
        raise Refused(410, "Issues has been disabled in this repository.")
    body = call.body
    made = Issue(call.world.next_id(), body["title"], body.get("body", ""), call.who, list(body.get("labels", ())))
    call.world.issues[made.number] = made
    return Answer(201, rest_shapes.issue(call.world, made))


@route("PATCH", "/issues/:number")
def update_issue(call: Call, number: str) -> Answer:
    one = call.world.issues.get(int(number))
    if one is None:
        raise Refused(404, "Not Found")
    one.body, one.state = call.body.get("body", one.body), call.body.get("state", one.state)
    one.editor = call.who
    return Answer(body=rest_shapes.issue(call.world, one))


@route("POST", "/issues/:number/labels")
def add_labels(call: Call, number: str) -> Answer:
    pull = call.world.pull(int(number))
    names = call.body["labels"] if isinstance(call.body, dict) else call.body
    pull.labels += [name for name in names if name not in pull.labels]
    return Answer(body=[{"name": name} for name in pull.labels])


@route("POST", "/issues/:number/assignees")
def add_assignees(call: Call, number: str) -> Answer:
    pull = call.world.pull(int(number))
    known = [login for login in call.body["assignees"] if login in call.world.permissions]
    pull.assignees += [login for login in known if login not in pull.assignees]
    return Answer(201, {"number": pull.number, "title": pull.title, "state": pull.state})


@route("GET", "/issues/:number/comments")
def list_comments(call: Call, number: str) -> Answer:
    since = call.query.get("since", "")
    return _page(call, [rest_shapes.comment(one) for one in call.world.pull(int(number)).comments if one.at >= since])


@route("POST", "/issues/:number/comments")
def create_comment(call: Call, number: str) -> Answer:
    return Answer(201, rest_shapes.comment(call.world.comment(int(number), call.who, call.body["body"])))


@route("PATCH", "/issues/comments/:number")
def update_comment(call: Call, number: str) -> Answer:
    return Answer(body=rest_shapes.comment(call.world.edit_comment(int(number), call.body["body"])))


@route("POST", "/issues/comments/:number/reactions")
def react(call: Call, number: str) -> Answer:
    new = call.world.react(int(number), call.who, call.body["content"])
    return Answer(201 if new else 200, {"content": call.body["content"], "user": rest_shapes.user(call.who)})


@route("GET", "/collaborators/:login/permission")
def permission(call: Call, login: str) -> Answer:
    level = call.world.permissions.get(login, "read")
    return Answer(body={"permission": level, "role_name": level, "user": rest_shapes.user(login)})


# actions


@route("GET", "/actions/artifacts")
def list_artifacts(call: Call) -> Answer:
    return _artifacts(call, 0)


@route("GET", "/actions/runs/:run/artifacts")
def list_run_artifacts(call: Call, run: str) -> Answer:
    return _artifacts(call, int(run))


def _artifacts(call: Call, run: int) -> Answer:
    name = call.query.get("name")
    found = [a for a in call.world.artifacts if (not run or a.run == run) and name in {None, a.name}]
    size, page = int(call.query.get("per_page", 30)), int(call.query.get("page", 1))
    shown = list(reversed(found))[(page - 1) * size : page * size]
    return Answer(body={"total_count": len(found), "artifacts": [rest_shapes.artifact(one) for one in shown]})


@route("GET", "/actions/artifacts/:number/zip")
def download(call: Call, number: str) -> Answer:
    found = next((one for one in call.world.artifacts if one.id == int(number)), None)
    if found is None:
        raise Refused(404, "Not Found")
    if found.expired:
        raise Refused(410, "Artifact has expired")
    return Answer(302, headers={"Location": f"/storage/{found.id}?sig=secret"})


@route("GET", "/actions/variables/:name")
def variable(call: Call, name: str) -> Answer:
    if name not in call.world.variables:
        raise Refused(404, "Not Found")
    return Answer(body={"name": name, "value": call.world.variables[name]})


def _page(call: Call, rows: list[Any]) -> Answer:
    size, number = int(call.query.get("per_page", 30)), int(call.query.get("page", 1))
    return Answer(body=rows[(number - 1) * size : number * size])


def storage(world: World, path: str) -> bytes:
    """The other host that an artifact is kept on."""
    return next(one.content for one in world.artifacts if path == f"/storage/{one.id}")
