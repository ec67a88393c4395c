"""The result of building a kustomization: objects, and the texts that shaped each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops.model import Problem

LayerKind = Literal["base", "patch", "json", "image", "replica", "generator", "namespace", "name", "label", "chart"]


@dataclass(slots=True)
class KustomizeLayer:
    """One text that shapes an object, with its place and its content."""

    kind: LayerKind
    directory: str
    """The directory of the kustomization that applies it."""
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
        """Return the kind of the object."""
        return str(self.body.get("kind", ""))

    @property
    def metadata(self) -> dict[str, Any]:
        """Return the object's metadata, which is always a mapping."""
        metadata = self.body.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def name(self) -> str:
        """Return the object's current name."""
        return str(self.metadata.get("name", ""))

    @property
    def file(self) -> str:
        """Return the file of the object's first text."""
        return self.layers[0].file

    @property
    def document(self) -> int:
        """Return the index of the document in that file."""
        return self.layers[0].document


@dataclass(slots=True)
class Build:
    """All objects of a kustomization, and the problems of building it."""

    objects: list[Tracked] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    directories: list[str] = field(default_factory=list)
    """Every kustomization directory that takes part, outermost first."""
    remote: list[str] = field(default_factory=list)
    charts: list[tuple[str, int, Mapping[str, Any]]] = field(default_factory=list)
    """helmCharts entries: kustomization file, index, entry."""
    unsure: list[str] = field(default_factory=list)
    """The fields of the kustomization that this reader does not support."""
