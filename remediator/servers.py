"""Composition of the outside world: settings and targets in, sources and verifiers out. Nothing is asked here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from remediator.errors import ConfigError
from remediator.policy.targets import DEFAULT, Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from remediator.domain.ports import Clock, Verifier
    from remediator.domain.sources import Access, EvidenceSource, Rollout, Web
    from remediator.policy import Policies
    from remediator.services.kubernetes.client import Cluster
    from remediator.settings import Settings

KINDS = ("alertmanager", "loki", "kubernetes", "prometheus")
"""Sources, in the order in which they are asked: who knows what is wrong, then who knows more about it."""

_SPEC = re.compile(rf"(?P<kind>{'|'.join(KINDS)}|outside)(?::(?P<target>[a-z][a-z0-9-]*))?")

_SOURCE = re.compile(rf"(?:{'|'.join(KINDS)}):([a-z][a-z0-9-]*)")
"""How the names of texts begin that a target's source gave."""


def is_source(text: str) -> bool:
    """Whether a `--log` argument names a source rather than a file: `loki`, `alertmanager:prod-eu`, `outside`."""
    return _SPEC.fullmatch(text) is not None


@dataclass
class ConfiguredServers:
    """All adapters of the outside world, each made when it is first needed."""

    settings: Settings
    policies: Policies
    now: Clock
    contains: Callable[[str, str], bool | None] = lambda _revision, _commit: None
    """(revision, commit): whether the commit is in the revision's history."""
    ours: Callable[[str], bool] = lambda _url: True
    """Whether a repository's address is this repository's."""
    destinations: Callable[[Sequence[str]], Sequence[str]] = lambda _names: ()
    """Where Applications are deployed to."""
    _clusters: dict[str, Cluster] = field(default_factory=dict)

    @cached_property
    def targets(self) -> Mapping[str, Target]:
        """The named ones, or the one that the environment alone describes."""
        return self.policies.targets or {DEFAULT: Target()}

    def sources(
        self, specs: Sequence[str], workloads: bool = False
    ) -> tuple[list[EvidenceSource], list[EvidenceSource]]:
        """What the specs name: sources to ask first, and those to ask about what the first name.

        `outside` stands for all that is configured, of which what has nothing to poll waits to be told of a workload;
        ConfigError for what is not configured.
        """
        from remediator.intake.targets import NamedTargets

        first: list[EvidenceSource] = []
        then: list[EvidenceSource] = []
        for spec in specs:
            found = _SPEC.fullmatch(spec)
            if found is None:
                raise ConfigError(
                    f"{spec!r} is no source: {', '.join(KINDS)} or outside, with :TARGET where there are several"
                )
            wanted = self._target(found["target"] or "")
            kinds = KINDS if found["kind"] == "outside" else (found["kind"],)
            made = [
                (kind, target, source)
                for target in ([wanted] if wanted else self.targets)
                for kind in kinds
                if (source := self._source(kind, target)) is not None
            ]
            if not made:
                kind = found["kind"] if found["kind"] in KINDS else KINDS[0]
                variable = f"REMEDIATOR_{kind.upper()}_{'KUBECONFIG' if kind == 'kubernetes' else 'URL'}"
                what = "no server is configured" if found["kind"] == "outside" else f"{spec} is not configured"
                raise ConfigError(f"{what}: set {variable}, or name it in a target (docs/outside.md)")
            if found["kind"] != "outside" or workloads:
                for kind, _, source in made:
                    (then if kind == "prometheus" else first).append(source)
                continue
            if not any(self._polls(kind, target) for kind, target, _ in made):
                raise ConfigError(f"{spec} has nothing to poll: give `loki.selectors` or `kubernetes.namespaces`")
            for kind, target, source in made:
                polls = self._polls(kind, target)
                (first if polls and kind != "kubernetes" else then).append(
                    source if polls else NamedTargets(source.name, source)
                )
        return first, then

    def _target(self, named: str) -> str:
        """The only target to ask: the one that a source names, else the run's own; empty for all of them."""
        alone = self.settings.target
        for wanted in filter(None, (named, alone)):
            if wanted not in self.targets:
                raise ConfigError(f"no target {wanted!r}; known are {', '.join(self.targets)}")
        if named and alone and named != alone:
            raise ConfigError(f"this run is for the target {alone!r}, not for {named!r}")
        return named or alone

    def places(self, target: str) -> dict[str, str]:
        """Where each service of a target is, by kind; what is not configured is left out."""
        found = {kind: self.access(kind, target) for kind in (*KINDS, "argocd")}
        said = {
            kind: access.url
            or (kind == "kubernetes" and (access.context or (access.kubeconfig and "a kubeconfig")))
            or ""
            for kind, access in found.items()
        }
        return {kind: place for kind, place in said.items() if place}

    def polled(self) -> tuple[str, ...]:
        """What a schedule reads without being told: all that is configured; nothing where nothing can be polled."""
        self._target("")
        try:
            self.sources(["outside"])
        except ConfigError:
            return ()
        return ("outside",)

    def verifiers(self, settle: timedelta) -> list[Verifier]:
        """One of each kind that any target has; which target an incident belongs to is decided when it is looked at."""
        from remediator.intake.targets import TargetRouter

        makers: dict[str, Callable[[str, timedelta], Verifier | None]] = {
            "argocd": self._argo_verifier,
            "pods": self._pod_verifier,
            "loki": self._log_verifier,
            "alertmanager": self._alert_verifier,
        }
        found: list[Verifier] = []
        for kind, make in makers.items():
            by_target = {name: one for name in self.targets if (one := make(name, settle)) is not None}
            if len(self.targets) == 1:
                found += by_target.values()
            elif by_target:
                found.append(TargetRouter(kind, by_target, self.target_of, self.now))
        return found

    def dispatched(self, payload: Mapping[str, Any], target: str = "") -> tuple[str, str]:
        """Name and text of the alerts in an event's payload; what did not fit is asked for where the group's cluster is.

        Where nothing tells the target, all are asked.
        """
        from remediator.intake.targets import choose
        from remediator.services.alertmanager.dispatch import cluster_of_group, of_dispatch

        cluster = cluster_of_group(payload)
        name = self._target(target) or (choose(self.targets, [cluster]) if cluster else "")
        webs = [self._web("alertmanager", one, "Alertmanager") for one in ([name] if name else self.targets)]
        once = {web.base: web for web in webs if web is not None}
        return "repository_dispatch", of_dispatch(payload, tuple(once.values()))

    def cluster_of(self, source: str, said: str) -> str:
        """The one name of a statement's cluster: what it says, where a target is known by it, else its source's.

        Where there is one target it is as it says.
        """
        if len(self.targets) == 1:
            return said
        named = _SOURCE.match(source)
        known = [name for name, target in self.targets.items() if said and (said == name or said in target.clusters)]
        told = [*known, *([named[1]] if named and named[1] in self.targets else []), self.settings.target]
        target = next(filter(None, told), "")
        if not target:
            return said
        return next((one for one in self.targets[target].clusters if "://" not in one), target)

    def target_of(self, rollout: Rollout) -> str:
        """By the alert's or log's cluster, the run's, then by the Applications' destinations."""
        from remediator.intake.targets import choose

        told = [*(subject.cluster for subject in rollout.subjects), self.settings.cluster]
        return choose(self.targets, [*told, *self.destinations(rollout.applications)])

    def access(self, kind: str, target: str) -> Access:
        """Where a service of a target is: the policy file says where, the environment with which credentials.

        What the environment says without naming a target is for the only target; with several it is nobody's.
        """
        said = self.settings.access(kind.upper(), target, shared=len(self.targets) == 1)
        place = getattr(self.targets[target], kind)
        named = {key: getattr(place, key, "") for key in ("url", "ca", "tenant", "context")}
        return said.model_copy(update={key: text for key, text in named.items() if text})

    def _web(self, kind: str, target: str, title: str) -> Web | None:
        access = self.access(kind, target)
        if not access.url:
            return None
        from remediator.transport.http import Http

        headers = {"X-Scope-OrgID": access.tenant} if access.tenant else {}
        return Http(self._name(title, target), access, headers=headers)

    def cluster(self, target: str) -> Cluster | None:
        """The window on the target's cluster, one a run; None where none is configured."""
        access = self.access("kubernetes", target)
        if not (access.url or access.context or access.kubeconfig):
            return None
        from remediator.services.kubernetes.client import Cluster

        return self._clusters.setdefault(target, Cluster(self._name("Kubernetes", target), access))

    def _source(self, kind: str, target: str) -> EvidenceSource | None:
        place, name = self.targets[target], self._name(kind, target, ":")
        if kind == "kubernetes":
            from remediator.services.kubernetes.source import ClusterSource

            cluster = self.cluster(target)
            return ClusterSource(name, cluster, place.kubernetes.namespaces) if cluster else None
        web = self._web(kind, target, kind.capitalize())
        if web is None:
            return None
        if kind == "loki":
            from remediator.services.loki.source import LokiSource

            query = self.settings.query or place.loki.query
            return LokiSource(name, web, self.policies.catalogue, self._selectors(target), query, place.loki.labels)
        if kind == "alertmanager":
            from remediator.services.alertmanager.source import AlertSource

            return AlertSource(name, web, place.alertmanager.filters, place.alertmanager.receiver)
        from remediator.services.prometheus.source import UsageSource

        return UsageSource(name, web)

    def _selectors(self, target: str) -> tuple[str, ...]:
        said = self.settings.outside("LOKI", "SELECTOR", target, shared=len(self.targets) == 1)
        return self.targets[target].loki.selectors or tuple(filter(None, [said]))

    def _polls(self, kind: str, target: str) -> bool:
        """Whether a source has something to read without being told of a workload."""
        place = self.targets[target]
        if kind == "loki":
            return bool(self.settings.query or place.loki.query or self._selectors(target))
        return kind == "alertmanager" or (kind == "kubernetes" and bool(place.kubernetes.namespaces))

    def _argo_verifier(self, target: str, settle: timedelta) -> Verifier | None:
        from remediator.services.argocd.client import ArgoApi
        from remediator.services.argocd.verify import ArgoVerifier

        place = self.targets[target].argocd
        if not place.enabled:
            return None
        said = self.settings.outside("ARGOCD", "NAMESPACE", target, shared=len(self.targets) == 1)
        namespace = said if said and "namespace" not in place.model_fields_set else place.namespace
        make = partial(
            ArgoVerifier,
            self._name("argocd", target, ":"),
            now=self.now,
            contains=self.contains,
            ours=self.ours,
            settle=settle,
        )
        if web := self._web("argocd", target, "Argo CD"):
            api = ArgoApi(web, namespace, place.project, place.refresh)
            sync = api.sync if self.policies.verification.sync else None
            return make(fetch=api.application, link=api.link, anew=api.forget, sync=sync)
        cluster = self.cluster(target)
        return make(fetch=partial(cluster.application, namespace), anew=cluster.forget) if cluster else None

    def _pod_verifier(self, target: str, settle: timedelta) -> Verifier | None:
        from remediator.services.kubernetes.verify import PodVerifier

        cluster = self.cluster(target)
        if cluster is None:
            return None
        alone = not self.targets[target].argocd.enabled
        return PodVerifier(self._name("pods", target, ":"), cluster, self.now, settle, rollouts=alone)

    def _log_verifier(self, target: str, settle: timedelta) -> Verifier | None:
        from remediator.services.loki.verify import SignatureVerifier

        web = self._web("loki", target, "Loki")
        if web is None:
            return None
        name, labels = self._name("loki", target, ":"), self.targets[target].loki.labels
        return SignatureVerifier(
            name, web, self.policies.catalogue, self.now, settle, labels, selectors=self._selectors(target)
        )

    def _alert_verifier(self, target: str, settle: timedelta) -> Verifier | None:
        from remediator.services.alertmanager.verify import AlertVerifier

        web = self._web("alertmanager", target, "Alertmanager")
        if web is None:
            return None
        name, place = self._name("alertmanager", target, ":"), self.targets[target].alertmanager
        known_as = partial(self.cluster_of, name)
        return AlertVerifier(name, web, self.now, settle, place.filters, place.receiver, known_as)

    @staticmethod
    def _name(kind: str, target: str, between: str = " ") -> str:
        return kind if target == DEFAULT else f"{kind}{between}{target}"
