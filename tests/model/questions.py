"""A client of the stand-in as tests make it, a question for it, and an answer that can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from remediator.domain.investigation import Message, ToolSpec
from remediator.services.llm import ChatAnalyst, Endpoint
from tests.model.model_server import completion, conclude

if TYPE_CHECKING:
    from remediator.domain.investigation import ModelReply
    from tests.model.model_server import Body, Reply

_ENDPOINT = frozenset({"name", "api_key", "api_version", "timeout", "temperature", "headers"})

QUESTION = (Message(role="system", text="You are on call."), Message(role="user", text="checkout was OOMKilled"))
OTHER = (QUESTION[0], Message(role="user", text="payment was OOMKilled"))
TOOLS = (ToolSpec(name="conclude", description="End.", parameters={"type": "object", "properties": {}}),)


def good(body: Body) -> Reply:
    return completion(body, calls=[conclude()])


def analyst(url: str, **facts: object) -> ChatAnalyst:
    """Ten seconds, no sleep between tries; facts of the endpoint and of the analyst by their names."""
    known = {"name": "small", "api_key": SecretStr("sk-fake"), "timeout": 10.0, "sleep": lambda _: None, **facts}
    endpoint = {key: value for key, value in known.items() if key in _ENDPOINT}
    rest = {key: value for key, value in known.items() if key not in _ENDPOINT}
    return ChatAnalyst(Endpoint(base_url=url, **endpoint), **rest)


def ask(asker: ChatAnalyst, question: tuple[Message, ...] = QUESTION) -> ModelReply:
    """One question in an investigation of its own."""
    conversation = asker.open()
    try:
        return conversation.reply(question, TOOLS)
    finally:
        conversation.close()
