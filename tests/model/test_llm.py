"""The client of a model against a server that does all that servers do wrong."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from remediator.diagnosis.judge import judge
from remediator.domain.opinion import Brief, Window
from remediator.errors import ConfigError, ServiceError
from remediator.remedies.quantities import parse
from remediator.services.llm import ChatAnalyst
from remediator.settings import Settings
from tests.model.stand import Model, Reply, completion, form, garbage, hangs, nonsense, opinion, refuses

if TYPE_CHECKING:
    from tests.model.stand import Behaviour, Body

BRIEF = Brief(
    category="oom",
    severity="critical",
    summary="checkout was OOMKilled",
    windows=(Window(id="E1", category="oom", signal="oom_killed", text="OOMKilled"),),
    categories=("oom", "network_error"),
)
GOOD = opinion(root_cause=[{"text": "The limit is too low.", "evidence": ["E1"]}])


def analyst(server: Model, **facts: object) -> ChatAnalyst:
    known = {"name": "small", "api_key": SecretStr("sk-fake"), "timeout": 10.0, "sleep": lambda _: None, **facts}
    return ChatAnalyst(base_url=server.url, **known)


def only(*forms: str) -> Behaviour:
    def behave(body: Body) -> Reply:
        if form(body) in forms:
            return completion(body, GOOD)
        return Reply(400, json.dumps({"error": {"message": f"{form(body)} is not supported"}}).encode())

    return behave


@pytest.mark.parametrize(
    ("forms", "tried"), [(("json_schema",), 1), (("tool",), 2), (("plain",), 3), (("plain", "json_schema"), 1)]
)
def test_each_form_of_an_answer_is_read_and_what_works_is_remembered(forms: tuple[str, ...], tried: int) -> None:
    with Model(only(*forms)) as server:
        asker = analyst(server)
        answer = asker.consider(BRIEF)
        assert judge(answer, BRIEF, parse).root_cause[0].text == "The limit is too low."
        assert len(server.bodies) == tried
        asker.consider(BRIEF)
        assert len(server.bodies) == tried + 1


def test_a_fence_of_words_round_plain_json_is_taken_off() -> None:
    with Model(lambda body: completion(body, f"Here you are:\n```json\n{GOOD}\n```")) as server:
        assert json.loads(analyst(server).consider(BRIEF))["category"] == "oom"


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (nonsense, "no JSON"),
        (refuses, "refuses"),
        (only(), "takes none of"),
        (lambda _: Reply(401, b'{"error": {"message": "bad key"}}'), "answered 401"),
        (lambda _: Reply(200, b"<html>"), "cannot be read"),
        (lambda _: Reply(200, b'{"choices": null}'), "cannot be read"),
        (lambda _: Reply(200, b"[]"), "cannot be read"),
        (lambda _: Reply(503), "answered 503"),
        (lambda body: Reply(200, completion(body, GOOD).body, drop=True), "cannot be reached"),
    ],
)
def test_whatever_a_server_does_is_one_clear_error(behaviour: Behaviour, says: str) -> None:
    with Model(behaviour) as server, pytest.raises(ServiceError, match=says) as caught:
        analyst(server, timeout=4.0).consider(BRIEF)
    assert "sk-fake" not in str(caught.value)


def test_garbage_in_the_schema_comes_through_and_is_dropped_by_the_judge() -> None:
    with Model(garbage) as server:
        assert judge(analyst(server).consider(BRIEF), BRIEF, parse).dropped == {"answer does not fit the schema": 1}


def test_a_server_that_hangs_costs_no_more_than_the_deadline() -> None:
    with Model(hangs) as server, pytest.raises(ServiceError, match=r"in time|cannot be reached"):
        analyst(server, timeout=0.5).consider(BRIEF)


@pytest.mark.parametrize("status", [429, 500])
def test_what_passes_is_asked_again(status: int) -> None:
    replies = [Reply(status, b"{}", {"Retry-After": "1"})]
    slept: list[float] = []
    with Model(lambda body: replies.pop() if replies else completion(body, GOOD)) as server:
        assert analyst(server, sleep=slept.append).consider(BRIEF)
    assert slept[0] >= 1


def test_a_redirect_is_not_followed_with_the_key() -> None:
    seen: list[str] = []

    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.headers.get("Authorization", ""))

    other = HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, args=(0.05,), daemon=True).start()
    try:
        to = f"http://127.0.0.1:{other.server_port}/v1/chat/completions"
        with Model(lambda _: Reply(307, b"", {"Location": to})) as server, pytest.raises(ServiceError):
            analyst(server).consider(BRIEF)
    finally:
        other.shutdown()
        other.server_close()
    assert seen == []


def test_the_tokens_of_a_run_are_bounded() -> None:
    with Model(only("json_schema")) as server:
        asker = analyst(server, tokens_per_run=900)
        asker.consider(BRIEF)
        with pytest.raises(ServiceError, match="are spent"):
            asker.consider(BRIEF)


def test_none_is_asked_unless_one_is_named() -> None:
    assert Settings.from_environ({"OPENAI_API_KEY": "sk-fake"}).model.name == ""
    off = {"OPENAI_API_KEY": "sk-fake", "OPENAI_MODEL": "m", "REMEDIATOR_NO_LLM": "true"}
    assert Settings.from_environ(off).model.name == ""
    assert "sk-fake" not in repr(Settings.from_environ({"OPENAI_API_KEY": "sk-fake", "OPENAI_MODEL": "m"}))


@pytest.mark.parametrize(("name", "text"), [("TIMEOUT", "soon"), ("HEADERS", "[1]"), ("HEADERS", "{")])
def test_a_setting_that_cannot_be_meant_is_named(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"REMEDIATOR_LLM_{name}"):
        Settings.from_environ({f"REMEDIATOR_LLM_{name}": text})
