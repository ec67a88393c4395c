"""The HTTP client of GitHub: authentication, rate limits, safe retries, and our own errors.

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
from remediator.transport.certificate_authority import authority_file

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
    """An answer with a status that the caller expects."""

    status: int
    body: Any
    raw: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def message(self) -> str:
        """The text of GitHub's refusal, its details included."""
        return words(self.body)


@dataclass
class Client:
    """One repository on github.com or on an Enterprise Server, with one token."""

    token: SecretStr = field(repr=False)
    repository: str
    """The repository as `owner/name`."""
    api: str = "https://api.github.com"
    graphql_url: str = ""
    """The address of GraphQL; empty: derived from `api`."""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    tries: int = TRIES
    ca: str = ""
    """A certificate authority of the user's, a path or PEM text; empty: REQUESTS_CA_BUNDLE, else the usual ones."""
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
        """The owner of the repository."""
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
        """Return the user's authority together with the usual ones, since artifacts may be stored on another host.

        A file, as requests takes it, told with each request: what a session is told yields to the environment.
        """
        if not self.ca:
            return True
        try:
            certificates = Path(authority_file(self.ca, "github-ca")).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ConfigError("github-ca: this is no file of certificates", file=self.ca) from error
        usual = Path(requests.utils.DEFAULT_CA_BUNDLE_PATH).read_text(encoding="utf-8")
        return authority_file(f"{usual}\n{certificates}\n", "github-ca")

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
        """Call a path below `/repos/OWNER/NAME`; statuses from 400 on raise unless they are expected."""
        url = f"{self.api}/repos/{self.repository}{quote(path, safe='/.~-_')}"
        safe = method in _SAFE if again is None else again
        answer = self._send(method, url, json, params=params, accept=accept, again=safe)
        reply = Reply(answer.status_code, _body(answer), answer.content, dict(answer.headers))
        if reply.status < 400 or reply.status in expect:
            return reply
        raise refusal(f"{method} {path or '/'}", answer, reply.body)

    def pages(self, path: str, params: Mapping[str, str] | None = None, *, most: int = 10) -> Iterator[Any]:
        """Yield all rows of a list, a hundred a request; at most that many pages."""
        for number in range(1, most + 1):
            rows = self.rest("GET", path, params={**(params or {}), "per_page": "100", "page": str(number)}).body
            yield from rows
            if len(rows) < 100:
                return

    def graphql(
        self, query: str, variables: Mapping[str, Any], *, again: bool = True, expect: Collection[str] = ()
    ) -> Mapping[str, Any]:
        """Return `data` of an answer; errors raise, unless all are of an expected type: then they stand in `errors`."""
        all_variables = {"owner": self.owner, "name": self.name, **variables}
        used = {key: value for key, value in all_variables.items() if f"${key}" in query}
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
        """Return the bytes behind a redirect to another host, without sending the token; the caller closes it."""
        url = f"{self.api}/repos/{self.repository}{quote(path, safe='/.~-_')}"
        answer = self._send("GET", url, None, again=True, redirects=False)
        if answer.is_redirect:
            try:
                download = self.session.get(
                    answer.headers["Location"], stream=True, timeout=TIMEOUT, auth=_Bearer(None), verify=self._authority
                )
            except requests.exceptions.SSLError as error:
                raise self._untrusted(answer.headers["Location"], error) from None
            except requests.RequestException as error:
                raise ServiceError(f"the download broke off: {type(error).__name__}", retryable=True) from error
            if download.status_code >= 400:
                raise ServiceError(f"the download was answered with {download.status_code}", retryable=True)
            return download
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
        """Return one answer that is neither a limit nor a passing failure; Unsure where a retry could act twice."""
        request = f"{method} {url.removeprefix(self.api)}"
        for attempt in range(1, self.tries + 1):
            last = attempt == self.tries
            try:
                answer = self._once(method, url, json, params=params, accept=accept, redirects=redirects)
            except requests.exceptions.SSLError as error:
                raise self._untrusted(self.api, error) from None
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                sent = not isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError)
                self._lost(request, f"the connection failed ({_short(error)})", again=again or not sent, last=last)
                self._pause(attempt)
                continue
            wait = self._limited(answer)
            if wait is not None:
                self._wait(wait, request, answer, last=last)
            elif answer.status_code >= 500:
                self._lost(request, f"answered {answer.status_code}", again=again, last=last)
                self._pause(attempt, answer.headers.get("Retry-After", ""))
            else:
                return answer
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self, method: str, url: str, json: Any, *, params: Mapping[str, str] | None, accept: str, redirects: bool
    ) -> requests.Response:
        """Send one request. A renamed repository moves on the same host; no other redirect is followed."""
        for _ in range(REDIRECTS + 1):
            answer = self.session.request(
                method, url, json=json, params=params, headers={"Accept": accept}, timeout=TIMEOUT,
                allow_redirects=False, auth=_Bearer(self.token), verify=self._authority,
            )  # fmt: skip
            if not (redirects and answer.is_redirect):
                return answer
            target = urljoin(url, answer.headers["Location"])
            if _origin(target) != _origin(url):
                raise ConfigError(f"GitHub: {self.api} sends us on to {_origin(target)}, which never sees the token")
            url, params = target, None
        raise ServiceError(f"GitHub: {self.api} redirects in circles")

    def _untrusted(self, url: str, error: Exception) -> ConfigError:
        host = urlsplit(url).netloc
        return ConfigError(f"cannot trust {host}: {_short(error)}; give its authority as `github-ca`")

    def _lost(self, request: str, why: str, *, again: bool, last: bool) -> None:
        if not again:
            raise Unsure(f"GitHub: {request}: {why}")
        if last:
            raise ServiceError(f"GitHub: {request}: {why}, {self.tries} times", retryable=True)
        log.info("%s: %s; trying again", request, why)

    def _pause(self, attempt: int, after: str = "") -> None:
        jittered = min(8.0, 0.5 * 2**attempt) * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret
        self.sleep(min(float(after), PATIENCE) if after.isdigit() else jittered)

    def _limited(self, answer: requests.Response) -> float | None:
        """Return the seconds to wait where the answer is a rate limit, which refuses before anything has an effect."""
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

    def _wait(self, wait: float, request: str, answer: requests.Response, *, last: bool) -> None:
        if last or wait > PATIENCE:
            raise ServiceError(
                f"GitHub: {request}: rate limit ({words(_body(answer))}); lifts in {wait:.0f} s", retryable=True
            )
        log.warning("%s: rate limit, waiting %.0f s", request, wait)
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
