"""The loop of an investigation: bounded whatever the model does, resumed and never repeated, asked once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from remediator.domain.investigation import Ending, Message, ModelReply, Spent, ToolAnswer, ToolCall, ToolSpec
from remediator.errors import ServiceError
from remediator.graph.investigation import Investigator, investigate
from remediator.services.checkpoints.reply_log import FILE, StoredReplies
from tests.fake_ports import MemoryRefStore

if TYPE_CHECKING:
    from collections.abc import Sequence

TOOLS = (
    ToolSpec(name="look", description="Look.", parameters={}),
    ToolSpec(name="conclude", description="End.", parameters={}),
)


@dataclass
class FakeInvestigation:
    """An incident that answers each call with its arguments."""

    key: str = "facts"
    calls: list[tuple[str, str]] = field(default_factory=list)
    ended: bool = False
    recalls: bool = True
    opening: tuple[str, str] = ("You are on call.", "It was killed.")
    tools: tuple[ToolSpec, ...] = TOOLS

    def call(self, call: ToolCall) -> ToolAnswer:
        self.calls.append((call.name, call.arguments))
        self.ended = self.ended or call.name == "conclude"
        return ToolAnswer(
            text=f"said {call.arguments}", step=f"{call.name} {call.arguments}", ended=call.name == "conclude"
        )

    def ending(self, model: str) -> Ending:
        return Ending(proposals=(), note=f"{model} looked", answer='{"tries": []}' if self.ended else "")

    def recall(self, answer: str) -> bool:
        self.ended = self.recalls
        return self.recalls


@dataclass
class FakeModel:
    """An `Analyst` that gives these replies in order, the last one for ever; `dies_at`: the request that kills the run."""

    replies: Sequence[ModelReply | Exception]
    dies_at: int = -1
    tokens: int = 60_000
    cost: int = 1_000
    name: str = "small"
    spent: Spent = field(default_factory=Spent)
    requests: list[tuple[Message, ...]] = field(default_factory=list)
    recalls: int = 0
    closed: int = 0

    @property
    def tokens_left(self) -> int:
        return self.tokens - self.cost * len(self.requests)

    def open(self) -> FakeModel:
        return self

    def recalled(self) -> None:
        self.recalls += 1

    def size(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> int:
        return self.cost

    def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> ModelReply:
        if len(self.requests) == self.dies_at:
            raise KeyboardInterrupt
        said = sum(message.role == "assistant" for message in messages)
        self.requests.append(tuple(messages))
        reply = self.replies[min(said, len(self.replies) - 1)]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self) -> None:
        self.closed += 1


def calls(*names: str, arguments: str = "{}") -> ModelReply:
    return ModelReply(
        calls=tuple(ToolCall(id=f"theirs-{n}", name=name, arguments=arguments) for n, name in enumerate(names))
    )


LOOK, CONCLUDE = calls("look"), calls("conclude")


def test_it_looks_and_concludes_and_each_step_is_shown() -> None:
    shown: list[str] = []
    model, case = FakeModel([LOOK, CONCLUDE]), FakeInvestigation()
    second, _ = investigate(Investigator(model, tell=shown.append, prompt="v2"), case)
    assert case.ended
    assert second.steps == ("look {}", "conclude {}") == tuple(shown)
    assert (second.note, second.heard, second.prompt, model.closed) == ("small looked", True, "v2", 1)
    assert model.requests[1][-1].text == "said {}\n(call 1 of 16)"


def test_two_runs_send_the_same_bytes_whatever_ids_the_server_gives() -> None:
    runs = [
        FakeModel([ModelReply(calls=(ToolCall(id=name, name="look", arguments="{}"),)), CONCLUDE])
        for name in ("a", "b")
    ]
    for model in runs:
        investigate(Investigator(model), FakeInvestigation())
    assert runs[0].requests == runs[1].requests


@pytest.mark.parametrize(
    "replies",
    [
        [LOOK],
        [calls(*["look"] * 8)],
        [ModelReply(text="Let me think.")],
        [calls("nope", arguments="{")],
        [ModelReply()],
    ],
)
def test_a_model_that_never_ends_is_ended(replies: list[ModelReply]) -> None:
    model, case = FakeModel(replies), FakeInvestigation()
    second, ending = investigate(Investigator(model, bounds=5), case)
    assert len(case.calls) <= 5
    assert len(model.requests) <= 7
    assert not case.ended
    assert second.heard
    assert ending.proposals == ()


def test_at_the_bound_it_may_still_conclude_with_what_it_has() -> None:
    model, case = FakeModel([LOOK, LOOK, LOOK, CONCLUDE]), FakeInvestigation()
    investigate(Investigator(model, bounds=3), case)
    assert case.ended
    assert "These were the last calls" in model.requests[-1][-1].text


def test_with_few_tokens_left_it_is_told_to_conclude() -> None:
    model, case = FakeModel([LOOK, CONCLUDE], tokens=5_500), FakeInvestigation()
    investigate(Investigator(model), case)
    assert "These were the last calls" in model.requests[-1][-1].text
    assert case.ended


def test_malformed_arguments_are_answered_and_not_sent_back() -> None:
    model = FakeModel([calls("look", arguments="{broken"), CONCLUDE])
    case = FakeInvestigation()
    investigate(Investigator(model), case)
    assert case.calls[0] == ("look", "{broken")
    sent = [call.arguments for message in model.requests[-1] for call in message.calls]
    assert sent == ["{}"]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_model_that_falls_silent_leaves_the_rules_answer_and_says_so(at: int) -> None:
    replies = [*[LOOK] * at, ServiceError("no answer in time", retryable=True)]
    model = FakeModel(replies)
    second, ending = investigate(Investigator(model), FakeInvestigation())
    assert not second.heard
    assert second.note == "The model was not heard: no answer in time"
    assert ending.proposals == ()
    assert model.closed == 1


@pytest.mark.parametrize("dies_at", [0, 1, 2, 3])
def test_a_run_that_is_killed_goes_on_and_asks_nothing_twice(dies_at: int) -> None:
    store = MemoryRefStore()
    replies = [LOOK, calls("look", arguments='{"page": 2}'), LOOK, CONCLUDE]
    first = FakeModel(replies, dies_at=dies_at)
    with pytest.raises(KeyboardInterrupt):
        investigate(Investigator(first, replies=StoredReplies(store)), FakeInvestigation())
    second, case = FakeModel(replies), FakeInvestigation()
    investigate(Investigator(second, replies=StoredReplies(store)), case)
    assert case.ended
    assert len(first.requests) + len(second.requests) == 4
    assert FILE not in store.read(store.head())
    whole = FakeModel(replies)
    investigate(Investigator(whole), FakeInvestigation())
    assert [*first.requests, *second.requests] == whole.requests


def test_other_facts_are_another_investigation() -> None:
    store = MemoryRefStore()
    with pytest.raises(KeyboardInterrupt):
        investigate(Investigator(FakeModel([LOOK], dies_at=1), replies=StoredReplies(store)), FakeInvestigation())
    other = FakeModel([LOOK, CONCLUDE])
    investigate(Investigator(other, replies=StoredReplies(store)), FakeInvestigation(key="other"))
    assert len(other.requests) == 2


def test_a_reply_with_a_secret_is_not_stored_and_a_spoilt_document_is_passed_over() -> None:
    store = MemoryRefStore()
    log = StoredReplies(store, redact=lambda text: text.replace("hunter2", "[redacted]"))
    log.add("k", ModelReply(text="hunter2"))
    assert log.replies("k") == ()
    store.write(store.head(), {FILE: b'{"k": [{"text": 7}]}'}, "spoil")
    assert log.replies("k") == ()
    store.write(store.head(), {FILE: b"[]"}, "spoil")
    assert log.replies("k") == ()


def test_the_same_facts_are_asked_once() -> None:
    model = FakeModel([CONCLUDE])
    first, _ = investigate(Investigator(model), FakeInvestigation())
    again, _ = investigate(Investigator(model), FakeInvestigation(), first)
    assert (len(model.requests), model.recalls, again.recalled) == (1, 1, True)
    assert again.steps == first.steps


@pytest.mark.parametrize(
    ("case", "kept"),
    [
        (FakeInvestigation(key="other"), {}),
        (FakeInvestigation(recalls=False), {}),
        (FakeInvestigation(), {"key": "v1/other/facts"}),
        (FakeInvestigation(), {"answer": ""}),
    ],
    ids=["other facts", "it no longer holds", "another model", "no answer kept"],
)
def test_what_is_not_the_same_is_asked_anew(case: FakeInvestigation, kept: dict[str, str]) -> None:
    model = FakeModel([CONCLUDE])
    first, _ = investigate(Investigator(model), FakeInvestigation())
    again, _ = investigate(Investigator(model), case, first.model_copy(update=kept))
    assert (len(model.requests), again.recalled) == (2, False)


def test_requests_are_json_without_what_changes_from_run_to_run() -> None:
    model = FakeModel([LOOK, CONCLUDE])
    investigate(Investigator(model), FakeInvestigation())
    text = json.dumps([[message.model_dump() for message in request] for request in model.requests])
    assert "theirs-" not in text
