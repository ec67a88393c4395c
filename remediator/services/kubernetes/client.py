"""A read-only client of one cluster through the official library; answers are plain JSON, as evidence reads it.

The client's models are left aside: building them costs more than the request, and one unknown field fails them.
Every path that is asked for stands in this file, so that the role in deploy/ can be held against it.
"""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from remediator.domain.json_reader import text_at
from remediator.domain.sources import AnswerError, short
from remediator.errors import ConfigError
from remediator.services.kubernetes import objects
from remediator.services.kubernetes.connect import connect
from remediator.transport.deadlines import read_all, within
from remediator.transport.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remediator.domain.sources import Access

_TIMEOUT = (5.0, 20.0)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_PAGE = 500
_MOST_PAGES = 40
_BUDGET = 60.0
"""The time limit in seconds for one whole answer."""

_MOST = 64 << 20
_FEW = 3
_AGAIN = frozenset({429, 500, 502, 503, 504})
_PAUSES = (0.5, 2.0)
"""Seconds before the second and the third attempt."""

_GROUPS: Mapping[str, tuple[str, str]] = {
    "Deployment": ("/apis/apps/v1", "deployments"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
}


@dataclass
class Cluster:
    """Reads one API server. Lists are cached until `forget`, so that one check sees one moment."""

    name: str
    access: Access
    sleep: Callable[[float], None] = time.sleep
    _lists: SingleFlight[list[dict[str, Any]]] = field(default_factory=SingleFlight, repr=False)
    _applications: SingleFlight[dict[str, Any] | None] = field(default_factory=SingleFlight, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _warned: set[str] = field(default_factory=set, repr=False)
    _apart: bool = False
    _client: Any = field(default=None, repr=False)

    def forget(self) -> None:
        """Drop the cached lists and objects."""
        self._lists.forget()
        self._applications.forget()
        with self._lock:
            self._warned = set()

    def pods(self, namespace: str) -> list[dict[str, Any]]:
        """Return all pods of a namespace; empty for a namespace that does not exist, as the API has it."""
        return self._list(f"/api/v1/namespaces/{_part(namespace)}/pods")

    def events(self, namespace: str) -> list[dict[str, Any]]:
        """Return all events of a namespace that the API server still holds (an hour, mostly)."""
        return self._list(f"/api/v1/namespaces/{_part(namespace)}/events")

    def warnings(self, namespace: str) -> list[dict[str, Any]]:
        """Return its events, warnings at least; from the whole cluster at once for many namespaces.

        Where the role is bound in some namespaces only, or there are too many, each is asked for by itself.
        """
        with self._lock:
            self._warned.add(_part(namespace))
            together = len(self._warned) > _FEW and not self._apart
        if together:
            try:
                events = self._list("/api/v1/events", [("fieldSelector", "type=Warning")])
            except AnswerError as error:
                if error.retryable:
                    raise
                self._apart = True
            else:
                return [event for event in events if text_at(event, "metadata", "namespace") == namespace]
        return self.events(namespace)

    def namespace(self, name: str) -> dict[str, Any] | None:
        """Return the namespace; None where there is none."""
        return self._find(f"/api/v1/namespaces/{_part(name)}")

    def workload(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        """Return a Deployment, StatefulSet or DaemonSet; None where there is none of that name."""
        group, plural = _GROUPS[kind]
        return self._find(f"{group}/namespaces/{_part(namespace)}/{plural}/{_part(name)}")

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        """Return the end of a container's log; empty where there is none, as before the first restart.

        500 is a node that cannot be reached, and asked but once: there may be many such logs.
        """
        path = f"/api/v1/namespaces/{_part(namespace)}/pods/{_part(pod)}/log"
        parameters = [("container", container), ("tailLines", str(lines)), ("limitBytes", str(1 << 20))]
        parameters += [("timestamps", "true"), *([("previous", "true")] if previous else [])]
        try:
            return self._ask(path, parameters, accept="*/*", again=_AGAIN - {500}).decode("utf-8", "replace")
        except AnswerError as error:
            if error.status in {400, 404}:
                return ""
            raise

    def application(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Return an Argo CD Application; None where there is none, ConfigError where the cluster knows no such kind.

        Kept like lists: a parent is asked about by each of its children.
        """
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{_part(namespace)}/applications/{_part(name)}"
        return self._applications.ask(path, lambda: self._application(path))

    def _application(self, path: str) -> dict[str, Any] | None:
        try:
            return self._object(path)
        except AnswerError as error:
            if error.status == 404 and "page not found" in error.detail:
                raise ConfigError(f"{self.name} serves no Argo CD Applications: is Argo CD elsewhere?") from error
            if error.status == 404:
                return None
            raise

    @staticmethod
    def knows(kind: str) -> bool:
        """Return whether `workload` can read this kind."""
        return kind in _GROUPS

    def _find(self, path: str) -> dict[str, Any] | None:
        try:
            return self._object(path)
        except AnswerError as error:
            if error.status == 404:
                return None
            raise

    def _object(self, path: str) -> dict[str, Any]:
        document = self._json(path, [])
        if not isinstance(document.get("metadata"), dict):
            raise AnswerError(f"{self.name} answers {path} with no object", status=200)
        return objects.sound(document)

    def _list(self, path: str, only: Sequence[tuple[str, str]] = ()) -> list[dict[str, Any]]:
        return self._lists.ask(path, lambda: self._pages(path, only))

    def _pages(self, path: str, only: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """Return all pages of a list; from the beginning again, once, where the server has lost the position (410)."""
        try:
            return self._read_pages(path, only)
        except AnswerError as error:
            if error.status != 410:
                raise
            return self._read_pages(path, only)

    def _read_pages(self, path: str, only: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        token = ""
        for _ in range(_MOST_PAGES):
            document = self._json(path, [*only, ("limit", str(_PAGE)), *([("continue", token)] if token else [])])
            items, metadata = document.get("items"), document.get("metadata")
            if not isinstance(items, list):
                raise AnswerError(f"{self.name} answers {path} with no list", status=200)
            rows += [objects.sound(item) for item in items if isinstance(item, dict)]
            token = str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""
            if not token:
                return rows
        raise AnswerError(f"{self.name} lists more than {_PAGE * _MOST_PAGES} objects at {path}")

    def _json(self, path: str, parameters: list[tuple[str, str]]) -> dict[str, Any]:
        body = self._ask(path, parameters)
        try:
            document = json.loads(body)
        except (ValueError, RecursionError) as error:
            text = short(body.decode("utf-8", "replace"), 120)
            raise AnswerError(f"{self.name} answers {path} with what is no JSON: {text!r}", status=200) from error
        if not isinstance(document, dict):
            raise AnswerError(f"{self.name} answers {path} with no object", status=200)
        return document

    def _ask(
        self,
        path: str,
        parameters: list[tuple[str, str]],
        *,
        accept: str = "application/json",
        again: frozenset[int] = _AGAIN,
    ) -> bytes:
        """Return one answer; a passing failure is retried a little later, and a short silence once."""
        began = time.monotonic()
        for attempt, pause in enumerate((*_PAUSES, None), start=1):
            try:
                return self._once(path, parameters, accept)
            except AnswerError as error:
                silent = (
                    error.retryable and not error.status and attempt == 1 and time.monotonic() - began < _BUDGET / 2
                )
                if pause is None or not (silent or error.status in again):
                    raise
                self.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _once(self, path: str, parameters: list[tuple[str, str]], accept: str) -> bytes:
        import urllib3.exceptions
        from kubernetes.client.exceptions import ApiException

        client = self._connected()
        try:
            arguments = client.param_serialize(
                "GET", path, query_params=parameters, header_params={"Accept": accept}, auth_settings=["BearerToken"]
            )
            until, late = time.monotonic() + _BUDGET, f"{self.name} did not begin its answer within {_BUDGET:g} s"
            ask = partial(client.call_api, *arguments, _request_timeout=_TIMEOUT)
            answer = within(_BUDGET, ask, late, lambda late_answer: late_answer.response.close())
            read = partial(answer.response.read1, decode_content=True)
            body = read_all(read, self.name, most=_MOST, until=until, budget=_BUDGET)
        except ApiException as error:
            raise self._refusal(error.status or 0, error.body) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise AnswerError(f"{self.name} cannot be reached: {_reason(error)}", retryable=True) from error
        if not 200 <= answer.status < 300:
            raise self._refusal(answer.status, body)
        return body

    def _refusal(self, status: int, body: Any) -> AnswerError:
        if 300 <= status < 400:
            return AnswerError(f"{self.name} redirects: give the API server's own address", status=status)
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
        try:
            detail = str(json.loads(text).get("message") or text)
        except (ValueError, AttributeError, RecursionError):
            detail = text
        advice = {401: " (the token is missing, wrong or expired)", 403: " (see deploy/kubernetes)"}.get(status, "")
        message = f"{self.name} answers {status}{advice}: {short(detail)}"
        return AnswerError(message, status=status, detail=detail, retryable=status in {429, 500, 502, 503, 504})

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = connect(self.name, self.access)
            return self._client


def _part(name: str) -> str:
    """Return one step of a path: names come from logs, and must not lead elsewhere."""
    if not _NAME.fullmatch(name):
        raise AnswerError(f"{short(name, 80)!r} is no name of an object")
    return name


def _reason(error: BaseException) -> str:
    """Return the text of the innermost cause."""
    while (inner := error.__cause__ or error.__context__ or getattr(error, "reason", None)) is not None:
        if not isinstance(inner, BaseException):
            break
        error = inner
    return short(str(error) or type(error).__name__, 200)
