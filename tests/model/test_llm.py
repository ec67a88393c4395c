"""The client of a model against a server that does all that servers do wrong."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import langsmith
import langsmith.run_trees
import langsmith.utils
import pytest

from remediator.domain.investigation import Message, ToolCall
from remediator.errors import ServiceError
from remediator.services.llm import Endpoint, wire
from remediator.services.llm.meter import LEAST_ANSWER, Meter
from tests.model.model_server import (
    Model,
    Reply,
    completion,
    conclude,
    endless,
    floods,
    form,
    garbage,
    hangs,
    nonsense,
    refuses,
)
from tests.model.questions import OTHER, QUESTION, analyst, ask, good

if TYPE_CHECKING:
    from tests.model.model_server import Behaviour, Body


def only(*forms: str) -> Behaviour:
    def behave(body: Body) -> Reply:
        if form(body) in forms:
            return good(body)
        return Reply(400, json.dumps({"error": {"message": f"{form(body)} is not supported"}}).encode())

    return behave


@pytest.mark.parametrize(("forms", "tried"), [(("tools",), 1), (("plain",), 2), (("plain", "tools"), 1)])
def test_each_form_of_a_call_is_read_and_what_works_is_remembered(forms: tuple[str, ...], tried: int) -> None:
    with Model(only(*forms)) as server:
        asker = analyst(server.url)
        reply = ask(asker)
        assert [call.name for call in reply.calls] == ["conclude"]
        assert json.loads(reply.calls[0].arguments)["cause"] == "The limit is too low."
        assert len(server.bodies) == tried
        ask(asker, OTHER)
        assert len(server.bodies) == tried + 1


def test_a_call_written_as_text_in_a_code_block_is_read() -> None:
    text = f"Here you are:\n```json\n{json.dumps({'tool': 'conclude', 'arguments': conclude()[1]})}\n```"
    with Model(lambda body: completion(body, text)) as server:
        assert [call.name for call in ask(analyst(server.url)).calls] == ["conclude"]


def test_a_server_without_tool_calls_is_told_the_tools_and_earlier_calls_in_words() -> None:
    history = (
        *QUESTION,
        Message(role="assistant", calls=(ToolCall(id="call_1", name="conclude", arguments="{}"),)),
        Message(role="tool", text="Refused: no cause", call_id="call_1"),
    )
    with Model(only("plain")) as server:
        ask(analyst(server.url), history)
        messages = server.bodies[-1]["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert '"tool": "conclude", "description": "End."' in messages[0]["content"]
    assert messages[3]["content"] == "Answer of conclude:\nRefused: no cause"


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (refuses, "refuses"),
        (only(), "takes none of"),
        (lambda _: Reply(401, b'{"error": {"message": "bad key"}}'), "answered 401"),
        (lambda _: Reply(200, b"<html>"), "cannot be read"),
        (lambda _: Reply(200, b'{"choices": null}'), "cannot be read"),
        (lambda _: Reply(200, b"[]"), "cannot be read"),
        (lambda _: Reply(503), "answered 503"),
        (lambda body: Reply(200, good(body).body, drop=True), "cannot be reached"),
    ],
)
def test_whatever_a_server_does_is_one_clear_error(behaviour: Behaviour, says: str) -> None:
    with Model(behaviour) as server, pytest.raises(ServiceError, match=says) as caught:
        ask(analyst(server.url, timeout=4.0))
    assert "sk-fake" not in str(caught.value)


def test_words_without_a_call_and_malformed_calls_come_through_as_they_are() -> None:
    with Model(nonsense) as server:
        assert ask(analyst(server.url)).calls == ()
    with Model(garbage) as server:
        calls = ask(analyst(server.url)).calls
        assert ("conclude", '{"cause": 7, "tried": {"a": [}') in [(call.name, call.arguments) for call in calls]


def test_a_flood_is_cut() -> None:
    with Model(endless) as server:
        assert len(ask(analyst(server.url)).calls) == wire.MOST_CALLS
    with Model(floods) as server:
        reply = ask(analyst(server.url))
        assert len(reply.text) + sum(len(call.arguments) for call in reply.calls) < 400_000


def test_a_server_that_hangs_costs_no_more_than_the_deadline() -> None:
    with Model(hangs) as server, pytest.raises(ServiceError, match=r"in time|cannot be reached"):
        ask(analyst(server.url, timeout=0.5))


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
            ask(analyst(server.url))
    finally:
        other.shutdown()
        other.server_close()
    assert seen == []


def refusing(status: int, **error: object) -> Reply:
    return Reply(status, json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    "error",
    [
        {"code": "context_length_exceeded", "message": "This model's maximum context length is 8192 tokens."},
        {"code": "content_filter", "message": "The response was filtered due to Azure's content management policy."},
        {"message": "Input is too long for requested model (including the tools)."},
    ],
)
def test_a_question_that_is_refused_for_its_content_drops_no_form(error: dict[str, object]) -> None:
    replies = [refusing(400, **error)]
    with Model(lambda body: replies.pop() if replies else good(body)) as server:
        asker = analyst(server.url)
        with pytest.raises(ServiceError, match="refuses the question"):
            ask(asker)
        ask(asker)
        assert [form(body) for body in server.bodies] == ["tools", "tools"]


def test_a_refusal_without_a_word_drops_a_form_only_where_another_one_works() -> None:
    with Model(lambda body: refusing(400) if form(body) != "plain" else good(body)) as server:
        asker = analyst(server.url)
        ask(asker)
        ask(asker, OTHER)
        assert [form(body) for body in server.bodies] == ["tools", "plain", "plain"]
    with Model(lambda _: refusing(400)) as server:
        asker = analyst(server.url)
        for _ in range(2):
            with pytest.raises(ServiceError, match="takes none of"):
                ask(asker)
        assert [form(body) for body in server.bodies] == ["tools", "plain"] * 2


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ("temperature", {"param": "temperature", "code": "unsupported_value", "message": "Only 1 is supported."}),
        ("max_completion_tokens", {"message": "max_tokens is too large: 18000. At most 4096 completion tokens."}),
        ("max_completion_tokens", {"param": "max_completion_tokens", "message": "Unrecognized argument"}),
    ],
)
def test_a_setting_that_is_not_taken_is_left_out_from_then_on(setting: str, error: dict[str, object]) -> None:
    def picky(body: Body) -> Reply:
        return refusing(400, **error) if setting in body else good(body)

    with Model(picky) as server:
        asker = analyst(server.url, temperature=0.1)
        ask(asker)
        ask(asker, OTHER)
        assert [setting in body for body in server.bodies] == [True, False, False]
        assert {form(body) for body in server.bodies} == {"tools"}


def test_the_time_that_imports_take_is_not_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endpoint, "load", lambda _: time.sleep(2.5))
    with Model(only("tools")) as server:
        assert ask(analyst(server.url, timeout=2.4))


def test_a_dead_server_costs_two_deadlines_and_not_one_an_incident() -> None:
    questions = [(QUESTION[0], Message(role="user", text=f"{n}")) for n in range(6)]
    dead = threading.Event()
    with Model(lambda body: hangs(body) if dead.is_set() else good(body)) as server:
        asker = analyst(server.url)
        ask(asker, questions[0])
        dead.set()
        asker.endpoint.timeout = 0.4
        for question in questions[1:3]:
            with pytest.raises(ServiceError, match=r"in time|cannot be reached"):
                ask(asker, question)
        for question in questions[3:]:
            with pytest.raises(ServiceError, match="not asked any more"):
                ask(asker, question)
        assert len(server.bodies) <= 3


@pytest.mark.parametrize("status", [408, 429, 500, 503, 529])
@pytest.mark.parametrize(
    ("header", "value", "least"),
    [
        ("Retry-After", "1", 1.0),
        ("Retry-After", "1.5", 1.5),
        ("Retry-After", "Wed, 04 Mar 2026 10:00:03 GMT", 3.0),
        ("retry-after-ms", "1250", 1.25),
        ("Retry-After", "soon", 0.5),
    ],
)
def test_what_passes_is_asked_again_when_the_server_says(status: int, header: str, value: str, least: float) -> None:
    replies = [Reply(status, b"{}", {header: value})]
    slept: list[float] = []
    with Model(lambda body: replies.pop() if replies else good(body)) as server:
        at = datetime(2026, 3, 4, 10, 0, 0, tzinfo=UTC)
        assert ask(analyst(server.url, sleep=slept.append, now=lambda: at))
    assert least <= slept[0] < least + 1


def test_a_wait_beyond_the_deadline_is_not_waited_for() -> None:
    slept: list[float] = []
    busy = Reply(429, b"{}", {"Retry-After": "3600"})
    with Model(lambda _: busy) as server, pytest.raises(ServiceError, match="answered 429, 1 times"):
        ask(analyst(server.url, sleep=slept.append))
    assert slept == []


def test_a_quota_that_is_used_up_does_not_pass() -> None:
    with Model(lambda _: refusing(429, code="insufficient_quota", message="You exceeded your quota")) as server:
        with pytest.raises(ServiceError, match="quota is used up"):
            ask(analyst(server.url))
        assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"choices": [{"message": {"content": ' + b"[" * 100_000, b"\x00\xff", b"null", b"7"]
)
def test_whatever_is_sent_back_is_a_service_error(body: bytes) -> None:
    with Model(lambda _: Reply(200, body)) as server, pytest.raises(ServiceError, match="cannot be read"):
        ask(analyst(server.url))


def test_an_answer_without_end_is_cut_off() -> None:
    with Model(lambda body: completion(body, "x" * 6_000_000)) as server, pytest.raises(ServiceError):
        ask(analyst(server.url, timeout=4.0))


def test_a_small_answer_that_unpacks_into_much_is_refused() -> None:
    bomb = gzip.compress(b" " * 300_000_000)
    assert len(bomb) > 200_000
    with Model(lambda _: Reply(200, bomb, {"Content-Encoding": "gzip"})) as server:
        with pytest.raises(ServiceError):
            ask(analyst(server.url, timeout=4.0))
        assert server.headers[0]["accept-encoding"] == "identity"


def test_nothing_is_traced_to_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    with Model(lambda _: Reply(200, b"{}")) as traces, Model(only("tools")) as server:
        for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
            monkeypatch.setenv(name, "true")
        monkeypatch.setenv("LANGSMITH_ENDPOINT", traces.url.removesuffix("/v1"))
        monkeypatch.setenv("LANGSMITH_API_KEY", "ls-fake")
        langsmith.utils.get_env_var.cache_clear()
        try:
            with langsmith.run_helpers.tracing_context(enabled=True):
                ask(analyst(server.url))
            langsmith.run_trees.get_cached_client().flush()
        finally:
            langsmith.utils.get_env_var.cache_clear()
        assert server.bodies
        assert traces.paths == []


def test_azure_is_asked_by_deployment_version_and_its_own_header() -> None:
    with Model(only("tools")) as server:
        root = server.url.removesuffix("/v1")
        for url in (root, f"{root}/openai", f"{root}/openai/deployments/small"):
            ask(analyst(url, api_version="2025-04-01-preview"))
        wanted = "/openai/deployments/small/chat/completions?api-version=2025-04-01-preview"
        assert server.paths == [wanted] * 3
        assert server.headers[0]["api-key"] == "sk-fake"
        assert "authorization" not in server.headers[0]


def test_further_headers_are_sent_and_the_key_as_a_bearer() -> None:
    with Model(only("tools")) as server:
        ask(analyst(server.url, headers={"X-Team": "shop"}))
        assert server.headers[0]["x-team"] == "shop"
        assert server.headers[0]["authorization"] == "Bearer sk-fake"


# What is spent


@pytest.mark.parametrize("bound", ["tokens_per_incident", "tokens_per_run"])
def test_each_bound_says_its_name_and_lets_nothing_be_sent(bound: str) -> None:
    with Model(only("tools")) as server:
        with pytest.raises(ServiceError, match=bound):
            ask(analyst(server.url, **{bound: 300}))
        assert server.bodies == []


def test_the_tokens_of_a_run_are_bounded() -> None:
    with Model(only("tools")) as server:
        asker = analyst(server.url, tokens_per_run=4_100)
        ask(asker)
        with pytest.raises(ServiceError, match="tokens_per_run"):
            ask(asker, OTHER)
        assert len(server.bodies) == 1


def test_a_request_that_reached_nobody_is_not_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    asker = analyst(url, timeout=2.0)
    with pytest.raises(ServiceError, match="cannot be reached"):
        ask(asker)
    assert (asker.spent.sent, asker.spent.received, asker.spent.today) == (0, 0, 0)


def test_each_retry_is_counted() -> None:
    budget = DailyTokens(50_000)
    with Model(lambda _: Reply(503)) as server:
        asker = analyst(server.url, budget=budget, tokens_per_incident=4_000)
        with pytest.raises(ServiceError, match="tokens_per_incident"):
            ask(asker, (QUESTION[0], Message(role="user", text="x" * 3_600)))
        assert len(server.bodies) == 2
    assert asker.spent.sent > 2 * 3_600 / 3


def counting(sent: int, received: int) -> Behaviour:
    def behave(body: Body) -> Reply:
        reply = json.loads(good(body).body)
        reply["usage"] = {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}
        return Reply(body=json.dumps(reply).encode())

    return behave


@pytest.mark.parametrize(("told", "believed"), [((900, 70), True), ((0, 0), False), ((10**12, 10**12), False)])
def test_cost_is_what_the_server_counts_where_that_can_be_meant(told: tuple[int, int], *, believed: bool) -> None:
    with Model(counting(*told)) as server:
        asker = analyst(server.url)
        ask(asker)
    assert ((asker.spent.sent, asker.spent.received) == told) is believed
    assert 50 < asker.spent.sent < 2_000
    assert asker.spent.received >= 30


def test_what_a_server_counts_beyond_the_grant_is_booked() -> None:
    budget = DailyTokens(200_000)
    with Model(counting(90_000, 3_000)) as server:
        asker = analyst(server.url, budget=budget)
        ask(asker)
    assert (asker.spent.sent, asker.spent.received, asker.spent.today) == (90_000, 3_000, 93_000)


@pytest.mark.parametrize(("behaviour", "timeout"), [(hangs, 3.0), (refuses, 10.0)])
def test_an_answer_that_nobody_reads_is_counted_at_the_most_that_it_may_cost(
    behaviour: Behaviour, timeout: float
) -> None:
    budget = DailyTokens(100_000)
    with Model(behaviour) as server, pytest.raises(ServiceError):
        ask(analyst(server.url, budget=budget, timeout=timeout))
    (body,) = server.bodies
    most = body.get("max_tokens") or body["max_completion_tokens"]
    assert budget.whole - budget.left > most


def test_what_was_set_aside_and_not_used_comes_back() -> None:
    budget = DailyTokens(100_000)
    with Model(only("tools")) as server:
        ask(analyst(server.url, budget=budget))
    assert budget.taken == 60_000
    assert 100_000 - budget.left < 3_000


def test_the_meter_learns_how_many_bytes_a_token_has() -> None:
    meter = Meter(10_000)
    size = meter.size(3_000)
    assert size > 1_000
    assert meter.begin(size) == 8_000
    meter.end(size, 3_000, 300, (600, 60))
    assert (meter.used, meter.sent, meter.received) == (660, 600, 60)
    assert 600 <= meter.size(3_000) < 700
    with pytest.raises(ServiceError, match="tokens_per_incident"):
        meter.begin(meter.left - LEAST_ANSWER + 1)


def test_a_day_that_is_spent_ends_the_asking() -> None:
    with Model(only("tools")) as server, pytest.raises(ServiceError, match="tokens_per_day"):
        ask(analyst(server.url, budget=DailyTokens(100)))
    assert server.bodies == []


def test_an_answer_is_not_lost_with_the_count() -> None:
    class Broken(DailyTokens):
        def give_back(self, tokens: int) -> int:
            raise ServiceError("GitHub is down")

    with Model(only("tools")) as server:
        assert ask(analyst(server.url, budget=Broken(50_000)))


class DailyTokens:
    def __init__(self, left: int) -> None:
        self.whole = self.left = left
        self.taken = 0

    def take(self, least: int, most: int) -> int:
        self.taken = min(most, self.left) if self.left >= least else 0
        self.left -= self.taken
        return self.taken

    def give_back(self, tokens: int) -> int:
        self.left += tokens
        return self.whole - self.left
