"""What the adapters of the outside world share: how to reach a service, what it refuses with, what they are asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from pydantic import SecretStr

from remediator.domain.base import Value
from remediator.domain.change import PullRequest
from remediator.domain.incident import Diagnosis, Subject
from remediator.errors import ServiceError

Parameters = Sequence[tuple[str, str]]
"""Query parameters in order; a name may come more than once."""


class Access(Value):
    """Where a service is and what it wants to see before it answers; secrets come from the environment alone."""

    url: str = ""
    token: SecretStr = SecretStr("")
    """A bearer token."""
    username: str = ""
    password: SecretStr = SecretStr("")
    ca: str = ""
    """Path of the certificate authority's file, or its PEM text; empty for those that the system trusts."""
    tenant: str = ""
    """Loki's `X-Scope-OrgID`."""
    context: str = ""
    """Of the kubeconfig."""
    kubeconfig: str = ""
    """Path of the file, or its text, as a runner's secret holds it."""


class AnswerError(ServiceError):
    """A service answered, and it was no; `status` is HTTP's, 0 where no answer came."""

    def __init__(self, message: str, *, status: int = 0, said: str = "", retryable: bool = False) -> None:
        self.status, self.said = status, said
        super().__init__(message, retryable=retryable)


class Web(Protocol):
    """One small HTTP service that answers in JSON."""

    name: str
    """What errors call it: `Loki prod`."""
    base: str

    def get(self, path: str, parameters: Parameters = (), *, patience: float = 0) -> Any:
        """The answer's document; AnswerError for everything else. `patience`: seconds, where more than usual is due."""
        ...

    def post_form(self, path: str, parameters: Parameters) -> Any:
        """The same for a question that is too long for an address; only for what changes nothing."""
        ...

    def order(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask for a change, once: it is never repeated, and no redirect is followed with it."""
        ...


class Rollout(Value):
    """What a verifier is asked about: one incident, and the change that was merged against it."""

    incident_id: str = ""
    diagnosis: Diagnosis
    pull_request: PullRequest
    applications: tuple[str, ...] = ()
    merged_at: str = ""
    """RFC 3339, UTC."""
    arrived_at: str = ""
    """When the merge was first seen to be in the cluster; empty where nobody can tell."""
    remade: tuple[str, ...] = ()
    """Workloads, each `Kind/name`, whose pods the change makes anew."""

    @property
    def since(self) -> str:
        """From when on what is seen may be the change's doing."""
        return max(self.merged_at, self.arrived_at)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The culprit, then the victims."""
        return (self.diagnosis.subject, *self.diagnosis.victims)


class Workload(Value):
    """An object of a cluster that a source is asked about; an empty name stands for all of the namespace."""

    namespace: str
    kind: str = ""
    name: str = ""
    pod: str = ""
    container: str = ""


def short(text: str, most: int = 300) -> str:
    """What somebody else said, on one line and bounded, fit to be quoted."""
    plain = "".join(character if character.isprintable() else " " for character in text[: most * 4])
    plain = " ".join(plain.split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def workload_of(subject: Subject) -> Workload | None:
    """The object that a statement is about, where it is one of a namespace."""
    if not subject.namespace or not (subject.name or subject.pod):
        return None
    return Workload(
        namespace=subject.namespace,
        kind=subject.kind,
        name=subject.name,
        pod=subject.pod,
        container=subject.container,
    )


class Question(Value):
    """What a source is asked for."""

    since: datetime
    until: datetime
    workloads: tuple[Workload, ...] = ()
    """Only these; empty: what the target's configuration polls."""
    handled: frozenset[str] = frozenset()
    """Ids of items that an earlier poll has handed over; they are left out."""
    onwards: bool = False
    """A next poll goes on where this one stops: what does not fit is left for it, not cut off the oldest end."""


class Reading(Value):
    """What a source gave: texts in shapes that the evidence reader knows, by the name that they are cited under."""

    texts: tuple[tuple[str, str], ...] = ()
    items: int = 0
    """Log lines, alerts, events, series."""
    ids: tuple[str, ...] = ()
    """Of the items, oldest first; the next poll's `handled`."""
    reached: datetime | None = None
    """How far it was read, where there was more than one reading takes."""
    notes: tuple[str, ...] = ()
    """What a person must know of how much was read."""
    workloads: tuple[Workload, ...] = ()
    """Objects that the items name, for the sources that look at objects."""


class EvidenceSource(Protocol):
    """One place to collect from."""

    name: str

    def read(self, question: Question) -> Reading:
        """All that it has; raises ServiceError or ConfigError."""
        ...


def item_id(*parts: str) -> str:
    """A short name for one item, the same at every poll."""
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
