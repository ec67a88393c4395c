"""Chart registries on loopback, an HTTP repository and an OCI registry, with the faults that real ones have."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: front\nversion: 1.2.3\n",
    "values.yaml": "replicaCount: 2\n",
    "templates/d.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n"
    "  replicas: {{ .Values.replicaCount }}\n  template:\n    spec:\n      containers:\n      - name: front\n"
    '        image: registry.example.com/front:{{ .Values.tag | default "1" }}\n'
    "        resources: {{ toJson .Values.resources }}\n",
}


def packed(files: dict[str, str | bytes], top: str = "front") -> bytes:
    """Return a chart's archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            data = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


@dataclass
class Registry:
    """One server: paths and their answers, the requests it got, and a fault that it has."""

    answers: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    status: int = 0
    """The status of every answer instead; 0: none."""
    delay: float = 0
    redirect: str = ""
    """The start of the URL to which archives are redirected."""
    port: int = 0

    @property
    def http(self) -> str:
        """Return the URL of the chart repository."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def oci(self) -> str:
        """Return the address of the OCI registry with a folder."""
        return f"oci://127.0.0.1:{self.port}/charts"

    def serve_index(self, archive: bytes, *, digest: str = "") -> None:
        """Serve the chart from an HTTP repository; `digest` is what the index states."""
        stated = digest or hashlib.sha256(archive).hexdigest()
        entry = f"  - {{apiVersion: v2, name: front, version: 1.2.3, digest: {stated}, urls: [front-1.2.3.tgz]}}\n"
        self.answers["/index.yaml"] = f"apiVersion: v1\nentries:\n  back: []\n  front:\n{entry}  rear: []\n".encode()
        self.answers["/front-1.2.3.tgz"] = archive

    def serve_oci(self, archive: bytes, *, sent: bytes = b"") -> None:
        """Serve the chart from an OCI registry; `sent` is what it sends for the archive's digest instead."""
        config = b'{"apiVersion":"v2","name":"front","version":"1.2.3"}'
        layers = [(config, "application/vnd.cncf.helm.config.v1+json"),
                  (archive, "application/vnd.cncf.helm.chart.content.v1.tar+gzip")]  # fmt: skip
        described = [{"mediaType": kind, "digest": _digest(data), "size": len(data)} for data, kind in layers]
        kind = "application/vnd.oci.image.manifest.v1+json"
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": described[0], "layers": described[1:]}
        text = json.dumps(manifest).encode()
        for name in ("1.2.3", _digest(text)):
            self.answers[f"/v2/charts/front/manifests/{name}"] = text
            self.types[f"/v2/charts/front/manifests/{name}"] = kind
        self.answers["/v2/"] = b"{}"
        self.answers[f"/v2/charts/front/blobs/{_digest(config)}"] = config
        self.answers[f"/v2/charts/front/blobs/{_digest(archive)}"] = sent or archive


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@contextmanager
def serving() -> Iterator[Registry]:
    """Yield a registry that listens on a port of loopback."""
    registry = Registry()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Write no log."""

        def do_GET(self) -> None:
            registry.requests.append(self.path)
            if registry.delay:
                time.sleep(registry.delay)
            if registry.status:
                self._send(registry.status, b"", "text/plain")
            elif registry.redirect and self.path.endswith(".tgz"):
                self.send_response(302)
                self.send_header("Location", registry.redirect + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif self.path in registry.answers:
                kind = registry.types.get(self.path, "application/octet-stream")
                self._send(200, registry.answers[self.path], kind)
            else:
                self._send(404, b"", "text/plain")

        def _send(self, status: int, data: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            if "/manifests/" in self.path:
                self.send_header("Docker-Content-Digest", _digest(data))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET  # noqa: N815 - the name that the server looks up

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    registry.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
