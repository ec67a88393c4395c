"""GitHub Enterprise Server: another host, a proxy on the way, an authority of its own; the token goes nowhere else."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from remediator.errors import ConfigError
from remediator.services.github.artifacts import fetch
from remediator.services.github.client import Client
from remediator.settings import GitHub
from tests.github.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "github.acme.invalid"
TOKEN = "t0ken"


@dataclass
class Enterprise:
    """A server that knows a repository, an artifact, and a renamed repository."""

    seen: list[tuple[str, str, str]] = field(default_factory=list)
    """Host, path, Authorization."""
    elsewhere: str = ""
    port: int = 0

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/api/v3/repos/acme/gitops/actions/artifacts/5/zip"):
            return 302, {"Location": f"{self.elsewhere}/storage"}, b""
        if path.startswith("/api/v3/repos/acme/gitops/actions/artifacts"):
            row = {"id": 5, "name": "log", "expired": False, "size_in_bytes": 3}
            return 200, {}, b'{"artifacts": [%s]}' % str(row).replace("'", '"').replace("False", "false").encode()
        if path.startswith("/api/v3/repos/acme/old"):
            return 307, {"Location": "/api/v3/repositories/1/pulls"}, b""
        if path.startswith("/api/v3/repos/acme/lost"):
            return 301, {"Location": f"{self.elsewhere}/trap"}, b""
        return 200, {}, b'{"data": {"viewer": 1}}'


def serve(hub: Enterprise, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hub.seen.append(
                (self.headers["Host"], f"{self.command} {self.path}", self.headers.get("Authorization", ""))
            )
            status, headers, body = hub.answer(self.path)
            self.send_response(status)
            for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Enterprise]:
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    other = Enterprise()
    hub = Enterprise()
    servers = [serve(other), serve(hub)]
    hub.elsewhere, hub.port = f"http://localhost:{servers[0].server_port}", servers[1].server_port
    hub.other = other  # type: ignore[attr-defined]
    yield hub
    for server in servers:
        server.shutdown()
        server.server_close()


def client(environ: dict[str, str], repository: str = "acme/gitops") -> Client:
    """As the wiring makes it, from what the runner says."""
    on = GitHub.from_environ({"REMEDIATOR_TOKEN": TOKEN, "GITHUB_REPOSITORY": repository, **environ})
    assert on
    return Client(SecretStr(TOKEN), on.repository, on.api, on.graphql, ca=on.ca, sleep=lambda _: None, tries=2)


def addresses(hub: Enterprise, host: str = "127.0.0.1", scheme: str = "http") -> dict[str, str]:
    stem = f"{scheme}://{host}:{hub.port}/api"
    return {"GITHUB_API_URL": f"{stem}/v3", "GITHUB_GRAPHQL_URL": f"{stem}/graphql"}


def test_rest_and_graphql_go_to_the_servers_own_paths(hub: Enterprise) -> None:
    web = client(addresses(hub))
    web.rest("GET", "/pulls")
    assert web.graphql("query Q { viewer }", {})["viewer"] == 1
    assert [path for _, path, _ in hub.seen] == ["GET /api/v3/repos/acme/gitops/pulls", "POST /api/graphql"]
    assert {token for *_, token in hub.seen} == {f"Bearer {TOKEN}"}


def test_the_graphql_address_follows_from_the_other(hub: Enterprise) -> None:
    web = client({"GITHUB_API_URL": f"http://127.0.0.1:{hub.port}/api/v3"})
    web.graphql("query Q { viewer }", {})
    assert hub.seen[0][1] == "POST /api/graphql"


def test_a_proxy_is_used_except_where_it_must_not_be(hub: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy({HOST: "127.0.0.1"}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        client(addresses(hub, HOST)).rest("GET", "/pulls")
        assert proxy.requests == [f"GET {HOST}:{hub.port}"]
        assert hub.seen[0][0] == f"{HOST}:{hub.port}"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        client(addresses(hub)).rest("GET", "/pulls")
        assert len(proxy.requests) == 1
        assert len(hub.seen) == 2


def test_a_netrc_on_the_runner_does_not_take_the_tokens_place(hub: Enterprise, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(
        "machine 127.0.0.1 login mallory password other\nmachine localhost login a password b\n"
    )
    fetch(client(addresses(hub)), "log", 0, tmp_path)
    assert {token for *_, token in hub.seen} == {f"Bearer {TOKEN}"}
    assert [token for *_, token in hub.other.seen] == [""]  # type: ignore[attr-defined]


def test_the_token_follows_no_redirect_to_another_host(hub: Enterprise, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sends us on to http://localhost:[0-9]+, which never sees the token"):
        client(addresses(hub), "acme/lost").rest("GET", "/pulls")
    assert hub.other.seen == []  # type: ignore[attr-defined]
    fetch(client(addresses(hub)), "log", 0, tmp_path)
    assert [token for *_, token in hub.other.seen] == [""]  # type: ignore[attr-defined]


def test_a_renamed_repository_is_followed_with_its_method(hub: Enterprise) -> None:
    client(addresses(hub), "acme/old").rest("POST", "/pulls", {"title": "x"})
    assert [path for _, path, _ in hub.seen] == [
        "POST /api/v3/repos/acme/old/pulls",
        "POST /api/v3/repositories/1/pulls",
    ]


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate of HOST by an authority of its own: ca.pem, and pair.pem for the server."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on the PATH")
    made = tmp_path / "tls"
    made.mkdir()
    (made / "san").write_text(f"subjectAltName=DNS:{HOST},IP:127.0.0.1\n")
    for command in (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=own-authority -addext keyUsage=critical,keyCertSign,cRLSign",
        f"req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out request.pem -subj /CN={HOST}",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out cert.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=made, check=True, capture_output=True)
    (made / "pair.pem").write_text((made / "key.pem").read_text() + (made / "cert.pem").read_text())
    return made


@pytest.fixture
def secure(hub: Enterprise, authority: Path) -> Iterator[Enterprise]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "pair.pem")
    server = serve(hub, context)
    hub.port = server.server_port
    yield hub
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("how", ["REMEDIATOR_GITHUB_CA", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "text"])
def test_an_own_authority_is_told_in_any_of_the_usual_ways(
    secure: Enterprise, authority: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {how: str(authority / "ca.pem")}
    if how == "text":
        said = {"REMEDIATOR_GITHUB_CA": (authority / "ca.pem").read_text()}
    elif not how.startswith("REMEDIATOR"):
        monkeypatch.setenv(how, said[how])
    assert client({**addresses(secure, scheme="https"), **said}).rest("GET", "/pulls").status == 200


def test_the_usual_authorities_stay_beside_the_own_one(authority: Path) -> None:
    own = authority / "ca.pem"
    trusted = ssl.create_default_context(cafile=str(client({"REMEDIATOR_GITHUB_CA": str(own)})._authority))
    assert trusted.cert_store_stats()["x509_ca"] > 50
    assert own.read_text() in Path(str(client({"REMEDIATOR_GITHUB_CA": own.read_text()})._authority)).read_text()


def test_the_input_counts_more_than_the_environment(
    secure: Enterprise, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority / "cert.pem"))
    said = {"REMEDIATOR_GITHUB_CA": str(authority / "ca.pem"), "REQUESTS_CA_BUNDLE": str(authority / "cert.pem")}
    assert client({**addresses(secure, scheme="https"), **said}).rest("GET", "/pulls").status == 200


def test_a_server_that_is_not_trusted_gets_nothing_and_is_named(secure: Enterprise) -> None:
    with pytest.raises(ConfigError, match=r"cannot trust 127\.0\.0\.1:[0-9]+.*github-ca"):
        client(addresses(secure, scheme="https")).rest("GET", "/pulls")
    assert secure.seen == []


def test_a_missing_file_is_named(hub: Enterprise) -> None:
    with pytest.raises(ConfigError, match="github-ca: there is no file"):
        client({**addresses(hub), "REMEDIATOR_GITHUB_CA": "/nowhere/ca.pem"}).rest("GET", "/pulls")


def test_https_goes_through_a_tunnel_that_sees_no_token(
    secure: Enterprise, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy({HOST: "127.0.0.1"}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("https_proxy", proxy.url)
        said = {"REMEDIATOR_GITHUB_CA": str(authority / "ca.pem")}
        assert client({**addresses(secure, HOST, "https"), **said}).rest("GET", "/pulls").status == 200
        assert proxy.requests == [f"CONNECT {HOST}:{secure.port}"]
        assert TOKEN.encode() not in b"".join(proxy.bytes)
