"""What a remedy is given: the diagnosis, the repository, the objects that are meant, the action's bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.incident import Diagnosis, Evidence
from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Application, Manifest, Match, Repository
from remediator.policy import Action, Policies


@dataclass(frozen=True)
class Want:
    """One field of a rendered object, and the value it should have; `MISSING` asks for its removal."""

    application: Application
    manifest: Manifest
    path: YamlPath
    value: Any


@dataclass(frozen=True)
class Fix:
    """What a remedy proposes, before it is located, proved and guarded.

    Either `wants`, in terms of rendered objects, or `edits`, where the text itself is at fault (an
    Application's source, a kustomization's entry, a file that does not parse).
    """

    title: str
    reason: str
    evidence: tuple[str, ...]
    wants: tuple[Want, ...] = ()
    edits: tuple[Edit, ...] = ()
    places: tuple[Place, ...] = ()
    """Of `edits`; those of `wants` are found by locating."""
    applications: tuple[Application, ...] = ()
    """Whose rendering may change through `edits`."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    score: float = 0.5
    accepts: Callable[[Any], bool] | None = None
    """Whether an older value of the (single) wanted field would end the incident too: then the history is asked."""
    rollback: str = ""
    """Set where the fix itself restores what a commit changed: that commit, in words."""


Remedy = Callable[["RemedyContext"], Iterator[Fix]]


@dataclass(frozen=True)
class RemedyContext:
    """One incident and one action to consider for it."""

    diagnosis: Diagnosis
    repository: Repository
    policies: Policies
    action: Action
    targets: tuple[Match, ...]
    """The objects that the culprit can be, best first; those in doubt are left out."""

    @property
    def statements(self) -> tuple[Evidence, ...]:
        """Evidence first, then its context."""
        return self.diagnosis.evidence + self.diagnosis.context

    def signals(self, *ids: str) -> list[Evidence]:
        """Evidence of these signals, in the order of the evidence."""
        return [one for one in self.diagnosis.evidence if one.signal in ids]

    def fact(self, *names: str, among: Sequence[Evidence] | None = None) -> str:
        """The first of these facts that any evidence holds."""
        for one in self.statements if among is None else among:
            for name in names:
                if value := one.facts.get(name, ""):
                    return value
        return ""

    def facts(self, *names: str, among: Sequence[Evidence] | None = None) -> list[str]:
        """All values of these facts, without repeats."""
        found = (one.facts.get(name, "") for one in (self.statements if among is None else among) for name in names)
        return list(dict.fromkeys(value for value in found if value))

    def cite(self, *evidence: Evidence) -> tuple[str, ...]:
        """Ids of the evidence given, or of all where none is given; context has none."""
        return tuple(dict.fromkeys(one.id for one in (evidence or self.diagnosis.evidence) if one.signal and one.id))

    def mentions(self, word: str) -> bool:
        """Return True where any statement has this word as a word of its own."""
        return any(contains_word(statement.text, word) for statement in self.statements)

    def workloads(self) -> Iterator[tuple[Match, dict[str, Any], YamlPath]]:
        """Each target's container that is meant: the named one, or the only one."""
        for target in self.targets:
            containers = [(body, path) for body, path, _ in target.manifest.containers()]
            named = [pair for pair in containers if pair[0].get("name") == target.container]
            regular = [(body, path) for body, path, init in target.manifest.containers() if not init]
            for body, path in named or (regular if len(regular) == 1 else []):
                yield target, body, path

    def siblings(self, application: Application) -> tuple[Manifest, ...]:
        """All objects of one Application."""
        return self.repository.objects(application)

    def namespace_objects(self, target: Match, *kinds: str) -> list[Manifest]:
        """Objects of these kinds in the target's namespace, of its own Application first, then of others."""
        namespace = target.manifest.namespace_in(target.application)
        applications = [target.application] + [
            other
            for other in self.repository.applications
            if other != target.application
            and other.cluster == target.application.cluster
            and (other.namespace == namespace or not other.namespace)
        ]
        return [
            manifest
            for application in applications
            for manifest in self.repository.objects(application)
            if (not kinds or manifest.kind in kinds) and (manifest.namespace_in(application) or namespace) == namespace
        ]
