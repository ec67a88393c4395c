"""A model that investigates one incident at a time, within a deadline and a bound on tokens, and never needed.

Native tool calls first, then calls as plain JSON, for servers that lack them.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from remediator.domain.investigation import Message, ModelReply, Spent, ToolSpec
from remediator.errors import RemediatorError, ServiceError
from remediator.services.llm import wire
from remediator.services.llm.meter import Meter
from remediator.services.llm.refusals import meaning, short, wait_of
from remediator.transport.deadlines import within

if TYPE_CHECKING:
    from remediator.domain.ports import TokenBudget
    from remediator.services.llm.endpoint import Endpoint

log = logging.getLogger(__name__)

FORMS = ("tools", "plain")
_MOST_SILENT = 2
"""A storm of incidents must not wait for a dead server once each: the job would end before its pull requests."""
_LEAST = 4_000
"""Tokens below which no investigation is begun."""


@dataclass
class ChatAnalyst:
    """The `Analyst` port; what is sent is counted before it is sent, again at every retry and in every form."""

    endpoint: Endpoint
    redact: Callable[[str], str] = str
    tokens_per_incident: int = 60_000
    tokens_per_run: int = 300_000
    budget: TokenBudget | None = None
    """The day's count; None where nobody keeps it."""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    spent: Spent = field(default_factory=Spent)
    silent: int = 0
    """Questions in a row that got no answer in time."""
    forms: list[str] = field(default_factory=lambda: list(FORMS))
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _used: int = 0

    @property
    def name(self) -> str:
        """Return the model's name, for people."""
        return self.endpoint.name

    def open(self) -> ChatDialogue:
        """Begin an investigation: its tokens are set aside as a whole, so that two runs never both spend the last ones."""
        if self.silent >= _MOST_SILENT:
            raise ServiceError(f"{self.name} was silent {_MOST_SILENT} times in this run and is not asked any more")
        self.endpoint.load()  # imports take seconds on a busy machine, which are not the server's
        with self.lock:
            most = min(self.tokens_per_incident, self.tokens_per_run - self._used)
            if most < _LEAST:
                per_run = self.tokens_per_run - self._used < _LEAST
                name = "tokens_per_run" if per_run else "tokens_per_incident"
                raise ServiceError(f"{getattr(self, name):,} tokens are too few for an investigation ({name})")
            granted = self.budget.take(_LEAST, most) if self.budget else most
            if not granted:
                raise ServiceError("the tokens of this day are spent (tokens_per_day)")
            self._used += granted
            self.spent = self.spent.model_copy(update={"questions": self.spent.questions + 1})
        return ChatDialogue(self, Meter(granted), time.monotonic() + self.endpoint.timeout)

    def recalled(self) -> None:
        """Count an earlier answer that was used instead of asking."""
        with self.lock:
            self.spent = self.spent.model_copy(update={"reused": self.spent.reused + 1})

    def settle(self, meter: Meter, calls: int) -> None:
        """Give back the tokens that an investigation did not use."""
        unused = meter.granted - meter.used
        with self.lock:
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
                    "calls": self.spent.calls + calls,
                    "today": today,
                }
            )


@dataclass
class ChatDialogue:
    """The `Dialogue` port: one investigation's requests, within its tokens and its deadline."""

    analyst: ChatAnalyst
    meter: Meter
    until: float
    answered: int = 0
    _closed: bool = False

    @property
    def tokens_left(self) -> int:
        """Return the tokens that may still be sent and received."""
        return self.meter.left

    def size(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> int:
        """Return the estimated tokens of a request."""
        return self.meter.size(_length(wire.native(messages), wire.functions(tools)))

    def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> ModelReply:
        """Return the next answer, in the first form that works; what did not is left out for the rest of the run."""
        analyst, failed = self.analyst, dict[str, str]()
        try:
            with analyst.endpoint.client() as http:
                for form in tuple(analyst.forms):
                    try:
                        answer = self._answer(http, form, messages, tools)
                    except _Unsupported as error:
                        log.info("%s does not take %s: %s", analyst.name, form, error)
                        failed[form] = str(error)
                        continue
                    with analyst.lock:
                        analyst.forms = [name for name in analyst.forms if name not in failed]
                    self.answered += 1
                    analyst.silent = 0
                    return answer
        except ServiceError as error:
            analyst.silent += int(error.retryable)
            raise
        raise ServiceError(f"{analyst.name} takes none of {', '.join(failed)}: {[*failed.values()][-1]}")

    def close(self) -> None:
        """Give back the tokens that were not used."""
        if not self._closed:
            self._closed = True
            self.analyst.settle(self.meter, self.answered)

    def _answer(self, http: Any, form: str, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> ModelReply:
        analyst, attempt = self.analyst, 0
        body = wire.native(messages) if form == "tools" else wire.plain(messages, tools)
        functions = wire.functions(tools) if form == "tools" else []
        length = _length(body, functions)
        while True:
            attempt += 1
            size = self.meter.size(length)
            most = self.meter.begin(size)
            try:
                work = lambda most=most: self._once(http, body, functions, most)  # noqa: E731 - bound to this attempt
                answer, counted = within(self.until - time.monotonic(), work, "no answer in time")
            except ServiceError as error:
                if error.retryable or isinstance(error, _Abandoned):
                    self.meter.abandon(min(most, max(0, self.meter.left)))
                raise
            except _Setting as error:
                if error.name in analyst.endpoint.without:
                    raise ServiceError(f"{analyst.name}: {error}") from error
                with analyst.lock:
                    analyst.endpoint.without.add(error.name)
            except _Passing as error:
                self._wait(error, attempt, size, most)
            else:
                reply = wire.reply_of(answer)
                said = sum(len(call.arguments) + len(call.name) for call in reply.calls) + len(reply.text)
                self.meter.end(size, length, said, counted)
                return reply

    def _wait(self, error: _Passing, attempt: int, size: int, most: int) -> None:
        if error.abandoned:
            self.meter.abandon(min(most, max(0, self.meter.left)))
        if error.unsent:
            self.meter.unsend(size)
        wait = min(8.0, 0.5 * 2**attempt) * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret
        wait = max(wait, error.after)
        if time.monotonic() + wait > self.until:
            raise ServiceError(f"{self.analyst.name}: {error}, {attempt} times", retryable=True) from error
        self.analyst.sleep(wait)

    def _once(
        self, http: Any, body: list[dict[str, Any]], functions: list[dict[str, Any]], most: int
    ) -> tuple[Any, tuple[int, int]]:
        """One request: the answer, and the tokens (sent, received) that the server counts."""
        import httpx
        import openai
        from langsmith.run_helpers import tracing_context

        analyst = self.analyst
        try:
            with tracing_context(enabled=False):  # the graph's own does not reach into another thread
                model = analyst.endpoint.model(http, most)
                answer = (model.bind_tools(functions) if functions else model).invoke(body)
            return answer, _counted(analyst.name, answer)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise self._refused(error) from error
        except openai.RateLimitError as error:
            if error.code == "insufficient_quota":
                raise ServiceError(f"{analyst.name}: its quota is used up") from error
            raise _Passing("answered 429", wait_of(error.response.headers, analyst.now())) from error
        except openai.APIConnectionError as error:
            nobody = any(isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout) for cause in _causes(error))
            slow = isinstance(error, openai.APITimeoutError) and not nobody
            raise _Passing("cannot be reached", 0, abandoned=slow, unsent=nobody) from error
        except openai.APIStatusError as error:
            if error.status_code >= 500 or error.status_code in {408, 409, 425}:
                after = wait_of(error.response.headers, analyst.now())
                raise _Passing(f"answered {error.status_code}", after) from error
            raise ServiceError(f"{analyst.name}: answered {error.status_code}") from error
        except (ServiceError, _Unsupported):
            raise
        except Exception as error:  # a vendor's stack raises anything for what a server sends
            raise _Abandoned(f"{analyst.name}: the answer cannot be read ({type(error).__name__})") from error

    def _refused(self, error: Any) -> Exception:
        match meaning(error.body):
            case "content":
                return ServiceError(f"{self.analyst.name}: it refuses the question ({short(error)})")
            case "temperature" | "max_tokens" as setting:
                return _Setting(setting, short(error))
            case _:
                return _Unsupported(short(error))


def _length(body: list[dict[str, Any]], functions: list[dict[str, Any]]) -> int:
    return len(json.dumps([body, functions], ensure_ascii=False).encode())


def _counted(name: str, answer: Any) -> tuple[int, int]:
    if answer.additional_kwargs.get("refusal"):
        raise _Abandoned(f"{name}: it refuses to answer")
    usage = answer.usage_metadata or {}
    return int(usage.get("input_tokens") or 0), int(usage.get("output_tokens") or 0)


class _Abandoned(ServiceError):
    """An answer that was written, and is not read to its end."""


class _Unsupported(Exception):
    """The server does not take this form of a question."""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield it, and what it was raised from: langchain wraps openai's error, which wraps httpx's."""
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
    """It may answer a little later."""

    def __init__(self, message: str, after: float, *, abandoned: bool = False, unsent: bool = False) -> None:
        self.after, self.abandoned, self.unsent = after, abandoned, unsent
        super().__init__(message)
