"""What GitHub refuses, and what becomes of it: one line that names what is missing, or patience where that helps."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from remediator.errors import ConfigError, ConflictError, RemediatorError, ServiceError
from remediator.services.github.client import Client, Unsure

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Hub:
    """Answers in order, the last again and again; status 0 closes the connection."""

    answers: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    url: str = ""

    def client(self) -> Client:
        return Client(SecretStr("t0ken"), "acme/gitops", self.url, sleep=self.waited.append, now=lambda: 1000.0)


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hub.seen.append(f"{self.command} {self.path}")
            status, headers, body = hub.answers.pop(0) if len(hub.answers) > 1 else hub.answers[0]
            if status == 0:
                self.close_connection = True
                return
            raw = json.dumps(body).encode()
            self.send_response(status)
            for name, text in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **headers}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    yield hub
    server.shutdown()
    server.server_close()
    thread.join(10)


def said(text: str) -> dict[str, str]:
    return {"message": text, "documentation_url": "https://docs.github.com/rest"}


NEEDS = "X-Accepted-GitHub-Permissions"
DENIED = "Resource not accessible by integration"
OFF = "GitHub Actions is not permitted to create or approve pull requests."
RULE = "Repository rule violations found\n\nChanges must be made through a pull request."


@pytest.mark.parametrize(
    ("call", "status", "headers", "message", "kind", "words"),
    [
        ("GET /", 401, {}, "Bad credentials", ConfigError, "refuses the token.*`token`"),
        ("POST /pulls", 403, {NEEDS: "pull_requests=write"}, DENIED, ConfigError, "`pull-requests: write`"),
        ("GET /x", 403, {NEEDS: "issues=write,contents=read; pull_requests=write"}, DENIED, ConfigError,
         "`issues: write` and `contents: read` or `pull-requests: write`"),
        ("POST /git/refs", 403, {}, DENIED, ConfigError, "`contents: write`"),
        ("POST /issues/7/comments", 403, {}, DENIED, ConfigError, "`issues: write`"),
        ("GET /actions/artifacts", 403, {}, DENIED, ConfigError, "`actions: read`"),
        ("POST /pulls", 403, {}, OFF, ConfigError, "tick Settings → Actions → General"),
        ("GET /", 403, {}, "Resource protected by organization SAML enforcement.", ConfigError, "single sign-on"),
        ("GET /", 403, {}, "the `acme` organization has an IP allow list enabled", ConfigError, "address"),
        ("POST /pulls", 403, {}, "Repository was archived so is read-only.", ConfigError, "archived"),
        ("GET /contents/a", 404, {}, "Not Found", ConfigError, "not found, or not visible to this token$"),
        ("GET /actions/runs/9/artifacts", 404, {}, "Not Found", ConfigError, "`actions: read`"),
        ("GET /git/trees/x", 409, {}, "Git Repository is empty.", ConfigError, "first commit"),
        ("PUT /pulls/7/merge", 409, {}, "Head branch was modified.", ConflictError, "Head branch was modified"),
        ("POST /issues", 410, {}, "Issues are disabled for this repo", ConfigError, "Settings → General → Issues"),
        ("POST /git/refs", 422, {}, RULE, ConfigError, "exempt `remediator/\\*\\*`"),
        ("POST /pulls", 422, {}, "Validation Failed", ServiceError, "422: Validation Failed"),
        ("GET /", 451, {}, "Repository access blocked", ConfigError, "blocked"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_line_that_says_what_to_do(
    hub: Hub, call: str, status: int, headers: dict[str, str], message: str, kind: type[RemediatorError], words: str
) -> None:
    hub.answers = [(status, headers, said(message))]
    method, path = call.split(" ")
    with pytest.raises(kind) as caught:
        hub.client().rest(method, path, {} if method != "GET" else None)
    assert re.search(words, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)
    assert "t0ken" not in str(caught.value)
    assert (len(hub.seen), hub.waited) == (1, []), "a refusal is not asked for again"


OK = (200, {}, {"ok": True})
LIMIT = "API rate limit exceeded for installation."


@pytest.mark.parametrize(
    ("first", "waits"),
    [
        ((403, {"Retry-After": "7"}, said("You have exceeded a secondary rate limit.")), [7.0]),
        ((403, {}, said("You have exceeded a secondary rate limit.")), [60.0]),
        ((429, {"Retry-After": "3"}, said("Too many requests")), [3.0]),
        ((403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1042"}, said(LIMIT)), [42.0]),
        ((503, {"Retry-After": "5"}, said("Unavailable")), [5.0]),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_limit_that_lifts_soon_is_waited_for(hub: Hub, first: Any, waits: list[float], method: str) -> None:
    hub.answers = [first, OK]
    if method == "POST" and first[0] == 503:
        with pytest.raises(Unsure):
            hub.client().rest(method, "/git/refs", {}, again=False)
        assert hub.waited == []
        return
    assert hub.client().rest(method, "/git/refs", {} if method == "POST" else None, again=None).body == {"ok": True}
    assert hub.waited == waits


def test_graphql_tells_its_limit_in_an_answer_of_200(hub: Hub) -> None:
    limit = {"errors": [{"type": "RATE_LIMITED", "message": LIMIT}]}
    hub.answers = [
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1010"}, limit),
        (200, {}, {"data": {"a": 1}}),
    ]
    assert hub.client().graphql("query Q { a }", {})["a"] == 1
    assert hub.waited == [10.0]


def test_a_limit_that_lifts_late_is_the_next_runs(hub: Hub) -> None:
    hub.answers = [(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4600"}, said(LIMIT))]
    with pytest.raises(ServiceError, match="lifts in 3600 s") as caught:
        hub.client().rest("GET", "/")
    assert caught.value.retryable
    assert (len(hub.seen), hub.waited) == (1, [])


@pytest.mark.parametrize(
    "failure", [(0, {}, None), (502, {}, said("Server Error")), (500, {}, said("x")), (504, {}, None)]
)
@pytest.mark.parametrize(
    ("method", "repeated"), [("GET", True), ("PUT", True), ("DELETE", True), ("POST", False), ("PATCH", False)]
)
def test_what_may_have_been_done_is_not_done_twice(hub: Hub, failure: Any, method: str, repeated: bool) -> None:
    hub.answers = [failure, OK]
    body = None if method == "GET" else {}
    if repeated:
        assert hub.client().rest(method, "/x", body).status == 200
        assert len(hub.seen) == 2
    else:
        with pytest.raises(Unsure):
            hub.client().rest(method, "/x", body)
        assert len(hub.seen) == 1


def test_a_server_that_stays_away_is_given_up_in_the_end(hub: Hub) -> None:
    hub.answers = [(502, {}, said("Server Error"))]
    with pytest.raises(ServiceError, match="answered 502, 5 times") as caught:
        hub.client().rest("GET", "/x")
    assert caught.value.retryable
    assert len(hub.seen) == 5
    assert all(0 < pause <= 8 for pause in hub.waited)


@pytest.mark.parametrize(
    ("kind", "message", "error", "words"),
    [
        ("FORBIDDEN", DENIED, ConfigError, "`contents: write`"),
        ("FORBIDDEN", "Resource protected by organization SAML enforcement", ConfigError, "single sign-on"),
        ("NOT_FOUND", "Could not resolve to a Repository", ConfigError, "not visible to this token"),
        ("SERVICE", "Something went wrong", ServiceError, "Something went wrong"),
    ],
)
def test_graphql_refuses_in_its_own_way(hub: Hub, kind: str, message: str, error: type[Exception], words: str) -> None:
    hub.answers = [(200, {}, {"errors": [{"type": kind, "message": message}]})]
    with pytest.raises(error, match=words):
        hub.client().graphql("query Q { a }", {})
