"""The input and the output of a remedy: a `RemedyContext` goes in, `Fix` values come out.

A remedy only says which field should have which value. Locating the field in a file, proving the change and checking
it against the policy is the same for all remedies and happens afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from remediator.domain.change import Edit, Place
from remediator.domain.incident import Diagnosis, Evidence
from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Application, Manifest, Match, Repository
from remediator.policy import Action, Policies


@dataclass(frozen=True)
class ObjectField:
    """One field of a rendered object."""

    application: Application
    manifest: Manifest
    path: YamlPath


class AppliedObject(Protocol):
    """A rendered object and the Application that applies it."""

    @property
    def application(self) -> Application:
        """The Application that applies it."""

    @property
    def manifest(self) -> Manifest:
        """The object as rendered."""


@dataclass(frozen=True)
class Want(ObjectField):
    """One field of a rendered object and the value that it should have; `MISSING` removes the field."""

    value: Any

    @classmethod
    def of(cls, target: AppliedObject, path: YamlPath, value: Any) -> Want:
        """Return the want for a field of this object."""
        return cls(target.application, target.manifest, path, value)


@dataclass(frozen=True)
class Fix:
    """The proposal of a remedy before it is located, proved and checked against the policy.

    Either `wants`, in terms of rendered objects, or `edits`, where the text itself is at fault (an
    Application's source, a kustomization's entry, a file that does not parse).
    """

    title: str
    reason: str
    evidence: tuple[str, ...]
    wants: tuple[Want, ...] = ()
    edits: tuple[Edit, ...] = ()
    places: tuple[Place, ...] = ()
    """The places of `edits`; the places of `wants` are found by locating."""
    applications: tuple[Application, ...] = ()
    """The Applications whose rendering `edits` may change."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    score: float = 0.5
    accepts: Callable[[Any], bool] | None = None
    """True for an older value of the field that would end the incident too; None: the history is not searched."""
    rollback: str = ""
    """The commit that the fix undoes, in one sentence; empty where it undoes none."""
    relation: str = ""
    """The contradiction between rendered objects that it ends, which confirms what a log alone says."""


Remedy = Callable[["RemedyContext"], Iterator[Fix]]


@dataclass(frozen=True)
class RemedyContext:
    """One incident and one action that may end it."""

    diagnosis: Diagnosis
    repository: Repository
    policies: Policies
    action: Action
    targets: tuple[Match, ...]
    """The objects that are the culprit, best match first; empty where it is in doubt."""

    @property
    def statements(self) -> tuple[Evidence, ...]:
        """All statements: the evidence first, then its context."""
        return self.diagnosis.evidence + self.diagnosis.context

    def signals(self, *ids: str) -> tuple[Evidence, ...]:
        """Return the evidence of these signals, in its order."""
        return tuple(evidence for evidence in self.diagnosis.evidence if evidence.signal in ids)

    def fact(self, *names: str, among: Sequence[Evidence] | None = None) -> str:
        """Return the first value of one of these facts; empty where no statement has any."""
        for evidence in self.statements if among is None else among:
            for name in names:
                if value := evidence.facts.get(name, ""):
                    return value
        return ""

    def facts(self, *names: str, among: Sequence[Evidence] | None = None) -> tuple[str, ...]:
        """Return all values of these facts, each once."""
        values = (
            evidence.facts.get(name, "") for evidence in (self.statements if among is None else among) for name in names
        )
        return tuple(dict.fromkeys(value for value in values if value))

    def cite(self, *evidence: Evidence) -> tuple[str, ...]:
        """Return the ids of this evidence, or of all evidence where none is passed; context has no id."""
        cited = (item for item in evidence or self.diagnosis.evidence if item.signal and item.id)
        return tuple(dict.fromkeys(item.id for item in cited))

    def mentions(self, word: str) -> bool:
        """Return True where any statement has this word as a word of its own."""
        return any(contains_word(statement.text, word) for statement in self.statements)

    def workloads(self) -> Iterator[tuple[Match, dict[str, Any], YamlPath]]:
        """Yield the container of each target that is meant: the named one, else the only one."""
        for target in self.targets:
            containers = [(body, path) for body, path, _ in target.manifest.containers()]
            matching = [pair for pair in containers if pair[0].get("name") == target.container]
            regular = [(body, path) for body, path, init in target.manifest.containers() if not init]
            for body, path in matching or (regular if len(regular) == 1 else []):
                yield target, body, path

    def siblings(self, application: Application) -> tuple[Manifest, ...]:
        """Return all objects of one Application."""
        return self.repository.objects(application)

    def namespace_objects(self, target: Match, *kinds: str) -> tuple[Manifest, ...]:
        """Return the objects of these kinds in the target's namespace, those of its own Application first."""
        namespace = target.manifest.namespace_in(target.application)
        applications = [target.application] + [
            application
            for application in self.repository.applications
            if application != target.application
            and application.cluster == target.application.cluster
            and (application.namespace == namespace or not application.namespace)
        ]
        return tuple(
            manifest
            for application in applications
            for manifest in self.repository.objects(application)
            if (not kinds or manifest.kind in kinds) and (manifest.namespace_in(application) or namespace) == namespace
        )
