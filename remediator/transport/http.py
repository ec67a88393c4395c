"""A small HTTP session for JSON services: limited in time and size, and credentials go to their own server only."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
import requests.adapters
import requests.auth
import urllib3.exceptions

from remediator import __version__
from remediator.domain.sources import AnswerError, short
from remediator.errors import ConfigError
from remediator.transport.certificate_authority import authority_file
from remediator.transport.deadlines import read_all, within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

    from remediator.domain.sources import Access, Parameters

MOST = 64 << 20
"""Bytes of one answer, decompressed; more is an error, since half a document is useless."""

_AGAIN = frozenset({429, 500, 502, 503, 504})
_TRIES = 3
_DOUBTFUL = 2
"""Attempts where the service may be at its limit: a 500, or silence. Every such request changes nothing."""

_SLACK = 1.0
"""Extra seconds, so that the library's own timeout, which is more precise, comes first."""

_LONGEST_PAUSE = 10.0
_REDIRECTS = 3


class _Signed(requests.auth.AuthBase):
    """Sets our own credentials, or none: without an auth object, requests would read ~/.netrc."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if token := self.access.token.get_secret_value():
            request.headers["Authorization"] = f"Bearer {token}"
        elif self.access.username:
            requests.auth.HTTPBasicAuth(self.access.username, self.access.password.get_secret_value())(request)
        return request


class Http:
    """The `Web` port. `name` is the service's name in errors: `Loki prod`.

    `timeout` is for connecting and for each silence; `budget` for the answer as a whole, so that a service that
    drips bytes cannot hold a run. Both in seconds.
    """

    def __init__(
        self,
        name: str,
        access: Access,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: tuple[float, float] = (5.0, 20.0),
        budget: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = _split(access.url)
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"{name}: {short(access.url)!r} is no address such as https://host:port")
        if parts.username or parts.password:
            raise ConfigError(f"{name}: credentials do not belong into an address; see docs/outside.md")
        self.name, self.access, self.base = name, access, access.url.rstrip("/")
        self.timeout, self.budget, self._sleep = timeout, budget, sleep
        self._headers = {"Accept": "application/json", "User-Agent": f"remediator/{__version__}", **(headers or {})}
        self._local = threading.local()

    def get(self, path: str, parameters: Parameters = (), *, patience: float = 0) -> Any:
        """Return the answer's document."""
        return self._document("GET", path, {"params": list(parameters)}, patience)

    def post_form(self, path: str, parameters: Parameters) -> Any:
        """Return the answer to a form; only for requests that change nothing."""
        return self._document("POST", path, {"data": list(parameters)}, 0)

    def post_json(self, path: str, body: Mapping[str, Any]) -> Any:
        """Request a change, once."""
        return self._document("POST", path, {"json": dict(body)}, 0, tries=1)

    @property
    def _session(self) -> requests.Session:
        """The session of this thread: requests does not promise that a session may be shared."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.auth = _Signed(self.access)
            session.headers.update(self._headers)
            session.mount(self.base, requests.adapters.HTTPAdapter(max_retries=0))
            self._local.session = session
        return session

    @cached_property
    def _ca(self) -> str | bool:
        """The certificate authorities as requests takes them: a file, or True for the system's own.

        Told with each request: what a session is told yields to REQUESTS_CA_BUNDLE.
        """
        return authority_file(self.access.ca, self.name) if self.access.ca else True

    def _document(self, method: str, path: str, sent: dict[str, Any], patience: float, *, tries: int = _TRIES) -> Any:
        body = self._with_retries(method, path, sent, patience, tries)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            text = short(body.decode("utf-8", "replace"), 160)
            content = "nothing" if not body.strip() else f"what is no JSON: {text!r}"
            raise AnswerError(f"{self.name} answers {path} with {content}", status=200, detail=text) from error

    def _with_retries(self, method: str, path: str, sent: dict[str, Any], patience: float, tries: int) -> bytes:
        until = time.monotonic() + max(self.budget, patience)
        for attempt in range(1, tries + 1):
            try:
                return self._once(method, f"{self.base}{path}", sent, until, patience)
            except _Later as later:
                pause = min(later.pause or 0.5 * 2**attempt * random.uniform(0.5, 1), _LONGEST_PAUSE)  # noqa: S311
                if attempt >= min(tries, later.tries) or time.monotonic() + pause > until:
                    raise later.error from later
                self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, url: str, sent: dict[str, Any], until: float, patience: float) -> bytes:
        timeout = (self.timeout[0], max(self.timeout[1], patience))
        try:
            for _ in range(_REDIRECTS + 1):
                with self._sent(method, url, sent, timeout, until) as answer:
                    if answer.is_redirect and "json" in sent:
                        raise AnswerError(f"{self.name} redirects what was to be ordered: give its own address")
                    if answer.is_redirect:
                        url, sent = self._redirected(url, answer.headers["Location"]), {"data": sent.get("data")}
                        continue
                    body = self._body(answer, until)
                    return self._checked(answer, body)
        except requests.exceptions.SSLError as error:
            raise AnswerError(f"{self.name} is not trusted at {self._host(url)}: {_tls(error)}; name its CA") from error
        except requests.exceptions.Timeout as error:
            silent = AnswerError(f"{self.name} did not answer within {timeout[1]:g} s", retryable=True)
            raise _Later(silent, tries=1 if patience else _DOUBTFUL) from error
        except requests.exceptions.ConnectionError as error:
            unreachable = AnswerError(
                f"{self.name} cannot be reached at {self._host(url)}: {_reason(error)}", retryable=True
            )
            raise _Later(unreachable) from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise AnswerError(f"{self.name} broke off its answer: {_reason(error)}", retryable=True) from error
        except ValueError as error:  # requests looks at where a redirect leads, though it must not follow
            raise AnswerError(f"{self.name} redirects to what is no address: {_reason(error)}") from error
        raise AnswerError(f"{self.name} redirects in circles")

    def _sent(self, method: str, url: str, sent: dict[str, Any], timeout: tuple[float, float], until: float) -> Any:
        """Return the response with its status and headers, its body unread."""
        session, late = self._session, f"{self.name} did not begin its answer within {self.budget:g} s"
        ask = partial(session.request, method, url, **sent, timeout=timeout, verify=self._ca)
        try:
            ask = partial(ask, stream=True, allow_redirects=False)
            return within(until - time.monotonic() + _SLACK, ask, late, requests.Response.close)
        except AnswerError:
            self._local.session = None  # what still waits for that answer may use it
            raise

    def _body(self, answer: requests.Response, until: float) -> bytes:
        read = partial(answer.raw.read1, decode_content=True)
        body = read_all(read, self.name, most=MOST, until=until, budget=self.budget)
        length = answer.headers.get("Content-Length", "")
        if length.isdigit() and not answer.headers.get("Content-Encoding") and len(body) < int(length):
            raise AnswerError(f"{self.name} broke off its answer after {len(body)} of {length} bytes", retryable=True)
        return body

    def _checked(self, answer: requests.Response, body: bytes) -> bytes:
        if answer.status_code < 300:
            return body
        message = short(_message(body))
        error = AnswerError(
            f"{self.name} answers {answer.status_code}{_advice(answer.status_code)}{f': {message}' if message else ''}",
            status=answer.status_code,
            detail=message,
            retryable=answer.status_code in _AGAIN or answer.status_code >= 500,
        )
        if answer.status_code in _AGAIN:
            tries = _DOUBTFUL if answer.status_code == 500 else _TRIES
            raise _Later(error, _retry_after(answer.headers.get("Retry-After", "")), tries=tries)
        raise error

    def _redirected(self, url: str, location: str) -> str:
        """Return the next address, if it is on the same server: no other server gets a request."""
        try:
            following = urljoin(url, location)
        except ValueError:
            following = location
        old, new = urlsplit(url), _split(following)
        if new is None:
            raise AnswerError(f"{self.name} redirects to {short(location, 120)!r}, which is no address")
        upgraded = (old.scheme, new.scheme) == ("http", "https") and (_port(old), _port(new)) == (80, 443)
        same_port = _port(old) == _port(new) or upgraded
        if new.hostname != old.hostname or not same_port or (old.scheme == "https" and new.scheme != "https"):
            address = f"{new.scheme}://{new.hostname}{f':{new.port}' if new.port else ''}"
            raise AnswerError(
                f"{self.name} redirects to {short(address, 120)}, which was not asked: give its own address, "
                "or credentials that need no sign-in page"
            )
        return following

    @staticmethod
    def _host(url: str) -> str:
        return urlsplit(url).netloc


class _Later(Exception):
    """The request may be tried again, up to `tries` in all; `pause` in seconds where the service named one."""

    def __init__(self, error: AnswerError, pause: float = 0, *, tries: int = _TRIES) -> None:
        self.error, self.pause, self.tries = error, pause, tries
        super().__init__(str(error))


def _split(url: str) -> SplitResult | None:
    """Return the parts of an address; None where it is invalid, for example a port beyond all ports."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        return None if parts.port == 0 else parts
    return None


def _port(parts: SplitResult) -> int:
    return parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)


def _retry_after(text: str) -> float:
    with contextlib.suppress(ValueError):
        return max(0.0, float(text))
    return 0.0


def _advice(status: int) -> str:
    return {401: " (the credentials are missing, wrong or expired)", 403: " (the credentials may not do this)"}.get(
        status, ""
    )


def _message(body: bytes) -> str:
    """Return the text of an error: plain text as it is; of JSON its message, under one of the usual keys."""
    text = body[:4096].decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        document = json.loads(text)
        if isinstance(document, str):
            return document
        if isinstance(document, dict):
            texts = (document.get(key) for key in ("message", "error", "detail"))
            return next((value for value in texts if isinstance(value, str) and value), text)
    return "a web page" if text.lstrip()[:1] == "<" else text


def _reason(error: BaseException) -> str:
    """Return the text of the innermost cause, without memory addresses."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return short(str(error) or type(error).__name__, 200)


def _tls(error: BaseException) -> str:
    reason = _reason(error)
    return reason.split("] ", 1)[-1].split(" (_ssl", 1)[0]
