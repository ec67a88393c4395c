"""A stand-in for an OpenAI-compatible server: what it answers is a function of what it was asked, faults included."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
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
    if "tools" in body:
        return "tool"
    return "json_schema" if "response_format" in body else "plain"


def completion(body: Body, answer: str, *, refusal: str = "") -> Reply:
    """The answer in the form that was asked for."""
    message: dict[str, Any] = {"role": "assistant", "content": answer, "refusal": refusal or None}
    if form(body) == "tool":
        call = {"id": "call_1", "type": "function", "function": {"name": "opinion", "arguments": answer}}
        message |= {"content": None, "tool_calls": [call]}
    whole = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip
    return Reply(body=json.dumps(whole).encode())


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


def opinion(**facts: Any) -> str:
    """An answer in the schema; by default one that knows nothing."""
    empty = {
        "enough_evidence": True, "category": "oom", "category_evidence": [], "severity": "critical",
        "root_cause": [], "choices": [],
    }  # fmt: skip
    return json.dumps({**empty, **facts})


def nonsense(body: Body) -> Reply:
    return completion(body, "The stars are bright tonight.")


def garbage(body: Body) -> Reply:
    return completion(body, '{"enough_evidence": "perhaps", "choices": 7}')


def refuses(body: Body) -> Reply:
    return completion(body, "", refusal="I cannot help with that.")


def hangs(body: Body) -> Reply:
    return Reply(wait=3)


def lies(body: Body) -> Reply:
    """Everything that is allowed, and wrong: real ids, offered actions, another category, the largest value."""
    import re

    text = asked(body)
    ids = re.findall(r"^(E\d+) ", text, re.MULTILINE)[:6]
    offers = re.findall(r"^(\w+) at (P\d+); ends .*? to (\w+)$", text, re.MULTILINE)
    return completion(
        body,
        opinion(
            category="network_error",
            category_evidence=ids,
            severity="info",
            root_cause=[{"text": "The network is slow.", "evidence": ids[:1]}],
            choices=[
                {
                    "action": action, "target": target, "evidence": ids, "confidence": 1,
                    "arguments": [{"name": "value", "value": most}],
                }
                for action, target, most in reversed(offers)
            ],
        ),
    )  # fmt: skip
