"""The values of a diagnosis: subjects, statements, evidence."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from remediator.domain.base import Value

Severity = Literal["critical", "warning", "info"]

SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
"""All severities, the most severe first."""

Channel = Literal["event", "status", "log", "alert", "sync", "text"]
"""The origin of a statement: a Kubernetes event; a status (describe, get, conditions); a container's
own log; an alert; Argo CD (sync results, Application conditions); anything not understood."""


class Subject(Value):
    """The object that a statement is about. Every field may be empty: logs name what they name."""

    application: str = ""
    cluster: str = ""
    namespace: str = ""
    kind: str = ""
    """Kind of the object in Kubernetes' spelling: `Deployment`, `Pod`, `Service`, `Application` …"""
    name: str = ""
    """Name of that object. For pods whose owner is known, kind and name are the owner's (hash stripped)."""
    pod: str = ""
    container: str = ""
    image: str = ""
    node: str = ""


def is_log(speaker: str) -> bool:
    """Return True if a container's log says it, or may have printed it."""
    return speaker.startswith("log:")


class Statement(Value):
    """One normalised sentence of the input: its author, its object, its text and its line.

    Every format (describe, events, alerts, Argo CD, container logs …) is turned into these, so that
    categories need one kind of rule only.
    """

    source: str
    """The input's name (file name, artifact member, service)."""
    line: int
    """1-based line in that input; of a server's answer, which has no lines, the number of the item."""
    channel: Channel
    subject: Subject = Subject()
    speaker: str = ""
    """The component that vouches for it: `api`, `scheduler`, `kubelet`, `controller`, `argocd`, `alert`, `node`, `person`
    (the output of a command that someone ran), or `log:<workload>` for what a container prints."""
    reason: str = ""
    """The machine-readable word, where there is one: `OOMKilled`, `FailedScheduling`, an alert's name."""
    text: str = ""
    """The sentence itself, ANSI colours and wrappers removed, not yet redacted."""
    level: str = ""
    """`Normal`/`Warning` of events, the log level, an alert's severity label."""
    count: int = 1
    first_seen: str = ""
    last_seen: str = ""
    """RFC 3339 in UTC, or empty where the input gives only ages or nothing."""
    facts: dict[str, str] = Field(default_factory=dict)
    """Named details in snake_case: `exit_code`, `restart_count`, `memory_limit`, `probe` …"""


class Evidence(Value):
    """A statement that matters, redacted, with the id by which claims cite it."""

    id: str
    signal: str
    """Id of the category signal that it matched."""
    category: str
    source: str
    line: int
    channel: Channel
    subject: Subject
    speaker: str = ""
    reason: str = ""
    text: str
    count: int = 1
    first_seen: str = ""
    last_seen: str = ""
    facts: dict[str, str] = Field(default_factory=dict)
    """The statement's facts and the signal's named groups (`missing`, `key`, `port` …)."""


class Diagnosis(Value):
    """One incident as the rules see it."""

    category: str
    severity: Severity
    subject: Subject
    """The culprit, not the victim."""
    summary: str
    """One sentence a person on call reads first."""
    evidence: tuple[Evidence, ...] = ()
    """Causes first, then symptoms."""
    context: tuple[Evidence, ...] = ()
    """Other statements about the same objects (ports, probes, node labels …), redacted, with an empty
    signal; remedies read them, nobody is shown them."""
    victims: tuple[Subject, ...] = ()
    """Others that suffer from the same cause."""
    first_seen: str = ""
    last_words: str = ""
    """The gravest line of the culprit's own log, redacted, where only symptoms of its fault are known."""
    resembles: str = ""
    """The category whose words the gravest sentence uses, where no signal knows it."""
