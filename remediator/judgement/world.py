"""The rendered world round an incident: what Argo CD applies beside the culprit, with namespaces resolved.

Relations ask it whether names, ports, selectors and keys fit together. It renders as few Applications as it can: the
culprit's, those of the same namespace and cluster, and the ones that applied them. What was not rendered is known, so
that nothing is called missing that just was not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.errors import ConfigError
from remediator.gitops import Application, Manifest, Repository

MOST_APPLICATIONS = 60
"""Applications that are rendered for one incident."""

MOST_FILES = 40
"""Files of one Application that are searched for a word."""

CLUSTER_SCOPED = frozenset({
    "ClusterIssuer", "ClusterRole", "ClusterRoleBinding", "ClusterSecretStore", "CustomResourceDefinition",
    "IngressClass", "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass",
    "RuntimeClass", "StorageClass", "ValidatingWebhookConfiguration",
})  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """One rendered object, with its Application and the namespace that it lands in ("" where cluster-scoped)."""

    application: Application
    manifest: Manifest
    namespace: str

    @property
    def kind(self) -> str:
        """Return the object's kind."""
        return self.manifest.kind

    @property
    def name(self) -> str:
        """Return the object's name."""
        return self.manifest.name

    @property
    def body(self) -> dict[str, Any]:
        """Return the object as Argo CD would apply it."""
        return self.manifest.body

    @property
    def cluster(self) -> str:
        """Return the destination cluster as the Application names it."""
        return self.application.cluster

    @property
    def pod_labels(self) -> Mapping[str, str]:
        """Return the labels that its pods carry; empty for what makes no pods."""
        spec = self.manifest.pod_spec()
        if spec is None:
            return {}
        above: Any = self.body
        for step in spec[1][:-1]:
            above = above.get(step) if isinstance(above, dict) else None
        metadata = above.get("metadata") if isinstance(above, dict) else None
        labels = metadata.get("labels") if isinstance(metadata, dict) else None
        return {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}

    def containers(self) -> Iterator[tuple[dict[str, Any], YamlPath, bool]]:
        """Yield each container with its path and True for an init container."""
        return self.manifest.containers()


class World:
    """The objects that can have to do with some Applications, by kind, namespace and name."""

    def __init__(
        self,
        repository: Repository,
        applications: Iterable[Application],
        namespaces: Iterable[str] = (),
        *,
        most: int = MOST_APPLICATIONS,
        words: Iterable[str] = (),
        loopback: Mapping[str, frozenset[int]] | None = None,
    ) -> None:
        """Take the Applications to begin with, namespaces to look at, and words that bring in whatever text holds one.

        `loopback` are ports that were seen to be open on loopback alone, by the name of the workload.
        """
        self.loopback: Mapping[str, frozenset[int]] = loopback or {}
        self.repository = repository
        self._words = tuple(words)
        self._roots = tuple(dict.fromkeys(applications))
        self._most = most
        self.namespaces = frozenset(name for name in namespaces if name)

    def over(self, repository: Repository, applications: Iterable[Application]) -> World:
        """Return the same scope over a changed repository, so that what is gone there was mended and not left out."""
        return World(
            repository, applications, self.namespaces, most=self._most, words=self._words, loopback=self.loopback
        )

    @cached_property
    def applications(self) -> tuple[Application, ...]:
        """Return the Applications in scope: the given ones, their namespaces' and clusters' others, their parents."""
        clusters = {app.cluster for app in self._roots}
        spaces = {app.namespace for app in self._roots} | self.namespaces
        parents = {app.parent for app in self._roots}
        near = [
            app
            for app in self.repository.applications
            if app not in self._roots
            and (app.cluster in clusters or not self._roots)
            and (app.namespace in spaces or not app.namespace or app.name in parents)
        ]
        far = [
            app
            for app in self.repository.applications
            if self._words
            and app not in self._roots
            and app not in near
            and app.cluster in clusters
            and any(word in text_of(self.repository, app) for word in self._words)
        ]
        return (*self._roots, *near, *far)[: self._most]

    @cached_property
    def objects(self) -> tuple[Placed, ...]:
        """Return every rendered object of the Applications in scope."""
        return tuple(
            Placed(app, manifest, "" if manifest.kind in CLUSTER_SCOPED else manifest.namespace_in(app))
            for app in self.applications
            for manifest in self.repository.objects(app)
            if manifest.body
        )

    def application_object(self, application: Application) -> Placed:
        """Return the Application itself as an object, also where what it renders cannot be seen."""
        manifest = Manifest(
            api_version="argoproj.io/v1alpha1", kind="Application", name=application.name,
            namespace=application.object_namespace, body=dict(application.body), app=application.name,
            file=application.file, document=application.document,
        )  # fmt: skip
        return Placed(application, manifest, application.object_namespace)

    @cached_property
    def _by_kind(self) -> Mapping[str, tuple[Placed, ...]]:
        kinds: dict[str, list[Placed]] = {}
        for placed in self.objects:
            kinds.setdefault(placed.kind, []).append(placed)
        return {kind: tuple(items) for kind, items in kinds.items()}

    def of_kind(self, *kinds: str, near: Placed | None = None) -> tuple[Placed, ...]:
        """Return the objects of these kinds; with `near`, those of its namespace and cluster alone."""
        items = [placed for kind in kinds for placed in self._by_kind.get(kind, ())]
        if near is not None:
            items = [item for item in items if item.namespace == near.namespace and item.cluster == near.cluster]
        return tuple(items)

    def named(self, kind: str, name: str, near: Placed) -> Placed | None:
        """Return the object of that kind and name in the namespace and cluster of another; None where there is none."""
        return next((item for item in self.of_kind(kind, near=near) if item.name == name), None)

    @cached_property
    def workloads(self) -> tuple[Placed, ...]:
        """Return the objects that make pods."""
        return tuple(placed for placed in self.objects if placed.manifest.pod_spec() is not None)

    def pods_of(self, selector: Mapping[str, Any], near: Placed) -> tuple[Placed, ...]:
        """Return the workloads near an object whose pods carry all labels of a selector; none for an empty selector."""
        if not selector:
            return ()
        return tuple(
            workload
            for workload in self.workloads
            if workload.namespace == near.namespace
            and workload.cluster == near.cluster
            and all(workload.pod_labels.get(str(key)) == str(value) for key, value in selector.items())
        )

    def is_complete(self, namespace: str) -> bool:
        """Return True where every Application that could put something into the namespace was rendered.

        A chart or plug-in that was not rendered may hold what seems to be missing, so nothing is called missing then.
        """
        return not any(
            problem
            for app in self.applications
            if app.namespace in ("", namespace)
            for problem in self.repository.problems_of(app)
        ) and not any(
            manifest.tracked == "unseen"
            for app in self.applications
            if app.namespace in ("", namespace)
            for manifest in self.repository.objects(app)
        )


def text_of(repository: Repository, application: Application) -> str:
    """Return the Application's spec and the texts that it reads, as one text to search."""
    parts = [repr(application.body.get("spec"))]
    for name in repository.files_of(application)[:MOST_FILES]:
        try:
            parts.append(repository.read(name).decode("utf-8", "replace"))
        except ConfigError:
            continue
    return "\n".join(parts)
