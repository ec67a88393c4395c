"""The values that describe a Helm release: the release, and the layers of its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops.files import Files
from remediator.gitops.model import Application, Problem, ProblemKind, Source

PULLED = ".remediator-pulled"
"""The directory in which pulled charts appear; nothing in it can be edited."""


LayerKind = Literal["default", "subchart", "file", "values", "valuesObject", "parameter", "fileParameter"]


@dataclass(frozen=True, slots=True)
class ValuesLayer:
    """One text that gives values: a file, or a field of the Application."""

    kind: LayerKind
    file: str
    """The file's name; empty for a field of the Application itself."""
    document: int
    path: YamlPath
    """The path of the values within the file or the Application."""
    data: Any
    """The values as one mapping from the chart's root."""
    inside: bool = False
    """`path` names a string that holds the values as YAML."""
    under: YamlPath = ()
    """The path in the chart's values at which the layer's own values start (a subchart's defaults)."""
    editable: bool = True


@dataclass(slots=True)
class Release:
    """Everything that is needed to render one Helm source."""

    app: Application
    source: Source
    chart: str
    """Directory of the chart in the checkout; empty when the chart is remote."""
    name: str
    namespace: str
    layers: list[ValuesLayer] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    view: Files | None = None
    """The checkout with pulled charts added, where any were pulled."""
    missing: list[str] = field(default_factory=list)
    """The chart's dependencies that are not vendored, so that they can only be pulled."""
    static: bool = False
    """True where helm fails with the release's own values, so that only its templates can be read."""
    not_pulled: dict[str, str] = field(default_factory=dict)
    """Why a chart was not pulled, by its name."""

    def report(self, kind: ProblemKind, message: str) -> None:
        """Add a problem with what the Application says about its chart."""
        self.problems.append(Problem(kind, message, file=self.app.file, application=self.app.name))
