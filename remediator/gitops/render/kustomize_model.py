"""What a kustomization yields: objects, and the texts that shaped each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops.model import Problem

LayerKind = Literal["base", "patch", "json", "image", "replica", "generator", "namespace", "name", "label", "chart"]


@dataclass(slots=True)
class KustomizeLayer:
    """One text that shapes an object: where it stands and what it says."""

    kind: LayerKind
    directory: str
    """Of the kustomization that applies it."""
    file: str
    document: int
    path: YamlPath
    body: Any
    inside: YamlPath = ()
    embedded: bool = False
    """`path` names a string that holds the text as YAML."""


@dataclass(slots=True)
class Tracked:
    """An object on its way through the kustomizations."""

    body: dict[str, Any]
    layers: list[KustomizeLayer]
    names: set[str]
    generated: bool = False
    """Its final name carries a hash of its content."""

    @property
    def kind(self) -> str:
        """Kind of the object."""
        return str(self.body.get("kind", ""))

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata, a mapping always."""
        metadata = self.body.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def name(self) -> str:
        """Its present name."""
        return str(self.metadata.get("name", ""))

    @property
    def file(self) -> str:
        """Where its first text stands."""
        return self.layers[0].file

    @property
    def document(self) -> int:
        """The document there."""
        return self.layers[0].document


@dataclass(slots=True)
class Build:
    """Everything that a kustomization yields, and what stood in the way."""

    objects: list[Tracked] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    directories: list[str] = field(default_factory=list)
    """Every kustomization directory that takes part, outermost first."""
    remote: list[str] = field(default_factory=list)
    charts: list[tuple[str, int, Mapping[str, Any]]] = field(default_factory=list)
    """helmCharts entries: kustomization file, index, entry."""
    unsure: list[str] = field(default_factory=list)
    """What was used and is not understood here."""
