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
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

import requests
import requests.auth
import requests.utils

from remediator.errors import ConfigError, ServiceError
from remediator.services.github.refusals import graphql_refusal, refusal, words
from remediator.transport.deadlines import authority

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
REDIRECTS = 3
_SAFE = frozenset({"GET", "PUT", "DELETE"})


class _Bearer(requests.auth.AuthBase):
    """The token on each request: as a mere header it would yield to a `.netrc` on the runner."""

    def __init__(self, token: SecretStr | None) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token is not None:
            request.headers["Authorization"] = f"Bearer {self.token.get_secret_value()}"
        return request


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
        return words(self.body)


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
    ca: str = ""
    """An own certificate authority, a path or PEM text; empty: what REQUESTS_CA_BUNDLE says, else the usual ones."""
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

    @cached_property
    def _authority(self) -> str | bool:
        """The own authority beside the usual ones, since artifacts may lie on a host that those vouch for.

        A file, as requests takes it, told with each request: what a session is told yields to the environment.
        """
        if not self.ca:
            return True
        try:
            own = Path(authority(self.ca, "github-ca")).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ConfigError("github-ca: this is no file of certificates", file=self.ca) from error
        usual = Path(requests.utils.DEFAULT_CA_BUNDLE_PATH).read_text(encoding="utf-8")
        return authority(f"{usual}\n{own}\n", "github-ca")

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
        raise refusal(f"{method} {path or '/'}", answer, reply.body)

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
            raise refusal("GraphQL", answer, body)
        errors = body.get("errors") or []
        if errors and not all(error.get("type") in expect for error in errors):
            raise graphql_refusal(errors)
        data = body.get("data") or {}
        self.node_id = (data.get("repository") or {}).get("id") or self.node_id
        return {**data, "errors": errors}

    def stream(self, path: str) -> requests.Response:
        """The bytes behind a redirect to another host, which never sees the token; to be closed by the caller."""
        url = f"{self.api}/repos/{self.repository}{quote(path, safe='/.~-_')}"
        answer = self._send("GET", url, None, again=True, redirects=False)
        if answer.is_redirect:
            try:
                found = self.session.get(
                    answer.headers["Location"], stream=True, timeout=TIMEOUT, auth=_Bearer(None), verify=self._authority
                )
            except requests.exceptions.SSLError as error:
                raise self._distrusted(answer.headers["Location"], error) from None
            except requests.RequestException as error:
                raise ServiceError(f"the download broke off: {type(error).__name__}", retryable=True) from error
            if found.status_code >= 400:
                raise ServiceError(f"the download was answered with {found.status_code}", retryable=True)
            return found
        raise refusal(f"GET {path}", answer, _body(answer))

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
        what = f"{method} {url.removeprefix(self.api)}"
        for attempt in range(1, self.tries + 1):
            last = attempt == self.tries
            try:
                answer = self._once(method, url, json, params=params, accept=accept, redirects=redirects)
            except requests.exceptions.SSLError as error:
                raise self._distrusted(self.api, error) from None
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                sent = not isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError)
                self._lost(what, f"the connection failed ({_short(error)})", again=again or not sent, last=last)
                self._pause(attempt)
                continue
            wait = self._limited(answer)
            if wait is not None:
                self._wait(wait, what, answer, last=last)
            elif answer.status_code >= 500:
                self._lost(what, f"answered {answer.status_code}", again=again, last=last)
                self._pause(attempt, answer.headers.get("Retry-After", ""))
            else:
                return answer
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self, method: str, url: str, json: Any, *, params: Mapping[str, str] | None, accept: str, redirects: bool
    ) -> requests.Response:
        """One exchange. A renamed repository moves on the same host, method and body kept; no other is followed."""
        for _ in range(REDIRECTS + 1):
            answer = self.session.request(
                method, url, json=json, params=params, headers={"Accept": accept}, timeout=TIMEOUT,
                allow_redirects=False, auth=_Bearer(self.token), verify=self._authority,
            )  # fmt: skip
            if not (redirects and answer.is_redirect):
                return answer
            there = urljoin(url, answer.headers["Location"])
            if _origin(there) != _origin(url):
                raise ConfigError(f"GitHub: {self.api} sends us on to {_origin(there)}, which never sees the token")
            url, params = there, None
        raise ServiceError(f"GitHub: {self.api} redirects in circles")

    def _distrusted(self, where: str, error: Exception) -> ConfigError:
        host = urlsplit(where).netloc
        return ConfigError(f"cannot trust {host}: {_short(error)}; give its authority as `github-ca`")

    def _lost(self, what: str, why: str, *, again: bool, last: bool) -> None:
        if not again:
            raise Unsure(f"GitHub: {what}: {why}")
        if last:
            raise ServiceError(f"GitHub: {what}: {why}, {self.tries} times", retryable=True)
        log.info("%s: %s; trying again", what, why)

    def _pause(self, attempt: int, after: str = "") -> None:
        jittered = min(8.0, 0.5 * 2**attempt) * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret
        self.sleep(min(float(after), PATIENCE) if after.isdigit() else jittered)

    def _limited(self, answer: requests.Response) -> float | None:
        """Seconds to wait where the answer is a rate limit, which refuses before anything has an effect."""
        spent = answer.headers.get("X-RateLimit-Remaining") == "0"
        # GraphQL tells of its limit in a 200.
        if answer.status_code not in {403, 429} and not (spent and b'"RATE_LIMITED"' in answer.content[:1000]):
            return None
        after = answer.headers.get("Retry-After", "")
        if after.isdigit():
            return float(after)
        if spent:
            reset = answer.headers.get("X-RateLimit-Reset", "")
            return max(1.0, float(reset) - self.now()) if reset.isdigit() else 60.0
        if answer.status_code == 429 or "secondary rate limit" in words(_body(answer)):
            return 60.0
        return None

    def _wait(self, wait: float, what: str, answer: requests.Response, *, last: bool) -> None:
        if last or wait > PATIENCE:
            raise ServiceError(
                f"GitHub: {what}: rate limit ({words(_body(answer))}); lifts in {wait:.0f} s", retryable=True
            )
        log.warning("%s: rate limit, waiting %.0f s", what, wait)
        self.sleep(wait)


def _body(answer: requests.Response) -> Any:
    if "json" not in answer.headers.get("Content-Type", "") or not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        return None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _short(error: Exception) -> str:
    return type(error).__name__
