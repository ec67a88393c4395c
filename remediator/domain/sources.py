"""The values that the adapters of external servers share: access, errors, questions and readings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import SecretStr

from remediator.domain.base import Value
from remediator.domain.change import PullRequest
from remediator.domain.incident import Diagnosis, Subject
from remediator.errors import ServiceError

Parameters = Sequence[tuple[str, str]]
"""Query parameters in order; a name may come more than once."""


class Access(Value):
    """The address of a service and its credentials; secrets come from the environment alone."""

    url: str = ""
    token: SecretStr = SecretStr("")
    """A bearer token."""
    username: str = ""
    password: SecretStr = SecretStr("")
    ca: str = ""
    """Path of the certificate authority's file, or its PEM text; empty for those that the system trusts."""
    tenant: str = ""
    """The value of Loki's `X-Scope-OrgID`."""
    context: str = ""
    """The name of the kubeconfig's context."""
    kubeconfig: str = ""
    """The path of the kubeconfig, or its text, as a runner's secret holds it."""


class AnswerError(ServiceError):
    """A refusal by a service; `status` is HTTP's, 0 where no answer came; `detail` quotes the answer."""

    def __init__(self, message: str, *, status: int = 0, detail: str = "", retryable: bool = False) -> None:
        self.status, self.detail = status, detail
        super().__init__(message, retryable=retryable)


class Web(Protocol):
    """One small HTTP service that answers in JSON."""

    name: str
    """The name of the service in errors: `Loki prod`."""
    base: str

    def get(self, path: str, parameters: Parameters = (), *, patience: float = 0) -> Any:
        """Return the answer's document; AnswerError for any other answer. `patience`: a longer timeout in seconds."""
        ...

    def post_form(self, path: str, parameters: Parameters) -> Any:
        """Send a question that is too long for an address as a form; only for requests that change nothing."""
        ...

    def post_json(self, path: str, body: Mapping[str, Any]) -> Any:
        """Request a change, once: the request is never repeated, and no redirect is followed with it."""
        ...


class Rollout(Value):
    """The subject of a verification: one incident, and the change that was merged against it."""

    incident_id: str = ""
    diagnosis: Diagnosis
    pull_request: PullRequest
    applications: tuple[str, ...] = ()
    merged_at: str = ""
    """RFC 3339, UTC."""
    arrived_at: str = ""
    """The time at which the merge was first seen in the cluster; empty where nobody can tell."""
    remade: tuple[str, ...] = ()
    """Workloads, each `Kind/name`, whose pods the change recreates."""
    pause: timedelta = timedelta()
    """The usual time between two occurrences of the fault before the merge; zero where nobody knows."""

    @property
    def since(self) -> str:
        """The time since which an observation may be an effect of the change."""
        return max(self.merged_at, self.arrived_at)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The culprit, then the victims."""
        return (self.diagnosis.subject, *self.diagnosis.victims)


class Workload(Value):
    """An object of a cluster that a source is asked about; an empty name stands for the whole namespace."""

    namespace: str
    kind: str = ""
    name: str = ""
    pod: str = ""
    container: str = ""


def short(text: str, most: int = 300) -> str:
    """Return foreign text on one line and shortened, fit to be quoted."""
    plain = "".join(character if character.isprintable() else " " for character in text[: most * 4])
    plain = " ".join(plain.split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def workload_of(subject: Subject) -> Workload | None:
    """Return the namespaced object that a statement is about; None where there is none."""
    if not subject.namespace or not (subject.name or subject.pod):
        return None
    return Workload.model_validate(subject, from_attributes=True)


class Question(Value):
    """A question to a source."""

    since: datetime
    until: datetime
    workloads: tuple[Workload, ...] = ()
    """The only workloads to read; empty: what the target's configuration polls."""
    handled: frozenset[str] = frozenset()
    """Ids of items that an earlier poll has handled; they are left out."""
    polling: bool = False
    """True where a next poll continues where this one stops: what does not fit is left for it, oldest items first."""


class Reading(Value):
    """A source's answer in formats that the evidence reader knows."""

    documents: tuple[tuple[str, Any], ...] = ()
    """Parsed JSON in a format that the evidence reader knows, by the name that it is cited under."""
    texts: tuple[tuple[str, str], ...] = ()
    """Plain texts by name: containers' logs."""
    items: int = 0
    """The number of log lines, alerts, events or series."""
    ids: tuple[str, ...] = ()
    """Ids of the items, oldest first; the next poll's `handled`."""
    read_until: datetime | None = None
    """The time up to which it was read, where there was more than one reading takes."""
    notes: tuple[str, ...] = ()
    """Notes for a person on how much was read."""
    workloads: tuple[Workload, ...] = ()
    """Objects that the items name, for the sources that read objects."""


class EvidenceSource(Protocol):
    """One place to collect from."""

    name: str

    def read(self, question: Question) -> Reading:
        """Return everything that answers the question; raises ServiceError or ConfigError."""
        ...


def item_id(*parts: str) -> str:
    """Return a short id for one item, the same at every poll."""
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
