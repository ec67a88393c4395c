"""The part of the repository that an incident is about: its Applications, their objects, and what may be changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from remediator.domain.yaml_paths import leaves
from remediator.gitops import Application, Manifest, Repository
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.model import scope
from remediator.judgement.model.facts import FactBook, mentions
from remediator.judgement.world import Placed

_HOST = re.compile(r"(?:://|@)([a-z0-9-]{1,63})|\b([a-z0-9-]{1,63})(?=:\d)")
"""The first label of a host that a value dials: a Service of the same namespace."""


class Scene:
    """What the tools look at; read-only, and the same for the same incident and checkout."""

    def __init__(self, inquiry: Inquiry, facts: FactBook) -> None:
        self.inquiry, self.facts = inquiry, facts

    @property
    def repository(self) -> Repository:
        """Return the checkout."""
        return self.inquiry.repository

    @cached_property
    def scope(self) -> tuple[Application, ...]:
        """Return the Applications that may be changed: the incident's, what they depend on, and what applies them."""
        own = self.inquiry.applications
        named = scope.named_by_facts(self.repository, self.facts, own)
        named = named[: scope.MOST_MENTIONED] if own else named
        depended = [placed.application for placed in self.dependencies]
        near = dict.fromkeys([*own, *depended, *named])
        near |= dict.fromkeys(app for app in self.repository.applications if scope.is_made_by(app, self._sets))
        near |= dict.fromkeys(scope.dialled(self.inquiry, own or named))
        near |= dict.fromkeys(scope.argocd_itself(self.repository, self.facts))
        near |= dict.fromkeys(item.application for item in self.governors)
        return tuple(dict.fromkeys([*near, *self._ancestors(near)]))

    def covers(self, application: Application) -> bool:
        """Return whether an Application may be changed, one too that only the change itself makes a set generate."""
        return application in self.scope or scope.is_made_by(application, self._sets)

    @cached_property
    def _sets(self) -> frozenset[tuple[str, int]]:
        own = self.inquiry.applications
        named = [] if own else scope.named_by_facts(self.repository, self.facts)
        return scope.sets_of(self.repository, [*own, *named], self.facts)

    def _ancestors(self, applications: Iterable[Application]) -> list[Application]:
        names = {app.parent for app in applications if app.parent}
        producers = [app.origin.producer for app in applications if app.origin and app.origin.producer]
        return [*producers, *(app for app in self.repository.applications if app.name in names)]

    @cached_property
    def objects(self) -> tuple[Placed, ...]:
        """Return the objects that are meant: the culprit's, else those whose name the facts say."""
        placed = self.inquiry.world.objects
        culprits = self.inquiry.culprits
        exact = [item for item in placed if (item.kind, item.name) in culprits and item.application in self._own]
        if exact:
            return tuple(exact)
        return tuple(item for item in placed if mentions(self.facts.text, item.name))[:6]

    @cached_property
    def governors(self) -> tuple[Placed, ...]:
        """Return the Namespace of the meant objects, its quotas, and the policies that select them, wherever they are applied."""
        return tuple(scope.governors(self.inquiry, self.objects, self.facts))

    @cached_property
    def _own(self) -> frozenset[Application]:
        return frozenset(self.inquiry.applications)

    @cached_property
    def dependencies(self) -> tuple[Placed, ...]:
        """Return the objects that the meant ones name, or that name or select them, in their namespace and cluster."""
        meant = self.objects
        near = {(item.cluster, item.namespace) for item in meant}
        values = [str(value) for item in meant for _, value in leaves(item.body) if isinstance(value, str)]
        names = {*values, *(host for value in values for pair in _HOST.findall(value) for host in pair if host)}
        own_names = {item.name for item in meant}
        return tuple(
            item
            for item in self.inquiry.world.objects
            if item not in meant
            and ((item.cluster, item.namespace) in near or not item.namespace)
            and (item.name in names or self._points_at(item, own_names, meant) or self._governs(item, near))
        )

    @staticmethod
    def _points_at(item: Placed, names: set[str], meant: tuple[Placed, ...]) -> bool:
        if any(str(value) in names for path, value in leaves(item.body) if path[:1] != ("metadata",)):
            return True
        spec = item.body.get("spec")
        selector = spec.get("selector") if isinstance(spec, dict) else None
        labels = selector.get("matchLabels", selector) if isinstance(selector, dict) else None
        if not isinstance(labels, dict) or not labels or item.manifest.pod_spec() is not None:
            return False
        return any(
            all(other.pod_labels.get(str(key)) == str(value) for key, value in labels.items()) for other in meant
        )

    @staticmethod
    def _governs(item: Placed, near: set[tuple[str, str]]) -> bool:
        spaces = {namespace for _, namespace in near}
        if item.kind == "Namespace":
            return item.name in spaces
        return item.kind in ("ResourceQuota", "LimitRange") or item.kind.endswith("Policy")

    def find(self, kind: str, name: str, application: str = "") -> list[tuple[Application, Manifest]]:
        """Return the objects of this kind and name, those of the incident's Applications first."""
        near = [*self.scope, *(app for app in self.inquiry.world.applications if app not in self.scope)]
        if application:
            named = self.repository.application(application)
            near = [app for app in self.repository.applications if app.name == application] or (
                [named] if named else []
            )
        return [
            (app, item)
            for app in near
            for item in self.repository.objects(app)
            if item.kind.casefold() == kind.casefold() and item.name == name
        ]

    def readers(self, file: str) -> list[Application]:
        """Return the Applications that read a file, or that are written in it."""
        feeds = self.repository.feeds
        return [
            app
            for app in self.repository.applications
            if feeds.reads(app, file) or app.file == file or (app.origin is not None and app.origin.file == file)
        ]

    def files(self) -> list[str]:
        """Return the files that the Applications in scope read, and those that describe them."""
        own = self.inquiry.applications or self.scope
        names = {name for app in (*own, *self._ancestors(own)) for name in self.repository.files_of(app)}
        names |= {app.origin.file for app in own if app.origin}
        return sorted(name for name in names if name)
