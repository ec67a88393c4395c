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

from remediator.diagnosis import prompts
from remediator.diagnosis.model.check import judge
from remediator.domain.model_answer import PastIncident
from remediator.errors import ServiceError
from remediator.evidence.redact import Redactor
from remediator.remedies.engine.quantities import parse
from remediator.services.llm import Endpoint
from remediator.services.llm.analyst import weight
from tests.model.model_server import Model, Reply, asked, completion, form, garbage, hangs, nonsense, refuses
from tests.model.questions import BRIEF, GOOD, analyst

if TYPE_CHECKING:
    from tests.model.model_server import Behaviour, Body

OTHER = BRIEF.model_copy(update={"summary": "payment was OOMKilled"})
SIZE = prompts.count("".join(prompts.render(BRIEF))) + weight("json_schema")


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
        asker = analyst(server.url)
        answer = asker.consider(BRIEF)
        assert judge(answer, BRIEF, parse).root_cause[0].text == "The limit is too low."
        assert len(server.bodies) == tried
        asker.consider(OTHER)
        assert len(server.bodies) == tried + 1


def test_a_fence_of_words_round_plain_json_is_taken_off() -> None:
    with Model(lambda body: completion(body, f"Here you are:\n```json\n{GOOD}\n```")) as server:
        assert json.loads(analyst(server.url).consider(BRIEF))["category"] == "oom"


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
        analyst(server.url, timeout=4.0).consider(BRIEF)
    assert "sk-fake" not in str(caught.value)


def test_garbage_in_the_schema_comes_through_and_is_dropped_by_the_judge() -> None:
    with Model(garbage) as server:
        assert judge(analyst(server.url).consider(BRIEF), BRIEF, parse).dropped == {"answer does not fit the schema": 1}


def test_a_server_that_hangs_costs_no_more_than_the_deadline() -> None:
    with Model(hangs) as server, pytest.raises(ServiceError, match=r"in time|cannot be reached"):
        analyst(server.url, timeout=0.5).consider(BRIEF)


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
            analyst(server.url).consider(BRIEF)
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
    with Model(lambda body: replies.pop() if replies else completion(body, GOOD)) as server:
        asker = analyst(server.url)
        with pytest.raises(ServiceError, match="refuses the question"):
            asker.consider(BRIEF)
        asker.consider(BRIEF)
        assert [form(body) for body in server.bodies] == ["json_schema", "json_schema"]


def test_a_refusal_without_a_word_drops_a_form_only_where_another_one_works() -> None:
    with Model(lambda body: refusing(400) if form(body) != "plain" else completion(body, GOOD)) as server:
        asker = analyst(server.url)
        asker.consider(BRIEF)
        asker.consider(OTHER)
        assert [form(body) for body in server.bodies] == ["json_schema", "tool", "plain", "plain"]
    with Model(lambda _: refusing(400)) as server:
        asker = analyst(server.url)
        for _ in range(2):
            with pytest.raises(ServiceError, match="takes none of"):
                asker.consider(BRIEF)
        assert [form(body) for body in server.bodies] == ["json_schema", "tool", "plain"] * 2


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
        return refusing(400, **error) if setting in body else completion(body, GOOD)

    with Model(picky) as server:
        asker = analyst(server.url, temperature=0.1)
        asker.consider(BRIEF)
        asker.consider(OTHER)
        assert [setting in body for body in server.bodies] == [True, False, False]
        assert {form(body) for body in server.bodies} == {"json_schema"}


def test_a_server_that_passes_over_the_form_is_told_the_shape_in_words() -> None:
    def deaf(body: Body) -> Reply:
        told = '"enough_evidence": true' in asked(body)
        return completion({"model": body["model"]}, GOOD if told else "It is memory.")

    with Model(deaf) as server:
        assert judge(analyst(server.url).consider(BRIEF), BRIEF, parse).root_cause
        assert form(server.bodies[-1]) == "plain"


def test_the_time_that_imports_take_is_not_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endpoint, "load", lambda _: time.sleep(2.5))
    with Model(only("json_schema")) as server:
        assert analyst(server.url, timeout=2.4).consider(BRIEF)


def test_a_dead_server_costs_two_deadlines_and_not_one_an_incident() -> None:
    briefs = [BRIEF.model_copy(update={"summary": f"{n}"}) for n in range(6)]
    dead = threading.Event()
    with Model(lambda body: hangs(body) if dead.is_set() else completion(body, GOOD)) as server:
        asker = analyst(server.url)
        asker.consider(briefs[0])
        dead.set()
        asker.endpoint.timeout = 0.4
        for brief in briefs[1:3]:
            with pytest.raises(ServiceError, match=r"in time|cannot be reached"):
                asker.consider(brief)
        for brief in briefs[3:]:
            with pytest.raises(ServiceError, match="not asked any more"):
                asker.consider(brief)
        assert len(server.bodies) <= 3
        assert asker.consider(briefs[0])


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
    with Model(lambda body: replies.pop() if replies else completion(body, GOOD)) as server:
        at = datetime(2026, 3, 4, 10, 0, 0, tzinfo=UTC)
        assert analyst(server.url, sleep=slept.append, now=lambda: at).consider(BRIEF)
    assert least <= slept[0] < least + 1


def test_a_wait_beyond_the_deadline_is_not_waited_for() -> None:
    slept: list[float] = []
    busy = Reply(429, b"{}", {"Retry-After": "3600"})
    with Model(lambda _: busy) as server, pytest.raises(ServiceError, match="answered 429, 1 times"):
        analyst(server.url, sleep=slept.append).consider(BRIEF)
    assert slept == []


def test_a_quota_that_is_used_up_does_not_pass() -> None:
    with Model(lambda _: refusing(429, code="insufficient_quota", message="You exceeded your quota")) as server:
        with pytest.raises(ServiceError, match="quota is used up"):
            analyst(server.url).consider(BRIEF)
        assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"choices": [{"message": {"content": ' + b"[" * 100_000, b"\x00\xff", b"null", b"7"]
)
def test_whatever_is_sent_back_is_a_service_error(body: bytes) -> None:
    with Model(lambda _: Reply(200, body)) as server, pytest.raises(ServiceError, match="cannot be read"):
        analyst(server.url).consider(BRIEF)


def test_an_answer_without_end_is_cut_off() -> None:
    with Model(lambda body: completion(body, "x" * 6_000_000)) as server, pytest.raises(ServiceError):
        analyst(server.url, timeout=4.0).consider(BRIEF)


def test_a_small_answer_that_unpacks_into_much_is_refused() -> None:
    bomb = gzip.compress(b" " * 300_000_000)
    assert len(bomb) > 200_000
    with Model(lambda _: Reply(200, bomb, {"Content-Encoding": "gzip"})) as server:
        with pytest.raises(ServiceError):
            analyst(server.url, timeout=4.0).consider(BRIEF)
        assert server.headers[0]["accept-encoding"] == "identity"


def test_nothing_is_traced_to_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    with Model(lambda _: Reply(200, b"{}")) as traces, Model(only("json_schema")) as server:
        for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
            monkeypatch.setenv(name, "true")
        monkeypatch.setenv("LANGSMITH_ENDPOINT", traces.url.removesuffix("/v1"))
        monkeypatch.setenv("LANGSMITH_API_KEY", "ls-fake")
        langsmith.utils.get_env_var.cache_clear()
        try:
            with langsmith.run_helpers.tracing_context(enabled=True):
                analyst(server.url).consider(BRIEF)
            langsmith.run_trees.get_cached_client().flush()
        finally:
            langsmith.utils.get_env_var.cache_clear()
        assert server.bodies
        assert traces.paths == []


def test_azure_is_asked_by_deployment_version_and_its_own_header() -> None:
    with Model(only("json_schema")) as server:
        root = server.url.removesuffix("/v1")
        for url in (root, f"{root}/openai", f"{root}/openai/deployments/small"):
            analyst(url, api_version="2025-04-01-preview").consider(BRIEF)
        wanted = "/openai/deployments/small/chat/completions?api-version=2025-04-01-preview"
        assert server.paths == [wanted] * 3
        assert server.headers[0]["api-key"] == "sk-fake"
        assert "authorization" not in server.headers[0]


def test_further_headers_are_sent_and_the_key_as_a_bearer() -> None:
    with Model(only("json_schema")) as server:
        analyst(server.url, headers={"X-Team": "shop"}).consider(BRIEF)
        assert server.headers[0]["x-team"] == "shop"
        assert server.headers[0]["authorization"] == "Bearer sk-fake"


def test_a_secret_in_the_question_is_gone_before_it_is_counted_and_sent() -> None:
    secret = "ghp_" + "A1b2C3d4E5" * 3 + "F6g7H8"
    brief = BRIEF.model_copy(
        update={"summary": f"token {secret}", "past": (PastIncident(summary=secret, action=secret, outcome=secret),)}
    )
    long = Redactor().text
    with Model(only("json_schema")) as server:
        analyst(server.url, redact=long).consider(brief)
        assert secret not in json.dumps(server.bodies)

    def growing(text: str) -> str:
        return text.replace("OOMKilled", "removed " * 400)

    system, user = prompts.render(BRIEF, redact=growing)
    assert prompts.count(system + user) <= prompts.BUDGET


# What is spent


def test_the_same_question_is_asked_once_in_a_run() -> None:
    with Model(only("json_schema")) as server:
        asker = analyst(server.url)
        assert asker.consider(BRIEF) == asker.consider(BRIEF)
        assert len(server.bodies) == 1
        assert asker.spent.questions == 1


@pytest.mark.parametrize("bound", ["tokens_per_incident", "tokens_per_run"])
def test_each_bound_says_its_name_and_lets_nothing_be_sent(bound: str) -> None:
    with Model(only("json_schema")) as server:
        with pytest.raises(ServiceError, match=bound):
            analyst(server.url, **{bound: 300}).consider(BRIEF)
        assert server.bodies == []


def test_the_tokens_of_a_run_are_bounded() -> None:
    with Model(only("json_schema")) as server:
        asker = analyst(server.url, tokens_per_run=2 * SIZE)
        asker.consider(BRIEF)
        with pytest.raises(ServiceError, match="tokens_per_run"):
            asker.consider(OTHER)
        assert len(server.bodies) == 1


def test_a_request_that_reached_nobody_is_not_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    asker = analyst(url, timeout=2.0)
    with pytest.raises(ServiceError, match="cannot be reached"):
        asker.consider(BRIEF)
    assert (asker.spent.sent, asker.spent.received, asker.spent.today) == (0, 0, 0)


def test_retries_and_other_forms_are_counted_too() -> None:
    with Model(lambda _: Reply(503)) as server:
        asker = analyst(server.url, tokens_per_incident=3 * SIZE)
        with pytest.raises(ServiceError, match="tokens_per_incident"):
            asker.consider(BRIEF)
        assert len(server.bodies) == 2
        assert asker.spent.sent == 2 * SIZE
    with Model(lambda _: refusing(400)) as server:
        asker = analyst(server.url, tokens_per_incident=2 * SIZE + 300)
        with pytest.raises(ServiceError):
            asker.consider(BRIEF)
        assert len(server.bodies) == 2


@pytest.mark.parametrize(("told", "spent"), [((900, 70), (900, 70)), ((0, 0), None), ((10**12, 10**12), None)])
def test_cost_is_what_the_server_counts_where_that_can_be_meant(
    told: tuple[int, int], spent: tuple[int, int] | None
) -> None:
    def counting(body: Body) -> Reply:
        reply = json.loads(completion(body, GOOD).body)
        reply["usage"] = {"prompt_tokens": told[0], "completion_tokens": told[1], "total_tokens": sum(told)}
        return Reply(body=json.dumps(reply).encode())

    own = SIZE, prompts.count(GOOD)
    with Model(counting) as server:
        asker = analyst(server.url, budget=Purse(50_000))
        asker.consider(BRIEF)
    assert (asker.spent.sent, asker.spent.received) == (spent or own)
    assert asker.spent.today <= asker.tokens_per_incident


def test_what_a_server_counts_beyond_the_grant_is_booked() -> None:
    def counting(body: Body) -> Reply:
        reply = json.loads(completion(body, GOOD).body)
        reply["usage"] = {"prompt_tokens": 60_000, "completion_tokens": 3_000, "total_tokens": 63_000}
        return Reply(body=json.dumps(reply).encode())

    purse = Purse(100_000)
    with Model(counting) as server:
        asker = analyst(server.url, budget=purse, tokens_per_run=70_000)
        asker.consider(BRIEF)
        assert (asker.spent.sent, asker.spent.received, asker.spent.today) == (60_000, 3_000, 63_000)
        asker.consider(OTHER)
        assert purse.taken == 7_000
        with pytest.raises(ServiceError, match="tokens_per_run"):
            asker.consider(BRIEF.model_copy(update={"summary": "cart was OOMKilled"}))
    assert len(server.bodies) == 2


@pytest.mark.parametrize(("behaviour", "timeout"), [(hangs, 0.5), (refuses, 10.0)])
def test_an_answer_that_nobody_reads_is_counted_at_the_most_that_it_may_cost(
    behaviour: Behaviour, timeout: float
) -> None:
    purse = Purse(50_000)
    with Model(behaviour) as server, pytest.raises(ServiceError):
        analyst(server.url, budget=purse, timeout=timeout).consider(BRIEF)
    (body,) = server.bodies
    most = body.get("max_tokens") or body["max_completion_tokens"]
    assert purse.whole - purse.left == SIZE + most


def test_a_server_that_is_not_there_costs_no_answer() -> None:
    with Model(hangs) as server:
        url = server.url
    purse = Purse(50_000)
    with pytest.raises(ServiceError):
        analyst(url, budget=purse, timeout=1.0).consider(BRIEF)
    assert (purse.whole - purse.left) % SIZE == 0


def test_what_was_set_aside_and_not_used_comes_back() -> None:
    purse = Purse(50_000)
    with Model(only("json_schema")) as server:
        asker = analyst(server.url, budget=purse)
        asker.consider(BRIEF)
    assert purse.taken == 20_000
    assert asker.spent.today == 50_000 - purse.left < 3_000


def test_a_day_that_is_spent_ends_the_asking() -> None:
    with Model(only("json_schema")) as server, pytest.raises(ServiceError, match="tokens_per_day"):
        analyst(server.url, budget=Purse(100)).consider(BRIEF)
    assert server.bodies == []


def test_an_answer_is_not_lost_with_the_count() -> None:
    class Broken(Purse):
        def give_back(self, tokens: int) -> int:
            raise ServiceError("GitHub is down")

    with Model(only("json_schema")) as server:
        assert analyst(server.url, budget=Broken(50_000)).consider(BRIEF)


class Purse:
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
