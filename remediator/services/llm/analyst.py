"""A model that is asked once per incident, within a deadline and a token budget, and never needed.

Structured output by JSON Schema first, then a tool call, then plain JSON, for servers that lack the one or the other.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from remediator.diagnosis import prompts
from remediator.domain.model_answer import ModelAnswer, Spent
from remediator.errors import RemediatorError, ServiceError
from remediator.services.llm.refusals import meaning, short, wait_of
from remediator.transport.deadlines import within

if TYPE_CHECKING:
    from remediator.domain.model_answer import ModelQuestion
    from remediator.domain.ports import TokenBudget
    from remediator.services.llm.endpoint import Endpoint

log = logging.getLogger(__name__)

FORMS = ("json_schema", "tool", "plain")
_NAME = "opinion"
_MOST_ANSWER = 200_000
"""Characters of an answer that are read."""
_MOST_TOKENS = 8_000
"""Tokens of one answer, thinking included; a server with a smaller context is asked without this bound."""
_BELIEVED = 2_000_000
"""The highest token count of one answer that is plausible with the largest context; more is not believed."""
_PATIENCE = 2
"""Silences before the model is not asked any more: many incidents must not wait for a dead server once each."""
_LEAST_ANSWER = 150
"""Tokens that the shortest useful answer takes."""


@dataclass
class ChatAnalyst:
    """The `Analyst` port; tokens are counted before a request is sent, again at every retry and in every form."""

    endpoint: Endpoint
    redact: Callable[[str], str] = str
    tokens_per_incident: int = 20_000
    tokens_per_run: int = 100_000
    budget: TokenBudget | None = None
    """The daily token budget; None where nobody keeps one."""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    spent: Spent = field(default_factory=Spent)
    _used: int = 0
    _silent: int = 0
    """Questions in a row that got no answer in time."""
    _forms: list[str] = field(default_factory=lambda: list(FORMS))
    _answers: dict[str, str] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def name(self) -> str:
        """The model's name, for people."""
        return self.endpoint.name

    def consider(self, brief: ModelQuestion) -> str:
        """Return the model's answer; the same question in one run is answered from the cache."""
        system, user = prompts.render(brief, redact=self.redact)
        question = f"{system}\0{user}"
        if question in self._answers:
            return self._answers[question]
        if self._silent >= _PATIENCE:
            raise ServiceError(f"{self.name} was silent {_PATIENCE} times in this run and is not asked any more")
        meter = self._allowed(prompts.count(system + user) + weight(self._forms[0]))
        try:
            self.endpoint.load()
            # A server that drips bytes never times out by itself.
            until = time.monotonic() + self.endpoint.timeout
            with self.endpoint.client() as http:
                answer = self._in_some_form(http, [("system", system), ("user", user)], meter, until)
        except ServiceError as error:
            self._silent += int(error.retryable)
            raise
        finally:
            self._settle(meter)
        self._answers[question], self._silent = answer, 0
        return answer

    def recalled(self) -> None:
        """Count an earlier answer that was reused."""
        with self._lock:
            self.spent = self.spent.model_copy(update={"reused": self.spent.reused + 1})

    def _allowed(self, size: int) -> _Meter:
        """Reserve the tokens of one incident as a whole, so that two runs can never both spend the last ones."""
        least = size + _LEAST_ANSWER
        with self._lock:
            most = min(self.tokens_per_incident, self.tokens_per_run - self._used)
            if most < least:
                per_run = self.tokens_per_run - self._used < least
                name = "tokens_per_run" if per_run else "tokens_per_incident"
                raise ServiceError(f"{getattr(self, name):,} tokens are too few for this question ({name})")
            granted = self.budget.take(least, most) if self.budget else most
            if not granted:
                raise ServiceError("the tokens of this day are spent (tokens_per_day)")
            self._used += granted
            self.spent = self.spent.model_copy(update={"questions": self.spent.questions + 1})
        return _Meter(granted)

    def _settle(self, meter: _Meter) -> None:
        unused = meter.granted - meter.used
        with self._lock:
            self._used -= unused
            today = self.spent.today
            try:
                today = self.budget.give_back(unused) if self.budget else 0
            except RemediatorError as error:  # the answer is there, and what stays set aside only counts too high
                log.warning("%s tokens stay counted as spent today: %s", unused, error)
            self.spent = self.spent.model_copy(
                update={
                    "sent": self.spent.sent + meter.sent,
                    "received": self.spent.received + meter.received,
                    "today": today,
                }
            )

    def _in_some_form(self, http: Any, messages: list[tuple[str, str]], meter: _Meter, until: float) -> str:
        """Return the answer in the first form that works; forms that failed are left out for the rest of the run."""
        failed: dict[str, str] = {}
        for form in tuple(self._forms):
            try:
                answer = self._answer(http, form, messages, meter, until)
            except _Unsupported as error:
                log.info("%s does not take %s: %s", self.name, form, error)
                failed[form] = str(error)
                continue
            with self._lock:
                self._forms = [name for name in self._forms if name not in failed]
            return answer
        raise ServiceError(f"{self.name} takes none of {', '.join(failed)}: {[*failed.values()][-1]}")

    def _answer(self, http: Any, form: str, messages: list[tuple[str, str]], meter: _Meter, until: float) -> str:
        attempt = 0
        prompt = [(*messages[0][:1], messages[0][1] + prompts.plain()), *messages[1:]] if form == "plain" else messages
        size = prompts.count("".join(text for _, text in messages)) + weight(form)
        while True:
            attempt += 1
            most = meter.begin(size)
            try:
                work = lambda most=most: self._once(http, form, prompt, most)  # noqa: E731 - bound to this attempt
                text, counts = within(until - time.monotonic(), work, "no answer in time")
            except ServiceError as error:
                if error.retryable or isinstance(error, _Abandoned):
                    meter.abandon(most)
                raise
            except _Setting as error:
                if error.name in self.endpoint.without:
                    raise ServiceError(f"{self.name}: {error}") from error
                with self._lock:
                    self.endpoint.without.add(error.name)
            except _Passing as error:
                if error.abandoned:
                    meter.abandon(most)
                if error.unsent:
                    meter.unsend(size)
                wait = min(8.0, 0.5 * 2**attempt) * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret
                wait = max(wait, error.after)
                if time.monotonic() + wait > until:
                    raise ServiceError(f"{self.name}: {error}, {attempt} times", retryable=True) from error
                self.sleep(wait)
            else:
                meter.end(size, prompts.count(text), counts)
                return self._text(form, text)

    def _once(self, http: Any, form: str, messages: list[tuple[str, str]], most: int) -> tuple[str, tuple[int, int]]:
        """Send one request; returns the answer's text (a tool call's arguments), and the server's token counts."""
        import httpx
        import openai
        from langsmith.run_helpers import tracing_context

        try:
            with tracing_context(enabled=False):  # the graph's own does not reach into another thread
                reply = self._bind(self.endpoint.model(http, most), form).invoke(messages)
            return _read(self.name, form, reply)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise self._refusal(error) from error
        except openai.RateLimitError as error:
            if error.code == "insufficient_quota":
                raise ServiceError(f"{self.name}: its quota is used up") from error
            raise _Passing("answered 429", wait_of(error.response.headers, self.now())) from error
        except openai.APIConnectionError as error:
            nobody = any(isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout) for cause in _causes(error))
            slow = isinstance(error, openai.APITimeoutError) and not nobody
            raise _Passing("cannot be reached", 0, abandoned=slow, unsent=nobody) from error
        except openai.APIStatusError as error:
            if error.status_code >= 500 or error.status_code in {408, 409, 425}:
                after = wait_of(error.response.headers, self.now())
                raise _Passing(f"answered {error.status_code}", after) from error
            raise ServiceError(f"{self.name}: answered {error.status_code}") from error
        except (ServiceError, _Unsupported):
            raise
        except Exception as error:  # a vendor's stack raises anything for what a server sends
            raise _Abandoned(f"{self.name}: the answer cannot be read ({type(error).__name__})") from error

    def _refusal(self, error: Any) -> Exception:
        match meaning(error.body):
            case "content":
                return ServiceError(f"{self.name}: it refuses the question ({short(error)})")
            case "temperature" | "max_tokens" as setting:
                return _Setting(setting, short(error))
            case _:
                return _Unsupported(short(error))

    def _bind(self, model: Any, form: str) -> Any:
        schema = ModelAnswer.model_json_schema()
        match form:
            case "json_schema":
                response_schema = {"name": _NAME, "schema": schema, "strict": False}
                return model.bind(response_format={"type": "json_schema", "json_schema": response_schema})
            case "tool":
                tool = {"type": "function", "function": {"name": _NAME, "parameters": schema}}
                return model.bind_tools([tool], tool_choice=_NAME)
            case _:
                return model

    def _text(self, form: str, text: str) -> str:
        """Return the JSON in the text: a server that ignores a form often answers in prose."""
        start, end = text.find("{"), text.rfind("}")
        if start < 0 or end < start:
            if form != "plain":
                raise _Unsupported("the answer is no JSON")
            raise ServiceError(f"{self.name}: the answer is no JSON")
        return text[start : end + 1]


def weight(form: str) -> int:
    """Return the tokens that a form adds to the messages: the schema, or its shape in words."""
    return prompts.count(prompts.plain() if form == "plain" else json.dumps(ModelAnswer.model_json_schema()))


@dataclass
class _Meter:
    """The tokens of one question: no request is sent without a reservation."""

    granted: int
    used: int = 0
    sent: int = 0
    received: int = 0

    def begin(self, size: int) -> int:
        """Count a request before it is sent; returns the tokens that remain for its answer."""
        remaining = self.granted - self.used - size
        if remaining < _LEAST_ANSWER:
            raise ServiceError(f"{self.granted:,} tokens are spent on this incident (tokens_per_incident)")
        self.used += size
        self.sent += size
        return min(remaining, _MOST_TOKENS)

    def end(self, size: int, answer: int, counts: tuple[int, int]) -> None:
        """Count an answer; the server's own count is used for the cost, and against the budget only upwards.

        It is booked though it is more than was granted: what is spent is spent, and the next question finds less.
        """
        sent, received = (count if 0 < count <= _BELIEVED else 0 for count in counts)
        self.used += max(0, sent - size) + max(answer, received)
        self.sent += (sent - size) if sent else 0
        self.received += received or answer

    def unsend(self, size: int) -> None:
        """Take back a request that reached nobody."""
        self.used -= size
        self.sent -= size

    def abandon(self, most: int) -> None:
        """Count an unread answer at the most that it may have cost: the server completes it, and bills it."""
        self.used += most


class _Abandoned(ServiceError):
    """The answer was written, and is not read to its end."""


class _Unsupported(Exception):
    """The server does not take this form of a question."""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes: langchain wraps openai's error, which wraps httpx's."""
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__


class _Setting(Exception):
    """The server does not take one setting of a question."""

    def __init__(self, name: str, message: str) -> None:
        self.name = name
        super().__init__(message)


class _Passing(Exception):
    """The server may answer a little later."""

    def __init__(self, message: str, after: float, *, abandoned: bool = False, unsent: bool = False) -> None:
        self.after, self.abandoned, self.unsent = after, abandoned, unsent
        super().__init__(message)


def _read(name: str, form: str, reply: Any) -> tuple[str, tuple[int, int]]:
    """Return the text and the server's own count of tokens (sent, received)."""
    if reply.additional_kwargs.get("refusal"):
        raise _Abandoned(f"{name}: it refuses to answer")
    usage = reply.usage_metadata or {}
    counts = (int(usage.get("input_tokens") or 0), int(usage.get("output_tokens") or 0))
    if form == "tool" and reply.tool_calls:
        return json.dumps(reply.tool_calls[0]["args"]), counts
    content = (
        reply.content if isinstance(reply.content, str) else "".join(str(p.get("text", "")) for p in reply.content)
    )
    return content[:_MOST_ANSWER], counts
