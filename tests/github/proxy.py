"""A forward proxy on loopback that resolves names itself, as an office's does: plain requests and CONNECT tunnels."""

from __future__ import annotations

import http.client
import select
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import TracebackType


@dataclass
class Proxy:
    """`names` is what it knows of the world; `seen` what was asked of it, `bytes` what went through its tunnels."""

    names: dict[str, str]
    requests: list[str] = field(default_factory=list)
    bytes: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        outer = self

        class Handler(_Handler):
            proxy = outer

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy

    def _forward(self) -> None:
        target = urlsplit(self.path)
        self.proxy.requests.append(f"{self.command} {target.netloc}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        onward = http.client.HTTPConnection(
            self.proxy.names.get(target.hostname or "", target.hostname or ""), target.port or 80
        )
        headers = {name: text for name, text in self.headers.items() if not name.lower().startswith("proxy-")}
        onward.request(self.command, target.path + (f"?{target.query}" if target.query else ""), body, headers)
        answer = onward.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, text in answer.getheaders():
            if name.lower() != "transfer-encoding":
                self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)
        onward.close()

    do_GET = do_POST = _forward  # noqa: N815

    def do_CONNECT(self) -> None:
        self.proxy.requests.append(f"CONNECT {self.path}")
        host, _, port = self.path.partition(":")
        with socket.create_connection((self.proxy.names.get(host, host), int(port))) as onward:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            pair = {self.connection: onward, onward: self.connection}
            while True:
                ready, _, _ = select.select(list(pair), [], [], 10)
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    self.proxy.bytes.append(data)
                    pair[source].sendall(data)
                if not ready:
                    return

    def log_message(self, *args: Any) -> None:
        """Nothing: `seen` has it."""
