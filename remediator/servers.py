"""The adapters of all configured servers: from settings and targets to sources and verifiers. No server is called here."""

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
"""Sources in the order in which they are asked: first those that know the fault, then those that know more about it."""

_SPEC = re.compile(rf"(?P<kind>{'|'.join(KINDS)}|outside)(?::(?P<target>[a-z][a-z0-9-]*))?")

_SOURCE = re.compile(rf"(?:{'|'.join(KINDS)}):([a-z][a-z0-9-]*)")
"""The beginning of the names of texts from a target's source."""


def is_source(text: str) -> bool:
    """Return whether a `--log` argument names a source instead of a file: `loki`, `alertmanager:prod-eu`, `outside`."""
    return _SPEC.fullmatch(text) is not None


@dataclass
class ConfiguredServers:
    """All adapters of servers, each built when it is first needed."""

    settings: Settings
    policies: Policies
    now: Clock
    contains: Callable[[str, str], bool | None] = lambda _revision, _commit: None
    """Maps (revision, commit) to whether the commit is in the revision's history."""
    ours: Callable[[str], bool] = lambda _url: True
    """Maps a repository's address to whether it is this repository."""
    destinations: Callable[[Sequence[str]], Sequence[str]] = lambda _names: ()
    """Maps names of Applications to the clusters that they are deployed to."""
    _clusters: dict[str, Cluster] = field(default_factory=dict)

    @cached_property
    def targets(self) -> Mapping[str, Target]:
        """The targets of the policies, or the one that the environment alone describes."""
        return self.policies.targets or {DEFAULT: Target()}

    def sources(
        self, specs: Sequence[str], workloads: bool = False
    ) -> tuple[list[EvidenceSource], list[EvidenceSource]]:
        """Return the sources of the specs: those to ask first, and those to ask about the workloads that the first name.

        `outside` stands for all configured sources; those without anything to poll wait for a workload.
        ConfigError for a source that is not configured.
        """
        from remediator.intake.targets import NamedTargets

        first: list[EvidenceSource] = []
        then: list[EvidenceSource] = []
        for spec in specs:
            match = _SPEC.fullmatch(spec)
            if match is None:
                raise ConfigError(
                    f"{spec!r} is no source: write {', '.join(KINDS)} or outside, with :TARGET where there are several"
                )
            only_target = self._target(match["target"] or "")
            kinds = KINDS if match["kind"] == "outside" else (match["kind"],)
            selected = [
                (kind, target, source)
                for target in ([only_target] if only_target else self.targets)
                for kind in kinds
                if (source := self._source(kind, target)) is not None
            ]
            if not selected:
                kind = match["kind"] if match["kind"] in KINDS else KINDS[0]
                variable = f"REMEDIATOR_{kind.upper()}_{'KUBECONFIG' if kind == 'kubernetes' else 'URL'}"
                problem = "no server is configured" if match["kind"] == "outside" else f"{spec} is not configured"
                raise ConfigError(f"{problem}: set {variable}, or name it in a target (docs/outside.md)")
            if match["kind"] != "outside" or workloads:
                for kind, _, source in selected:
                    (then if kind == "prometheus" else first).append(source)
                continue
            if not any(self._polls(kind, target) for kind, target, _ in selected):
                raise ConfigError(f"{spec} has nothing to poll: give `loki.selectors` or `kubernetes.namespaces`")
            for kind, target, source in selected:
                polls = self._polls(kind, target)
                (first if polls and kind != "kubernetes" else then).append(
                    source if polls else NamedTargets(source.name, source)
                )
        return first, then

    def _target(self, requested: str) -> str:
        """Return the only target to ask: the one that a source names, else the run's own; empty for all targets."""
        alone = self.settings.target
        for name in filter(None, (requested, alone)):
            if name not in self.targets:
                raise ConfigError(f"no target {name!r}; known are {', '.join(self.targets)}")
        if requested and alone and requested != alone:
            raise ConfigError(f"this run is for the target {alone!r}, not for {requested!r}")
        return requested or alone

    def places(self, target: str) -> dict[str, str]:
        """Return the address of each service of a target, by kind; without those that are not configured."""
        accesses = {kind: self.access(kind, target) for kind in (*KINDS, "argocd")}
        locations = {
            kind: access.url
            or (kind == "kubernetes" and (access.context or (access.kubeconfig and "a kubeconfig")))
            or ""
            for kind, access in accesses.items()
        }
        return {kind: place for kind, place in locations.items() if place}

    def polled(self) -> tuple[str, ...]:
        """Return the sources of a scheduled run: all that are configured; empty where none can be polled."""
        self._target("")
        try:
            self.sources(["outside"])
        except ConfigError:
            return ()
        return ("outside",)

    def verifiers(self, settle: timedelta) -> list[Verifier]:
        """Return one verifier for each kind that any target has; the target of an incident is decided at each look."""
        from remediator.intake.targets import TargetRouter

        makers: dict[str, Callable[[str, timedelta], Verifier | None]] = {
            "argocd": self._argo_verifier,
            "pods": self._pod_verifier,
            "loki": self._log_verifier,
            "alertmanager": self._alert_verifier,
        }
        verifiers: list[Verifier] = []
        for kind, make in makers.items():
            by_target = {name: verifier for name in self.targets if (verifier := make(name, settle)) is not None}
            if len(self.targets) == 1:
                verifiers += by_target.values()
            elif by_target:
                verifiers.append(TargetRouter(kind, by_target, self.target_of, self.now))
        return verifiers

    def dispatched(self, payload: Mapping[str, Any], target: str = "") -> tuple[str, str]:
        """Return name and text of the alerts in an event's payload; missing ones are read from the Alertmanager of its cluster.

        Where the target is not known, all targets are asked.
        """
        from remediator.intake.targets import choose
        from remediator.services.alertmanager.dispatch import cluster_of_group, of_dispatch

        cluster = cluster_of_group(payload)
        name = self._target(target) or (choose(self.targets, [cluster]) if cluster else "")
        webs = [
            self._web("alertmanager", target_name, "Alertmanager") for target_name in ([name] if name else self.targets)
        ]
        once = {web.base: web for web in webs if web is not None}
        return "repository_dispatch", of_dispatch(payload, tuple(once.values()))

    def cluster_of(self, source: str, cluster: str) -> str:
        """Return the one name of a statement's cluster: the named one where a target has that name, else its source's.

        Where there is only one target, the name in the statement is returned.
        """
        if len(self.targets) == 1:
            return cluster
        match = _SOURCE.match(source)
        target_names = [
            name for name, target in self.targets.items() if cluster and (cluster == name or cluster in target.clusters)
        ]
        candidates = [*target_names, *([match[1]] if match and match[1] in self.targets else []), self.settings.target]
        target = next(filter(None, candidates), "")
        if not target:
            return cluster
        return next(
            (cluster_name for cluster_name in self.targets[target].clusters if "://" not in cluster_name), target
        )

    def target_of(self, rollout: Rollout) -> str:
        """Return the target by the alert's or log's cluster, else by the run's, else by the Applications' destinations."""
        from remediator.intake.targets import choose

        clusters = [*(subject.cluster for subject in rollout.subjects), self.settings.cluster]
        return choose(self.targets, [*clusters, *self.destinations(rollout.applications)])

    def access(self, kind: str, target: str) -> Access:
        """Return the access to a target's service: the address from the policy file, the credentials from the environment.

        A variable without a target counts only where there is one target.
        """
        access = self.settings.access(kind.upper(), target, shared=len(self.targets) == 1)
        place = getattr(self.targets[target], kind)
        overrides = {key: getattr(place, key, "") for key in ("url", "ca", "tenant", "context")}
        return access.model_copy(update={key: text for key, text in overrides.items() if text})

    def _web(self, kind: str, target: str, title: str) -> Web | None:
        access = self.access(kind, target)
        if not access.url:
            return None
        from remediator.transport.http import Http

        headers = {"X-Scope-OrgID": access.tenant} if access.tenant else {}
        return Http(self._name(title, target), access, headers=headers)

    def cluster(self, target: str) -> Cluster | None:
        """Return the client of the target's cluster, one for each run; None where none is configured."""
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
        selector = self.settings.outside("LOKI", "SELECTOR", target, shared=len(self.targets) == 1)
        return self.targets[target].loki.selectors or tuple(filter(None, [selector]))

    def _polls(self, kind: str, target: str) -> bool:
        """Return whether a source has something to read without a named workload."""
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
        variable = self.settings.outside("ARGOCD", "NAMESPACE", target, shared=len(self.targets) == 1)
        namespace = variable if variable and "namespace" not in place.model_fields_set else place.namespace
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
