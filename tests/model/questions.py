"""A client of the stand-in as tests make it, a question for it, and an answer that can be used."""

from __future__ import annotations

from pydantic import SecretStr

from remediator.domain.model_answer import EvidenceExcerpt, ModelQuestion
from remediator.services.llm import ChatAnalyst, Endpoint
from tests.model.model_server import opinion

_ENDPOINT = frozenset({"name", "api_key", "api_version", "timeout", "temperature", "headers"})

BRIEF = ModelQuestion(
    category="oom",
    severity="critical",
    summary="checkout was OOMKilled",
    windows=(EvidenceExcerpt(id="E1", category="oom", signal="oom_killed", text="OOMKilled"),),
    categories=("oom", "network_error"),
)
GOOD = opinion(root_cause=[{"text": "The limit is too low.", "evidence": ["E1"]}])


def analyst(url: str, **facts: object) -> ChatAnalyst:
    """Ten seconds, no sleep between tries; facts of the endpoint and of the analyst by their names."""
    known = {"name": "small", "api_key": SecretStr("sk-fake"), "timeout": 10.0, "sleep": lambda _: None, **facts}
    endpoint = {key: value for key, value in known.items() if key in _ENDPOINT}
    rest = {key: value for key, value in known.items() if key not in _ENDPOINT}
    return ChatAnalyst(Endpoint(base_url=url, **endpoint), **rest)
