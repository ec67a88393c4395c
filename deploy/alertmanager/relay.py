"""Hands Alertmanager's webhook on to GitHub as a `repository_dispatch`; standard library only, one file.

GitHub takes at most ten keys at the top of `client_payload` and 64 KB in all, so the alerts are nested under one key,
and where they are too large only the group's key goes, by which Remediator asks Alertmanager for them itself.

Environment: GITHUB_REPOSITORY (owner/name), GITHUB_TOKEN (fine-grained, "Contents: write" of that repository alone),
GITHUB_API_URL (for GitHub Enterprise), RELAY_LISTEN (default 127.0.0.1:9099).
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MOST = 60_000
"""Bytes of a whole dispatch; a little less than GitHub takes."""
_LARGEST = 4 << 20


def dispatch(message: dict[str, Any]) -> bytes:
    """The body for GitHub: the webhook's message below one key, cut down to its group where it is too large."""
    body = json.dumps({"event_type": "alert", "client_payload": {"payload": message}}).encode()
    if len(body) <= MOST:
        return body
    kept = {key: message[key] for key in ("version", "groupKey", "status", "receiver", "groupLabels") if key in message}
    left = {**kept, "alerts": [], "truncatedAlerts": len(message.get("alerts") or [])}
    return json.dumps({"event_type": "alert", "client_payload": {"payload": left}}).encode()


def send(body: bytes) -> int:
    """GitHub's status; 502 where it cannot be reached, so that Alertmanager tries again."""
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    headers = {
        "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
        "User-Agent": "remediator-relay",
    }
    request = urllib.request.Request(f"{api}/repos/{os.environ['GITHUB_REPOSITORY']}/dispatches", body, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - the address is the operator's
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        print(f"relay: {error}", file=sys.stderr)
        return 502


class Handler(BaseHTTPRequestHandler):
    """One webhook call, one dispatch."""

    def do_POST(self) -> None:
        """Answers with what GitHub answered: Alertmanager repeats what is not 2xx."""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= _LARGEST:
            return self.send_error(413)
        try:
            message = json.loads(self.rfile.read(length))
        except ValueError:
            return self.send_error(400)
        if not isinstance(message, dict):
            return self.send_error(400)
        status = send(dispatch(message))
        self.send_response(200 if status in range(200, 300) else 502)
        self.end_headers()
        return None


def main() -> None:
    """Serve until stopped."""
    host, _, port = os.environ.get("RELAY_LISTEN", "127.0.0.1:9099").rpartition(":")
    ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
