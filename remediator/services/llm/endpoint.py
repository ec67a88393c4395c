"""One server that speaks OpenAI's protocol: its address, its client, and the settings that it refuses."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

_MOST_BYTES, _MOST_PACKED = 4_000_000, 200_000
"""Bytes of an answer's body, and of a body that was compressed although nobody asked for it."""


@dataclass
class Endpoint:
    """The server: OpenAI's own address where none is given; with an `api_version` Azure OpenAI's protocol."""

    name: str
    api_key: SecretStr
    base_url: str = ""
    api_version: str = ""
    timeout: float = 60.0
    temperature: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    without: set[str] = field(default_factory=set)
    """Settings that the server has refused in this run, and that are no longer sent."""

    def load(self) -> None:
        """Import the client's packages; on a busy machine that takes seconds, which are not the server's."""
        for name in ("httpx", "langchain_openai.chat_models", "langsmith.run_helpers"):
            importlib.import_module(name)

    def model(self, http: Any, most_answer: int) -> Any:
        """Return a chat model over this HTTP client that retries nothing by itself."""
        from langchain_openai import AzureChatOpenAI, ChatOpenAI
        from pydantic import SecretStr

        options: dict[str, Any] = {}
        if self.temperature is not None and "temperature" not in self.without:
            options["temperature"] = self.temperature
        if "max_tokens" not in self.without:
            options["max_completion_tokens"] = most_answer
        options |= {
            "model": self.name,
            "api_key": self.api_key if self.api_key.get_secret_value() else SecretStr("none"),
            "default_headers": {"Accept-Encoding": "identity", **self.headers},
            "timeout": self.timeout,
            "max_retries": 0,
            "http_client": http,
        }
        if not self.api_version:
            return ChatOpenAI(base_url=self.base_url or None, **options)
        root, _, deployment = self.base_url.rstrip("/").partition("/openai/deployments/")
        return AzureChatOpenAI(
            azure_endpoint=root.removesuffix("/openai"),
            azure_deployment=deployment.partition("/")[0] or self.name,
            api_version=self.api_version,
            **options,
        )

    def client(self) -> Any:
        """Return an HTTP client that follows no redirect, which could leak the key, and limits an answer's size."""
        import httpx

        return httpx.Client(follow_redirects=False, timeout=self.timeout, event_hooks={"response": [_bounded]})


def _bounded(response: Any) -> None:
    """Cut an answer's body off, before it is read, where it is longer than any answer could be."""
    import httpx

    packed = response.headers.get("Content-Encoding", "identity") != "identity"
    most = _MOST_PACKED if packed else _MOST_BYTES

    class Bounded(httpx.SyncByteStream):
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def __iter__(self) -> Any:
            remaining = most
            for chunk in self.stream:
                remaining -= len(chunk)
                if remaining < 0:
                    raise httpx.ReadError(f"more than {most:,} bytes")
                yield chunk

        def close(self) -> None:
            self.stream.close()

    response.stream = Bounded(response.stream)
