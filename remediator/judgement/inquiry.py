"""One incident under inquiry: the diagnosis, the objects that are meant, the world round them and what messages say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from remediator.domain.incident import Diagnosis, Evidence
from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import leaves
from remediator.evidence import is_unwell
from remediator.gitops import Application, Manifest, Repository
from remediator.judgement.relations.registry import REFERRED, WIDE
from remediator.judgement.world import World, text_of
from remediator.policy import Policies
from remediator.remedies.engine.case import RemedyContext
from remediator.remedies.engine.effects import PLATFORM_CHANNELS
from remediator.remedies.engine.targets import TargetMatches

_ROUTES = frozenset({"Ingress", "HTTPRoute", "GRPCRoute"})
_QUALIFIED = re.compile(r"\b([a-z0-9-]{1,63})/[a-z0-9-]{1,63}\b")
"""The namespace in `namespace/name`, as controllers write an object."""
_IN_ADDRESS = re.compile(r"[a-z0-9-]\.([a-z0-9-]+)(?:\.svc\b|:\d)")
"""The namespace in `name.namespace.svc…` and `name.namespace:port`."""


@dataclass(frozen=True)
class Inquiry:
    """The incident and its world, as every generator is given them; read-only."""

    diagnosis: Diagnosis
    repository: Repository
    policies: Policies
    targets: TargetMatches

    @cached_property
    def world(self) -> World:
        """Return the rendered world round the culprit, its victims and their namespaces."""
        namespaces = [subject.namespace for subject in (self.diagnosis.subject, *self.diagnosis.victims)]
        namespaces += [match.manifest.namespace_in(match.application) for match in self.targets.matches]
        namespaces += self._mentioned_namespaces
        signals = {piece.signal for piece in self.diagnosis.evidence}
        words = [word for signal, word in WIDE.items() if signal in signals]
        words += [word for kind, _ in self.culprits if (word := REFERRED.get(kind))]
        return World(self.repository, self.applications, namespaces, words=words, loopback=self._loopback_ports)

    @cached_property
    def _loopback_ports(self) -> dict[str, frozenset[int]]:
        """Return the ports that someone saw to be open on loopback alone, by the name of the workload."""
        ports: dict[str, frozenset[int]] = {}
        for statement in (*self.diagnosis.evidence, *self.diagnosis.context):
            text = statement.facts.get("listens_on_loopback", "") if statement.speaker == "person" else ""
            if text and (name := statement.subject.name):
                ports[name] = ports.get(name, frozenset()) | {int(port) for port in text.split(", ")}
        return ports

    @cached_property
    def _mentioned_namespaces(self) -> list[str]:
        """Return the namespaces of the repository that the evidence or the culprit's containers name in an address."""
        texts = [piece.text for piece in self.diagnosis.evidence]
        texts += [str(container) for match in self.targets.matches for container, _, _ in match.manifest.containers()]
        named = {name for text in texts for form in (_IN_ADDRESS, _QUALIFIED) for name in form.findall(text)}
        for match in self.targets.matches:
            named |= {
                str(value)
                for path, value in leaves(match.manifest.body.get("spec") or {})
                if path[-1:] == ("namespace",)
            }
        return sorted(named & {app.namespace for app in self.repository.applications})

    @cached_property
    def applications(self) -> tuple[Application, ...]:
        """Return the Applications that the incident is about; empty where none could be told."""
        names = [*self.targets.applications, self.diagnosis.subject.application]
        matched = [match.application for match in self.targets.matches]
        by_name = [app for name in names if name and (app := self.repository.application(name)) is not None]
        return tuple(dict.fromkeys((*matched, *by_name))) or self._by_namespace

    @cached_property
    def _by_namespace(self) -> tuple[Application, ...]:
        """Return the one Application of the culprit's namespace whose text names it, where its objects are not rendered."""
        subject = self.diagnosis.subject
        names = [name for name in (subject.name, subject.container, subject.pod) if name]
        candidates = [
            app
            for app in self.repository.applications
            if subject.namespace
            and app.namespace in (subject.namespace, "")
            and any(contains_word(text_of(self.repository, app), name) for name in names)
        ]
        return tuple(candidates) if len(candidates) == 1 else ()

    @cached_property
    def culprits(self) -> frozenset[tuple[str, str]]:
        """Return kind and name of every object that the culprit can be."""
        own = {(match.manifest.kind, match.manifest.name) for match in self.targets.matches}
        return frozenset(
            own | {("Service", name) for match in self.targets.matches for name in _backends(match.manifest)}
        )

    @cached_property
    def named_by_files(self) -> frozenset[str]:
        """Return the names of the inputs whose lines name nobody: `sidekiq.log` is what people saved from that container."""
        nameless = {item.source for item in self.diagnosis.evidence if not (item.subject.name or item.subject.pod)}
        return frozenset(source.rpartition("/")[2].partition(".")[0] for source in nameless)

    @cached_property
    def unwell(self) -> frozenset[str]:
        """Return the workloads that the platform's statuses show as not ready."""
        statements = (*self.diagnosis.evidence, *self.diagnosis.context)
        return frozenset(
            item.subject.name for item in statements if item.channel == "status" and is_unwell(item.facts)
        ) - {""}

    @cached_property
    def platform_text(self) -> str:
        """Return what the platform says: events, statuses, syncs, alerts."""
        return self._text(item for item in self.diagnosis.evidence if item.channel in PLATFORM_CHANNELS)

    @cached_property
    def log_text(self) -> str:
        """Return what containers say of themselves and others."""
        return self._text(item for item in self.diagnosis.evidence if item.channel not in PLATFORM_CHANNELS)

    @staticmethod
    def _text(pieces: Iterable[Evidence]) -> str:
        return "\n".join(f"{piece.reason} {piece.text} {' '.join(piece.facts.values())}" for piece in pieces)

    def mentions(self, words: Iterable[str]) -> tuple[bool, bool]:
        """Return whether the platform, and whether a log, says one of these words as a word of its own."""
        terms = [word for word in words if len(word) > 1]
        return _any_word(self.platform_text, terms), _any_word(self.log_text, terms)

    def citing(self, words: Iterable[str] = ()) -> tuple[str, ...]:
        """Return ids of the evidence that says one of these words, else of the leading evidence."""
        terms = [word for word in words if len(word) > 1]
        cited = [
            item.id
            for item in self.diagnosis.evidence
            if item.id and _any_word(f"{item.reason} {item.text} {' '.join(item.facts.values())}", terms)
        ]
        return tuple(cited) or tuple(item.id for item in self.diagnosis.evidence[:1] if item.id)

    def is_rendered(self, application: Application) -> bool:
        """Return True where all objects of the Application are known, so that rendering tells more than its text."""
        objects = self.repository.objects(application)
        problems = self.repository.problems_of(application)
        return bool(objects) and not problems and not any(item.tracked == "unseen" for item in objects)

    def context(self, action: str) -> RemedyContext:
        """Return what a remedy of this action is given."""
        return RemedyContext(
            self.diagnosis, self.repository, self.policies, self.policies.actions[action], self.targets.matches
        )


def _backends(manifest: Manifest) -> Iterable[str]:
    """Return the names of the Services that a route sends its requests to: what reaches it as its fault is often theirs."""
    if manifest.kind not in _ROUTES:
        return ()
    pairs = leaves(manifest.body.get("spec") or {})
    return [
        str(value)
        for path, value in pairs
        if path[-1:] == ("name",) and path[-2:-1] and path[-2] != "port" and "backend" in str(path).lower()
    ]


def _any_word(text: str, words: Iterable[str]) -> bool:
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) for word in words)
