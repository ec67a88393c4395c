"""A stand-in for an OpenAI-compatible server: what it answers is a function of what it was asked, faults included."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Body = Mapping[str, Any]


@dataclass
class Reply:
    """An HTTP answer; `drop`: the connection ends after half of it. `wait`: seconds before it comes."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    wait: float = 0.0


Behaviour = Callable[[Body], Reply]


def asked(body: Body) -> str:
    """All text of the request's messages."""
    return "\n".join(str(one["content"]) for one in body["messages"])


def form(body: Body) -> str:
    return "tools" if "tools" in body else "plain"


def completion(body: Body, text: str = "", *, refusal: str = "", calls: Sequence[tuple[str, Any]] = ()) -> Reply:
    """An answer with these calls (name, arguments: a dict, or a text as it is), natively or as JSON as it was asked."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": refusal or None}
    if calls and form(body) == "tools":
        message["tool_calls"] = [
            {"id": f"server-{number}", "type": "function", "function": {"name": name, "arguments": _json(arguments)}}
            for number, (name, arguments) in enumerate(calls)
        ]
    elif calls:
        name, arguments = calls[0]
        message["content"] = json.dumps({"tool": name, "arguments": arguments})
    whole = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip
    return Reply(body=json.dumps(whole).encode())


def _json(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


@dataclass
class Model:
    """A server on loopback; everything that it was sent is kept."""

    behaviour: Behaviour
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.paths.append(self.path)
                body = json.loads(raw)
                outer.bodies.append(body)
                outer.headers.append({key.lower(): value for key, value in self.headers.items()})
                reply = outer.behaviour(body)
                time.sleep(reply.wait)
                self.send_response(reply.status)
                for key, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body[: len(reply.body) // 2] if reply.drop else reply.body)
                self.close_connection = self.close_connection or reply.drop

            def log_message(self, *args: Any) -> None:
                """Nothing: what was sent is kept."""

        class Threads(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that has given up is no fault of the test's."""

        self.http = Threads(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/v1"


Calls = Sequence[tuple[str, Any]]


def script(*turns: Calls) -> Behaviour:
    """A player who makes these calls turn by turn, whatever it is told; the turn is counted by what it has said."""

    def play(body: Body) -> Reply:
        said = sum(message["role"] == "assistant" for message in body["messages"])
        return completion(body, calls=turns[min(said, len(turns) - 1)])

    return play


def conclude(*tried: str, cites: Sequence[str] = ("E1",), **facts: Any) -> tuple[str, dict[str, Any]]:
    """A conclusion; by default of a full memory."""
    return "conclude", {
        "cause": "The limit is too low.", "category": "oom", "severity": "critical", "cites": list(cites),
        "tried": list(tried), "confidence": 0.9, **facts,
    }  # fmt: skip


def nonsense(body: Body) -> Reply:
    return completion(body, "The stars are bright tonight.")


def garbage(body: Body) -> Reply:
    return completion(body, calls=[("conclude", '{"cause": 7, "tried": {"a": [}'), ("", "{}"), ("read_file", "[]")])


def refuses(body: Body) -> Reply:
    return completion(body, refusal="I cannot help with that.")


def hangs(body: Body) -> Reply:
    return Reply(wait=3)


def endless(body: Body) -> Reply:
    """Calls a hundred tools at once, for ever, and never concludes."""
    return completion(body, calls=[("search_evidence", {"text": f"word{number}"}) for number in range(100)])


def floods(body: Body) -> Reply:
    """A megabyte of words and of arguments."""
    return completion(body, "x" * 500_000, calls=[("search_evidence", {"text": "y" * 1_000_000})])
