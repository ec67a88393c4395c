"""A model behind any OpenAI-compatible endpoint: asked once an incident, within a deadline, and never needed.

Structured output by JSON Schema first, then a tool call, then plain JSON, for servers that lack the one or the other.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remediator.diagnosis import prompts
from remediator.domain.opinion import Opinion
from remediator.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from remediator.domain.opinion import Brief

log = logging.getLogger(__name__)

FORMS = ("json_schema", "tool", "plain")
_NAME = "opinion"
_MOST_ANSWER = 200_000
"""Characters of an answer that are looked at."""


@dataclass
class ChatAnalyst:
    """The `Analyst` port; `tokens_per_run` bounds what all incidents of one run may send and receive."""

    name: str
    api_key: SecretStr
    base_url: str = ""
    timeout: float = 60.0
    """Seconds for one incident, retries included."""
    temperature: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    redact: Callable[[str], str] = str
    tokens_per_run: int = 100_000
    tokens: int = 0
    sleep: Callable[[float], None] = time.sleep
    _forms: list[str] = field(default_factory=lambda: list(FORMS))
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def consider(self, brief: Brief) -> str:
        """See the port."""
        system, user = prompts.render(brief)
        messages = [("system", system), ("user", self.redact(user))]
        size = prompts.count(system + user)
        with self._lock:
            if self.tokens + size > self.tokens_per_run:
                raise ServiceError(f"{self.tokens_per_run} tokens of this run are spent")
            self.tokens += size
        import httpx

        until = time.monotonic() + self.timeout
        # A redirect could lead the key and the evidence to somebody else.
        with httpx.Client(follow_redirects=False, timeout=self.timeout) as http:
            answer = self._in_some_form(self._model(http), messages, until)
        with self._lock:
            self.tokens += prompts.count(answer)
        return answer

    def _in_some_form(self, model: Any, messages: list[tuple[str, str]], until: float) -> str:
        """The first form that the server takes; what it does not take is not tried again in this run."""
        while True:
            form = self._forms[0]
            try:
                return self._answer(model, form, messages, until)
            except _Unsupported as error:
                log.info("%s does not take %s: %s", self.name, form, error)
                with self._lock:
                    if len(self._forms) == 1:
                        raise ServiceError(f"{self.name} takes none of {', '.join(FORMS)}: {error}") from error
                    if self._forms[0] == form:
                        self._forms.pop(0)

    def _model(self, http: Any) -> Any:
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        given: dict[str, Any] = {"temperature": self.temperature} if self.temperature is not None else {}
        return ChatOpenAI(
            model=self.name,
            api_key=self.api_key if self.api_key.get_secret_value() else SecretStr("none"),
            base_url=self.base_url or None,
            default_headers=dict(self.headers),
            timeout=self.timeout,
            max_retries=0,
            http_client=http,
            **given,
        )

    def _answer(self, model: Any, form: str, messages: list[tuple[str, str]], until: float) -> str:
        attempt = 0
        while True:
            attempt += 1
            try:
                return _within(until - time.monotonic(), lambda: self._once(model, form, messages))
            except _Passing as error:
                wait = min(8.0, 0.5 * 2**attempt) * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret
                wait = max(wait, error.after)
                if time.monotonic() + wait > until:
                    raise ServiceError(f"{self.name}: {error}, {attempt} times", retryable=True) from error
                self.sleep(wait)

    def _once(self, model: Any, form: str, messages: list[tuple[str, str]]) -> str:
        import httpx
        import openai

        try:
            said = self._asked(model, form).invoke(messages)
            return self._text(form, said)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise _Unsupported(_short(error)) from error
        except (openai.RateLimitError, openai.InternalServerError) as error:
            raise _Passing(f"answered {error.status_code}", _after(error)) from error
        except openai.APIConnectionError as error:
            raise _Passing("cannot be reached", 0) from error
        except openai.APIStatusError as error:
            raise ServiceError(f"{self.name}: answered {error.status_code}") from error
        except (
            openai.OpenAIError,
            httpx.HTTPError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            IndexError,
        ) as error:
            raise ServiceError(f"{self.name}: the answer cannot be read ({type(error).__name__})") from error

    def _asked(self, model: Any, form: str) -> Any:
        schema = Opinion.model_json_schema()
        match form:
            case "json_schema":
                wanted = {"name": _NAME, "schema": schema, "strict": False}
                return model.bind(response_format={"type": "json_schema", "json_schema": wanted})
            case "tool":
                tool = {"type": "function", "function": {"name": _NAME, "parameters": schema}}
                return model.bind_tools([tool], tool_choice=_NAME)
            case _:
                return model

    def _text(self, form: str, said: Any) -> str:
        if said.additional_kwargs.get("refusal"):
            raise ServiceError(f"{self.name}: it refuses to answer")
        if form == "tool":
            if not said.tool_calls:
                raise _Unsupported("no tool was called")
            return json.dumps(said.tool_calls[0]["args"])
        text = str(said.content)[:_MOST_ANSWER]
        start, end = text.find("{"), text.rfind("}")
        if start < 0 or end < start:
            raise ServiceError(f"{self.name}: the answer is no JSON")
        return text[start : end + 1]


class _Unsupported(Exception):
    """The server does not take this form of a question."""


class _Passing(Exception):
    """It may answer a little later."""

    def __init__(self, message: str, after: float) -> None:
        self.after = after
        super().__init__(message)


def _within(seconds: float, work: Callable[[], str]) -> str:
    """The result, or ServiceError once the time is over: a server that drips bytes never times out by itself."""
    done: list[str | Exception] = []

    def run() -> None:
        try:
            done.append(work())
        except (RuntimeError, ServiceError, _Unsupported, _Passing) as error:
            done.append(error)

    thread = threading.Thread(target=run, name="model", daemon=True)
    thread.start()
    thread.join(max(seconds, 0))
    if not done:
        raise ServiceError("no answer in time")
    if isinstance(done[0], Exception):
        raise done[0]
    return done[0]


def _after(error: Any) -> float:
    text = str(error.response.headers.get("Retry-After", ""))
    return float(text) if text.isdigit() else 0.0


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
