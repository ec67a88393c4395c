"""The one place that speaks to GitHub: authentication, waiting, repeating where that is safe, errors of ours.

A request that may have had an effect is repeated only where a second one changes nothing (`again`);
otherwise `Unsure` is raised, and whoever asked looks for what the first one made.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from remediator.errors import ConfigError, ConflictError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pydantic import SecretStr

log = logging.getLogger(__name__)

JSON, RAW = "application/vnd.github+json", "application/vnd.github.raw+json"
VERSION = "2022-11-28"
TRIES = 5
PATIENCE = 120.0
"""Seconds that one request may wait for a limit to lift; a longer wait is the next run's."""

TIMEOUT = (10, 60)
_SAFE = frozenset({"GET", "PUT", "DELETE"})


class Unsure(ServiceError):
    """A request was lost on the way: it may or may not have had its effect."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


@dataclass(frozen=True)
class Reply:
    """An answer that the caller said it can deal with."""

    status: int
    body: Any
    raw: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def message(self) -> str:
        """GitHub's own words for a refusal, its details included."""
        return _words(self.body)


@dataclass
class Client:
    """One repository on github.com or on an Enterprise Server, with one token."""

    token: SecretStr = field(repr=False)
    repository: str
    """`owner/name`."""
    api: str = "https://api.github.com"
    graphql_url: str = ""
    """Empty: what goes with `api`."""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    tries: int = TRIES
    node_id: str = ""
    """GraphQL's id of the repository, kept from any answer that holds it."""

    def __post_init__(self) -> None:
        self.api = self.api.rstrip("/")
        stem = self.api.removesuffix("/v3") if self.api.endswith("/api/v3") else self.api
        self.graphql_url = self.graphql_url or f"{stem}/graphql"
        owner, slash, name = self.repository.partition("/")
        if not (owner and slash and name) or "/" in name:
            raise ConfigError(f"{self.repository!r} is no repository: write OWNER/NAME")

    @property
    def owner(self) -> str:
        """Whose repository it is."""
        return self.repository.partition("/")[0]

    @property
    def name(self) -> str:
        """The repository without its owner."""
        return self.repository.partition("/")[2]

    @cached_property
    def session(self) -> requests.Session:
        """Connections are kept; proxies and certificates come from the environment, as requests reads it."""
        session = requests.Session()
        session.headers.update({"X-GitHub-Api-Version": VERSION, "User-Agent": "remediator"})
        return session

    def rest(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        accept: str = JSON,
        expect: Collection[int] = (),
        again: bool | None = None,
    ) -> Reply:
        """A call below `/repos/OWNER/NAME`; statuses from 400 on raise unless they are expected."""
        url = f"{self.api}/repos/{self.repository}{quote(path, safe='/.~-_')}"
        safe = method in _SAFE if again is None else again
        answer = self._send(method, url, json, params=params, accept=accept, again=safe)
        reply = Reply(answer.status_code, _body(answer), answer.content, dict(answer.headers))
        if reply.status < 400 or reply.status in expect:
            return reply
        raise _error(f"{method} {path or '/'}", answer, reply.body)

    def pages(self, path: str, params: Mapping[str, str] | None = None, *, most: int = 10) -> Iterator[Any]:
        """All rows of a list, a hundred a request; at most that many pages."""
        for number in range(1, most + 1):
            rows = self.rest("GET", path, params={**(params or {}), "per_page": "100", "page": str(number)}).body
            yield from rows
            if len(rows) < 100:
                return

    def graphql(
        self, query: str, variables: Mapping[str, Any], *, again: bool = True, expect: Collection[str] = ()
    ) -> Mapping[str, Any]:
        """`data` of an answer; errors raise, unless all are of an expected type: then they come under `errors`."""
        whole = {"owner": self.owner, "name": self.name, **variables}
        used = {key: value for key, value in whole.items() if f"${key}" in query}
        answer = self._send("POST", self.graphql_url, {"query": query, "variables": used}, again=again)
        body = _body(answer)
        if answer.status_code >= 400 or not isinstance(body, dict):
            raise _error("GraphQL", answer, body)
        errors = body.get("errors") or []
        if errors and not all(error.get("type") in expect for error in errors):
            raise _graphql_error(errors)
        data = body.get("data") or {}
        self.node_id = (data.get("repository") or {}).get("id") or self.node_id
        return {**data, "errors": errors}

    def stream(self, path: str) -> requests.Response:
        """The bytes behind a redirect to another host, which never sees the token; to be closed by the caller."""
        url = f"{self.api}/repos/{self.repository}{quote(path, safe='/.~-_')}"
        answer = self._send("GET", url, None, again=True, redirects=False)
        if answer.status_code in {301, 302, 303, 307, 308}:
            try:
                found = self.session.get(answer.headers["Location"], stream=True, timeout=TIMEOUT)
            except requests.RequestException as error:
                raise ServiceError(f"the download broke off: {type(error).__name__}", retryable=True) from error
            if found.status_code >= 400:
                raise ServiceError(f"the download was answered with {found.status_code}", retryable=True)
            return found
        raise _error(f"GET {path}", answer, _body(answer))

    def _send(
        self,
        method: str,
        url: str,
        json: Any,
        *,
        params: Mapping[str, str] | None = None,
        accept: str = JSON,
        again: bool,
        redirects: bool = True,
    ) -> requests.Response:
        """One answer that is neither a limit nor a passing failure; Unsure where a repetition could do it twice."""
        headers = {"Accept": accept, "Authorization": f"Bearer {self.token.get_secret_value()}"}
        what = f"{method} {url.removeprefix(self.api)}"
        for attempt in range(1, self.tries + 1):
            last = attempt == self.tries
            try:
                answer = self.session.request(
                    method, url, json=json, params=params, headers=headers, timeout=TIMEOUT, allow_redirects=redirects
                )
            except requests.exceptions.SSLError as error:
                raise ConfigError(f"cannot trust {self.api}: {_short(error)}; set REQUESTS_CA_BUNDLE") from None
            except (requests.ConnectionError, requests.Timeout) as error:
                sent = not isinstance(error, requests.ConnectTimeout)
                self._lost(what, f"the connection failed ({_short(error)})", again=again or not sent, last=last)
                self._pause(attempt)
                continue
            wait = self._limited(answer)
            if wait is not None:
                self._wait(wait, what, answer, last=last)
            elif answer.status_code >= 500:
                self._lost(what, f"answered {answer.status_code}", again=again, last=last)
                self._pause(attempt)
            else:
                return answer
        raise AssertionError("the last attempt returns or raises")

    def _lost(self, what: str, why: str, *, again: bool, last: bool) -> None:
        if not again:
            raise Unsure(f"GitHub: {what}: {why}")
        if last:
            raise ServiceError(f"GitHub: {what}: {why}, {self.tries} times", retryable=True)
        log.info("%s: %s; trying again", what, why)

    def _pause(self, attempt: int) -> None:
        self.sleep(min(8.0, 0.5 * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret

    def _limited(self, answer: requests.Response) -> float | None:
        """Seconds to wait where the answer is a rate limit, which refuses before anything has an effect."""
        if answer.status_code not in {403, 429}:
            return None
        after = answer.headers.get("Retry-After", "")
        if after.isdigit():
            return float(after)
        if answer.headers.get("X-RateLimit-Remaining") == "0":
            reset = answer.headers.get("X-RateLimit-Reset", "")
            return max(1.0, float(reset) - self.now()) if reset.isdigit() else 60.0
        if answer.status_code == 429 or "secondary rate limit" in _words(_body(answer)):
            return 60.0
        return None

    def _wait(self, wait: float, what: str, answer: requests.Response, *, last: bool) -> None:
        if last or wait > PATIENCE:
            words = _words(_body(answer))
            raise ServiceError(f"GitHub: {what}: rate limit ({words}); lifts in {wait:.0f} s", retryable=True)
        log.warning("%s: rate limit, waiting %.0f s", what, wait)
        self.sleep(wait)


def _body(answer: requests.Response) -> Any:
    if "json" not in answer.headers.get("Content-Type", "") or not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        return None


def _words(body: Any) -> str:
    """`message` and what `errors` add to it, on one line."""
    if not isinstance(body, Mapping):
        return ""
    errors = body.get("errors")
    parts = [str(body.get("message") or "")]
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, Mapping):
            parts.append(str(error.get("message") or " ".join(str(error.get(k, "")) for k in ("field", "code"))))
        else:
            parts.append(str(error))
    return " ".join(" ".join(part for part in parts if part).split())


def _short(error: Exception) -> str:
    return type(error).__name__


def _error(what: str, answer: requests.Response, body: Any) -> Exception:
    """Our error for a refusal, naming the permission or setting that is missing."""
    words = _words(body) or answer.reason or "no reason given"
    match answer.status_code:
        case 401:
            return ConfigError(
                f"GitHub refuses the token ({words}): give `token` one that is valid for this repository"
            )
        case 403:
            needs = answer.headers.get("X-Accepted-GitHub-Permissions", "").replace("=", ": ")
            hint = f"; the job needs `permissions: {needs}`" if needs else ""
            return ConfigError(f"GitHub forbids {what} ({words}){hint}")
        case 404:
            return ConfigError(f"GitHub: {what}: not found, or not visible to this token")
        case 409:
            return ConflictError(f"GitHub: {what}: {words}")
        case status:
            return ServiceError(f"GitHub: {what}: {status}: {words}")


def _graphql_error(errors: list[Any]) -> Exception:
    words = "; ".join(" ".join(str(error.get("message", "")).split()) for error in errors)
    kinds = {error.get("type") for error in errors}
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        return ConfigError(f"GitHub forbids this ({words}): the job needs `contents: write` and `pull-requests: write`")
    if "NOT_FOUND" in kinds:
        return ConfigError(f"GitHub: {words}; or it is not visible to this token")
    if "RATE_LIMITED" in kinds:
        return ServiceError(f"GitHub: rate limit ({words})", retryable=True)
    return ServiceError(f"GitHub: {words}")
