"""The values of this package: Applications, their sources, the objects they apply, matches and answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from remediator.domain.change import Place
from remediator.domain.yaml_paths import YamlPath

ProblemKind = Literal[
    "parse",
    "missing-path",
    "missing-file",
    "render",
    "generator",
    "cycle",
    "too-large",
    "symlink",
    "remote",
    "declined",
    "schema",
    "duplicate",
]
SourceType = Literal["directory", "kustomize", "helm", "remote", "jsonnet", "plugin", "hydrator", "missing"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason why a file or an Application cannot be used as it is; it is reported, never raised."""

    kind: ProblemKind
    message: str
    file: str = ""
    line: int = 0
    application: str = ""

    @property
    def fault(self) -> bool:
        """True where the repository itself is broken, False where only this reader cannot go on (remote, declined)."""
        return self.kind not in ("remote", "declined", "too-large")


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of an Application's `source` or `sources`."""

    repo_url: str
    path: str
    """Relative to the checkout's root; empty for chart registries and pure `ref` sources."""
    revision: str
    chart: str
    ref: str
    local: bool
    """True where the source lies in this checkout."""
    pointer: YamlPath
    """The path of the entry in the Application: ("spec", "source") or ("spec", "sources", 1)."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """The entry as written, with the overrides of `.argocd-source*.yaml` merged in."""

    def options(self, tool: str) -> Mapping[str, Any]:
        """Return the source's options for a tool."""
        options = self.body.get(tool)
        return options if isinstance(options, dict) else {}


@dataclass(frozen=True, slots=True, eq=False)
class Application:
    """One Application as it will exist in the cluster, wherever its text comes from."""

    name: str
    namespace: str
    """The destination's namespace, where the workloads run; empty where the manifests name their own."""
    project: str
    cluster: str
    file: str
    document: int
    kind: str
    """`Application` where the document is one, `ApplicationSet` where it was generated, `HelmChart` or
    `Kustomization` where rendering made it, `Values` where only the values of an unseen chart describe it."""
    parent: str
    sources: tuple[Source, ...]
    body: Mapping[str, Any]
    object_namespace: str = ""
    """Namespace of the Application object itself."""
    origin: Origin | None = None
    """The text behind the Application, unless the Application is a plain document."""
    notes: tuple[str, ...] = ()
    variant: str = ""
    """The name of what rendered it, where the same text is rendered more than once (an overlay for each cluster)."""

    @classmethod
    def implied(cls, kind: Literal["HelmChart", "Kustomization"], directory: str, name: str) -> Application:
        """Return the Application that would deploy a directory of this checkout which no Application deploys."""
        source = Source("", directory, "", "", "", True, ("spec", "source"))
        return cls(name, "", "", "", "", 0, kind, "", (source,), {}, variant=directory)

    @property
    def key(self) -> tuple[str, str, str, int, str, str]:
        """Return the values that distinguish it from every other Application of the checkout."""
        return (self.object_namespace, self.name, self.file, self.document, self.cluster, self.variant)

    @property
    def releases(self) -> tuple[str, ...]:
        """Return the names of the Helm releases that its sources set themselves; the others bear its own name."""
        spec = self.body.get("spec")
        sources = [spec.get("source"), *(spec.get("sources") or ())] if isinstance(spec, dict) else []
        options = [source.get("helm") for source in sources if isinstance(source, dict)]
        return tuple(str(helm["releaseName"]) for helm in options if isinstance(helm, dict) and helm.get("releaseName"))

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Application) and self.key == other.key


@dataclass(frozen=True, slots=True)
class Origin:
    """The text behind a generated Application."""

    kind: Literal["generator", "rendered", "values"]
    file: str
    document: int
    path: YamlPath
    """The path of the template's spec (generator) or of the item (values)."""
    template: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Place] = field(default_factory=dict)
    """The places of those generator parameters that are written in a file."""
    producer: Application | None = None
    """The Application, real or implied, whose rendering produced it."""
    inside: YamlPath = ()


@dataclass(frozen=True, slots=True)
class ApplicationSet:
    """One ApplicationSet with its file and the Application that applies it."""

    name: str
    file: str
    document: int
    parent: str
    body: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin | None = None
    path: YamlPath = ("spec",)
    """The path of its spec within the document."""


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """One object that Argo CD would apply."""

    api_version: str
    kind: str
    name: str
    namespace: str
    body: dict[str, Any]
    app: str
    file: str = ""
    """The file with its text: the manifest, the kustomize base or the chart's template."""
    document: int = 0
    source: int = 0
    """Index into the Application's sources."""
    tracked: Any = None
    """The origin as the reader of the source's tool recorded it."""

    @classmethod
    def of(cls, body: dict[str, Any], app: Application, source: Source, **origin: Any) -> Manifest:
        """Return an object as rendered for a source; `origin` gives file, document and tracked."""
        metadata = body.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        return cls(
            api_version=str(body.get("apiVersion", "")),
            kind=str(body.get("kind", "")),
            name=str(metadata.get("name") or metadata.get("generateName") or ""),
            namespace=str(metadata.get("namespace") or app.namespace),
            body=body,
            app=app.name,
            source=app.sources.index(source) if source in app.sources else 0,
            **origin,
        )

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Return the object's identity in the cluster: group, kind, namespace, name."""
        return (self.api_version.rpartition("/")[0], self.kind, self.namespace, self.name)

    def namespace_in(self, application: Application) -> str:
        """Return the namespace in which the object lives: its own, or the one that the Application deploys to."""
        return self.namespace or application.namespace

    def pod_spec(self) -> tuple[dict[str, Any], YamlPath] | None:
        """Return the pod's spec and its path: a Pod's own, a CronJob's nested one, else the template's."""
        for path in _POD_SPECS.get(self.kind, (("spec", "template", "spec"),)):
            node: Any = self.body
            for step in path:
                node = node.get(step) if isinstance(node, dict) else None
            if isinstance(node, dict) and isinstance(node.get("containers"), list):
                return node, path
        return None

    def containers(self) -> Iterator[tuple[dict[str, Any], YamlPath, bool]]:
        """Yield each container with its path and whether it is an init container."""
        pod_spec = self.pod_spec()
        if pod_spec is None:
            return
        spec, path = pod_spec
        for key, init in (("containers", False), ("initContainers", True)):
            for index, item in enumerate(spec.get(key) or ()):
                if isinstance(item, dict):
                    yield item, (*path, key, index), init


_POD_SPECS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "Pod": (("spec",),),
    "CronJob": (("spec", "jobTemplate", "spec", "template", "spec"),),
    "ScaledJob": (("spec", "jobTargetRef", "template", "spec"),),
}

WORKLOADS = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "Job",
    "Rollout",
    "ReplicaSet",
    "Pod",
    "ReplicationController",
    "DeploymentConfig",
)


@dataclass(frozen=True, slots=True)
class Match:
    """One object that an incident's subject can mean."""

    application: Application
    manifest: Manifest
    container: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Located:
    """The places that control a field, or the reason why they cannot be determined."""

    status: Literal["located", "insert", "ambiguous", "unknown"]
    places: tuple[Place, ...] = ()
    candidates: tuple[Place, ...] = ()
    """Other places that could be meant, or that would keep other Applications untouched."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Revision:
    """The branch or version that a source's `targetRevision` follows; a branch is the base of the pull request."""

    name: str
    pinned: bool
    """True for a tag, a commit or a chart version, which a merge does not change."""
    why: str


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One rendered field before and after; an object or an Application that appears or goes has an empty path."""

    application: str
    api_version: str
    kind: str
    name: str
    namespace: str
    path: YamlPath
    before: Any
    after: Any
    scope: Literal["field", "object", "application", "failure"] = "field"


@dataclass(slots=True)
class Tree:
    """All Applications, ApplicationSets and AppProjects of a checkout, and the problems found while reading them."""

    applications: list[Application] = field(default_factory=list)
    sets: list[ApplicationSet] = field(default_factory=list)
    projects: list[tuple[str, int, Mapping[str, Any]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
