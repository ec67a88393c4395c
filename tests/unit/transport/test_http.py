"""The one HTTP session: patient where it helps, never beyond its bounds, and silent towards strangers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from remediator.domain.sources import Access, AnswerError
from remediator.errors import ConfigError
from remediator.transport import http
from remediator.transport.http import Http
from tests.servers.http_server import Answer, Asked, certificate, dripping, serve

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = Access(token=SecretStr("s3cret-token"))


def client(url: str, access: Access = TOKEN, **more: object) -> Http:
    options = {"timeout": (2.0, 1.0), "budget": 3.0, "sleep": lambda _seconds: None} | more
    return Http("Loki prod", access.model_copy(update={"url": url}), **options)


def error_of(answer: Answer, **more: object) -> AnswerError:
    with serve(answer) as server, pytest.raises(AnswerError) as caught:
        client(server.url, **more).get("/x")
    assert "s3cret" not in str(caught.value)
    return caught.value


def test_it_signs_every_request_and_reads_json() -> None:
    with serve(Answer({"a": 1})) as server:
        assert client(server.url, headers={"X-Scope-OrgID": "shop"}).get("/x", [("q", "1"), ("q", "2")]) == {"a": 1}
        (asked,) = server.asked
    assert asked.headers["authorization"] == "Bearer s3cret-token"
    assert asked.headers["x-scope-orgid"] == "shop"
    assert asked.parameters == [("q", "1"), ("q", "2")]


def test_basic_credentials_and_none_at_all_whatever_netrc_says(tmp_path: Path, monkeypatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serve(Answer({})) as server:
        client(server.url, Access(username="ann", password=SecretStr("pw"))).get("/x")
        client(server.url, Access()).get("/x")
        assert [asked.headers.get("authorization") for asked in server.asked] == ["Basic YW5uOnB3", None]


def test_credentials_do_not_follow_a_redirect_to_another_host() -> None:
    with serve(Answer({})) as stranger:
        away = Answer("", 302, headers={"Location": stranger.url.replace("127.0.0.1", "localhost") + "/login"})
        said = str(error_of(away))
        assert stranger.asked == []
    assert "redirects to http://localhost" in said


def test_another_name_is_another_host_though_the_port_is_the_same() -> None:
    def script(asked: Asked) -> Answer:
        port = asked.headers["host"].rpartition(":")[2]
        return Answer("", 302, headers={"Location": f"http://localhost:{port}/login"})

    with serve(script) as server:
        with pytest.raises(AnswerError, match="redirects to http://localhost"):
            client(server.url).get("/x")
        assert [asked.path for asked in server.asked] == ["/x"]


def test_another_port_is_another_service_too() -> None:
    with serve(Answer({})) as stranger:
        error_of(Answer("", 307, headers={"Location": stranger.url}))
        assert stranger.asked == []


@pytest.mark.parametrize(
    "location", ["http://h:99999999/", "http://127.0.0.1:0/", "http://[::1/", "//[", "http://h:x/"]
)
def test_a_redirect_to_what_is_no_address_is_said(location: str) -> None:
    said = str(error_of(Answer("", 302, headers={"Location": location})))
    assert said.startswith("Loki prod redirects to ")
    assert "is no address" in said


def test_a_redirect_within_the_service_is_followed_and_circles_end() -> None:
    def script(asked: Asked) -> Answer:
        if asked.path == "/x":
            return Answer("", 301, headers={"Location": "/y?q=1"})
        return Answer("", 302, headers={"Location": "/z"}) if asked.path == "/z" else Answer(asked.get("q"))

    with serve(script) as server:
        assert client(server.url).get("/x") == "1"
        with pytest.raises(AnswerError, match="circles"):
            client(server.url).get("/z")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_asked_again(status: int) -> None:
    answers = [Answer("busy", status, "text/plain", {"Retry-After": "7"}), Answer({"a": 1})]
    pauses: list[float] = []
    with serve(lambda _asked: answers.pop(0)) as server:
        assert client(server.url, sleep=pauses.append, budget=30).get("/x") == {"a": 1}
    assert pauses == [7.0]


def test_what_does_not_pass_is_said_after_three_tries() -> None:
    with serve(Answer("too many", 429, "text/plain")) as server, pytest.raises(AnswerError) as caught:
        client(server.url).get("/x")
    assert (len(server.asked), caught.value.status, caught.value.retryable) == (3, 429, True)
    assert str(caught.value) == "Loki prod answers 429: too many"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Answer("no org id\n", 401, "text/plain"),
            "answers 401 (the credentials are missing, wrong or expired): no org",
        ),
        (Answer({"code": 7, "error": "permission denied"}, 403), "answers 403 (the credentials may not do this): perm"),
        (Answer("bad matcher format: namespace", 400), "answers 400: bad matcher format: namespace"),
        (Answer({"message": "boom", "code": 2}, 500), "answers 500: boom"),
        (Answer("<html><h1>Oops", 404, "text/html"), "answers 404: a web page"),
        (Answer("Everything is fine", 200, "text/plain"), "answers /x with what is no JSON: 'Everything is fine'"),
        (Answer(b"", 200), "answers /x with nothing"),
        (Answer(b'{"a": [1, 2', 200), "with what is no JSON"),
        (Answer(b"[" * 100_000, 200), "with what is no JSON"),
        (Answer({"a": "x" * 500}, cut=200), "broke off its answer"),
        (Answer("late", wait=60), "did not answer within 1 s"),
        (Answer("x" * 2000, drip=0.05), "did not finish its answer within 1 s"),
    ],
)
def test_each_fault_is_said_in_words(answer: Answer, said: str) -> None:
    assert said in str(error_of(answer, budget=1.0))


def test_an_answer_without_end_is_cut_off(monkeypatch) -> None:
    monkeypatch.setattr(http, "MOST", 1 << 20)
    assert "more than 1 MiB" in str(error_of(Answer(b'"' + b"x" * (2 << 20) + b'"')))


def test_headers_that_drip_are_within_the_budget_too() -> None:
    with dripping() as url, pytest.raises(AnswerError, match="did not begin its answer within 1 s"):
        client(url, budget=1.0).get("/x")


def test_nobody_there_is_retryable() -> None:
    with serve(Answer({})) as server:
        url = server.url
    with pytest.raises(AnswerError, match=r"cannot be reached at 127\.0\.0\.1:\d+: .*refused") as caught:
        client(url).get("/x")
    assert caught.value.retryable


@pytest.mark.needs_tools("openssl")
def test_an_own_authority_by_file_and_by_text_and_no_trust_without(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    text = (tmp_path / "cert.pem").read_text()
    with serve(Answer({"a": 1}), certificate=pem) as server:
        for ca in (str(tmp_path / "cert.pem"), text):
            assert client(server.url, Access(ca=ca)).get("/x") == {"a": 1}
        with pytest.raises(AnswerError, match=r"is not trusted at .*; name its CA"):
            client(server.url, Access()).get("/x")
    with pytest.raises(ConfigError, match="no file"):
        client(server.url, Access(ca="/nowhere.pem")).get("/x")


@pytest.mark.parametrize(
    "url", ["", "loki:3100", "ftp://loki", "https://ann:pw@loki", "http://[::1", "http://loki:99999"]
)
def test_an_address_that_cannot_be_used_is_the_users_to_mend(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        client(url)
    assert "pw" not in str(caught.value).replace("https://host:port", "")


def test_many_threads_share_a_client() -> None:
    with serve(lambda asked: Answer(asked.get("n"))) as server:
        shared, seen = client(server.url), []
        threads = [
            threading.Thread(target=lambda n=n: seen.append(shared.get("/x", [("n", str(n))]) == str(n)))
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [True] * 20


@pytest.mark.parametrize("first", [Answer({"message": "boom"}, 500), Answer({}, wait=2)])
def test_a_fault_that_may_be_passing_is_given_one_more_try(first: Answer) -> None:
    answers = [first, Answer({"a": 1})]
    with serve(lambda _asked: answers.pop(0)) as server:
        assert client(server.url, budget=9).get("/x") == {"a": 1}


@pytest.mark.parametrize("fault", [Answer({"message": "boom"}, 500), Answer({}, wait=2)])
def test_and_only_one(fault: Answer) -> None:
    with serve(fault) as server, pytest.raises(AnswerError):
        client(server.url, budget=9).get("/x")
    assert len(server.asked) == 2
