"""The stand-in as a server on loopback: authentication, faults on demand, a journal, and the judge on every exchange."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.github.api_descriptions import openapi
from tests.github.graphql import execute
from tests.github.hub_state import BOT, Refused
from tests.github.rest_routes import Call, RestAnswer, dispatch, storage

if TYPE_CHECKING:
    from types import TracebackType

    from tests.github.hub_state import HubState

TOKENS = {"bot-token": BOT, "ada-token": "ada", "bob-token": "bob"}


@dataclass
class ServerFault:
    """Something that goes wrong `times` times, with calls whose `METHOD /path` (or `GRAPHQL name`) matches."""

    match: str
    kind: str
    """`before` and `after` are a 502 without and with the effect; `drop` closes the connection after the effect;
    `secondary` is the abuse limit, `primary` the hourly one; a number is that status."""
    times: int = 1
    retry_after: str = "0"
    message: str = "Injected"
    reset: str = "0"
    """Epoch seconds of the hourly limit's end."""


@dataclass
class Server:
    """`with Server(world) as server:` serves it; `server.lies` must stay empty."""

    world: HubState
    faults: list[ServerFault] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    requests: list[dict[str, Any]] = field(default_factory=list)
    latency: float = 0.0
    """Seconds before each answer."""

    def __enter__(self) -> Self:
        openapi()
        outer = self

        class Handler(_Handler):
            stand = outer

        class Threads(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.http = Threads(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(10)
        self.world.bare.close()
        if kind is None:
            assert not self.lies, self.lies

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"

    def fault(self, name: str) -> ServerFault | None:
        """The next fault that this call meets, used up by asking."""
        with self.lock:
            self.journal.append(name)
            for fault in self.faults:
                if fault.times > 0 and re.fullmatch(fault.match, name):
                    fault.times -= 1
                    return fault
        return None

    def answer(
        self, method: str, target: str, headers: dict[str, str], raw: bytes
    ) -> tuple[RestAnswer, ServerFault | None]:
        """Return what GitHub would answer, judged on the way in and on the way out."""
        split = urlsplit(target)
        path, query = split.path, dict(parse_qsl(split.query))
        if path.startswith("/storage/"):
            self.fault(f"{method} {path}")
            assert "authorization" not in headers, "a token was sent to another host"
            return RestAnswer(body=storage(self.world, path)), None
        body = json.loads(raw) if raw else None
        graphql = path == "/graphql"
        name = f"GRAPHQL {_operation(body['query'])}" if graphql else f"{method} {unquote(path)}"
        self.requests.append({"name": name, "body": body})
        fault = self.fault(name)
        if fault and (early := _early(fault)):
            return early, fault
        login = TOKENS.get(headers.get("authorization", "").removeprefix("Bearer "))
        if login is None:
            return RestAnswer(
                401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com"}
            ), fault
        if graphql:
            return RestAnswer(body=execute(self.world, login, body)), fault
        judge = openapi()
        judge.check_request(method, path, query, body)
        call = Call(self.world, login, query, body, raw="raw" in headers.get("accept", ""))
        answer = self._routed(call, method, path)
        if not isinstance(answer.body, bytes) and answer.status < 400:
            answer.body = judge.fill(method, path, answer.status, answer.body)
        judge.check_answer(method, path, answer.status, answer.body)
        return answer, fault

    def _routed(self, call: Call, method: str, path: str) -> RestAnswer:
        try:
            return dispatch(call, method, path)
        except Refused as error:
            body: dict[str, Any] = {"message": error.message, "documentation_url": "https://docs.github.com/rest"}
            if error.errors:
                body["errors"] = error.errors
            return RestAnswer(error.status, body, error.headers)

    def count(self, pattern: str = ".*") -> int:
        return sum(1 for name in self.journal if re.fullmatch(pattern, name))


def _operation(query: str) -> str:
    operation = re.match(r"\s*(?:query|mutation)\s+(\w+)", query)
    return operation[1] if operation else ""


def _early(fault: ServerFault) -> RestAnswer | None:
    match fault.kind:
        case "before":
            return RestAnswer(502, {"message": "Server Error"})
        case "secondary":
            text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            return RestAnswer(403, {"message": text}, {"Retry-After": fault.retry_after})
        case "primary":
            headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fault.reset}
            return RestAnswer(403, {"message": "API rate limit exceeded for installation."}, headers)
        case kind if kind.isdigit():
            headers = {"X-Accepted-GitHub-Permissions": "contents=write"} if kind == "403" else {}
            return RestAnswer(int(kind), {"message": fault.message}, headers)
    return None


class _Handler(BaseHTTPRequestHandler):
    stand: Server
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.stand.latency)
        headers = {key.lower(): value for key, value in self.headers.items()}
        try:
            answer, fault = self.stand.answer(self.command, self.path, headers, raw)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            self.stand.lies.append(f"{self.command} {self.path}: {type(error).__name__}: {error}")
            answer, fault = RestAnswer(418, {"message": f"{type(error).__name__}: {error}"}), None
        if fault and fault.kind == "drop":
            self.close_connection = True
            return
        if fault and fault.kind == "after":
            answer = RestAnswer(502, {"message": "Server Error"})
        self._send(answer)

    def _send(self, answer: RestAnswer) -> None:
        body = answer.body if isinstance(answer.body, bytes) else b""
        if answer.body is not None and not isinstance(answer.body, bytes):
            body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for key, value in answer.headers.items():
            value_sent = f"{self.stand.url}{value}".replace("127.0.0.1", "localhost") if key == "Location" else value
            self.send_header(key, value_sent)
        kind = "application/octet-stream" if isinstance(answer.body, bytes) else "application/json; charset=utf-8"
        self.send_header("Content-Type", kind)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.status != 204:
            self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

    def log_message(self, *args: Any) -> None:
        """Nothing: the journal has it."""
