"""Find Argo CD's documents in one pass over the files' bytes; only those that can matter are parsed.

Most YAML files of a repository are workloads, and parsing costs a hundred times as much as searching.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remediator.domain.yaml_paths import list_at
from remediator.gitops import yamlread
from remediator.gitops.files import KUSTOMIZATION_NAMES, YAML_SUFFIXES, Files
from remediator.gitops.model import Problem
from remediator.gitops.yamlread import UnreadableYaml

_SUFFIXES = (*YAML_SUFFIXES, "Kustomization")
_OF_ARGO = re.compile(
    rb"""kind["']?\s*:\s*["']?(?:Application|ApplicationSet|AppProject|ApplicationList|ApplicationSetList|List)\b"""
)
_CLUSTER = re.compile(rb"secret-type[\"']?\s*:\s*[\"']?cluster")
_ENTRY = re.compile(rb"^\s*-\s+(?:path:\s*)?[\"']?([^\s\"'#{}:]+)[\"']?\s*(?:#.*)?$", re.MULTILINE)
_SHAPING = re.compile(
    rb"^[\"']?(namePrefix|nameSuffix|namespace|patches|patchesStrategicMerge|patchesJson6902|images|replicas|replacements|vars|components"
    rb"|transformers|generators|helmCharts|helmChartInflationGenerator|commonLabels|commonAnnotations|labels)[\"']?\s*:",
    re.MULTILINE,
)
_FLUX = re.compile(rb"kind:\s*[\"']?(HelmRelease|Kustomization)\b")


@dataclass(slots=True)
class Facts:
    """The part of one file that matters for the tree; it is small and cached between runs."""

    documents: list[tuple[int, Any]] = field(default_factory=list)
    """Applications, ApplicationSets, AppProjects and cluster Secrets, by document index."""
    refs: list[str] | None = None
    """The files and directories that a kustomization's lists name; None for other files."""
    transforms: bool = False
    """True where the kustomization changes the objects that it includes."""
    has_charts: bool = False
    """True where the kustomization has helmCharts."""
    template: bool = False
    """True for a chart's template that renders Applications or ApplicationSets."""
    values: bool = False
    """True where the file may describe Applications as values of a chart."""
    problems: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """True where the file contains nothing that matters for the tree."""
        return not (self.documents or self.refs is not None or self.template or self.values or self.problems)

    def dump(self) -> list[Any]:
        """Return the facts as plain data."""
        return [self.documents, self.refs, self.transforms, self.has_charts, self.template, self.values, self.problems]

    @classmethod
    def load(cls, data: list[Any]) -> Facts:
        """Return the facts from plain data."""
        documents, refs, shapes, inflates, template, values, problems = data
        return cls(
            [(int(index), body) for index, body in documents],
            refs,
            shapes,
            inflates,
            template,
            values,
            [tuple(item) for item in problems],
        )


def is_yaml(name: str) -> bool:
    """Return whether the name is that of a YAML or JSON file."""
    return name.endswith(_SUFFIXES) and (name.endswith(YAML_SUFFIXES) or posixpath.basename(name) == "Kustomization")


def facts_of(name: str, data: bytes, *, in_templates: bool) -> Facts | None:
    """Return the facts of one file, or None where there are none; every Application contains `repoURL`."""
    argo = b"argoproj.io/" in data
    kustomization = name.endswith(KUSTOMIZATION_NAMES) and posixpath.basename(name) in KUSTOMIZATION_NAMES
    if in_templates:
        return Facts(template=True) if argo and _OF_ARGO.search(data) else None
    points = b"repoURL" in data
    flux = b"toolkit.fluxcd.io/" in data
    if not (argo or kustomization or points or flux):
        return None
    facts = Facts()
    if argo and (_OF_ARGO.search(data) or _CLUSTER.search(data)):
        _documents(data, facts)
    if kustomization:
        facts.refs = references(data)
        facts.transforms = _SHAPING.search(data) is not None
        facts.has_charts = b"helmChart" in data
    if flux:
        kinds = dict.fromkeys(_FLUX.findall(data))
        facts.problems += [
            ("declined", f"Flux {kind.decode()}: not an Argo CD Application, so it is not read", 0) for kind in kinds
        ]
    facts.values = points and not facts.documents and not kustomization
    return None if facts.empty else facts


def references(data: bytes) -> list[str]:
    """Return the entries of a kustomization's lists; the text is parsed only where lists are written in brackets."""
    if b"[" not in data:
        return [match.decode("utf-8", "replace") for match in _ENTRY.findall(data)]
    try:
        body = yamlread.mapping(data)
    except UnreadableYaml:
        return []
    entries: list[str] = []
    for key in ("resources", "bases", "components", "patchesStrategicMerge", "patches", "patchesJson6902"):
        for item in list_at(body, key):
            entries += (
                [item]
                if isinstance(item, str)
                else [str(item["path"])]
                if isinstance(item, dict) and "path" in item
                else []
            )
    return entries


def _documents(data: bytes, facts: Facts) -> None:
    for index, piece in yamlread.pieces(data):
        if b"argoproj.io/" not in piece or not (_OF_ARGO.search(piece) or _CLUSTER.search(piece)):
            continue
        try:
            for offset, body in enumerate(yamlread.iterate(piece)):
                facts.documents += [(max(index, 0) + offset, item) for item in _items(body) if _is_argo_document(item)]
        except UnreadableYaml as error:
            start = data.find(piece)
            line = error.line + data.count(b"\n", 0, start) if error.line and start > 0 else error.line
            facts.problems.append(("parse", error.message, line))


def _items(body: Any) -> list[Any]:
    """Return a List's items as documents of their own, though only a plain document has a place to edit."""
    if isinstance(body, dict) and str(body.get("kind", "")).endswith("List") and isinstance(body.get("items"), list):
        return [{**item, "\0item": index} for index, item in enumerate(body["items"]) if isinstance(item, dict)]
    return [body]


def _is_argo_document(body: Any) -> bool:
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        return False
    if body.get("kind") in ("Application", "ApplicationSet", "AppProject"):
        return str(body.get("apiVersion", "")).startswith("argoproj.io/")
    labels = body["metadata"].get("labels")
    return (
        body.get("kind") == "Secret"
        and isinstance(labels, dict)
        and labels.get("argocd.argoproj.io/secret-type") == "cluster"
    )


def is_relevant(name: str, data: bytes) -> bool:
    """Return whether a file can matter for the tree, judged by its bytes."""
    if b"argoproj.io/" in data or b"repoURL" in data or b"toolkit.fluxcd.io/" in data:
        return True
    return name.endswith(KUSTOMIZATION_NAMES)


def scan(files: Files, cached: Mapping[str, Facts | None] | None = None) -> tuple[dict[str, Facts], list[Problem]]:
    """Return the facts by file; `cached` has those of unchanged files (None: no facts)."""
    facts_by_file: dict[str, Facts] = {}
    problems: list[Problem] = []
    cached = cached or {}
    charts = {name[: -len("/Chart.yaml")] if "/" in name else "" for name in files.names if name.endswith("Chart.yaml")}
    for name in files.names:
        if not is_yaml(name):
            continue
        facts = cached.get(name)
        if name not in cached:
            try:
                data = files.read_listed(name)
            except UnreadableYaml as error:
                problems.append(
                    Problem("too-large" if "larger" in error.message else "missing-file", error.message, file=name)
                )
                continue
            if is_relevant(name, data):
                facts = facts_of(
                    name, data, in_templates="templates/" in name and template_chart(name, charts) is not None
                )
        if facts is not None:
            facts_by_file[name] = facts
            problems += [Problem(kind, message, file=name, line=line) for kind, message, line in facts.problems]  # type: ignore[arg-type]
    return facts_by_file, problems


def template_chart(name: str, charts: set[str]) -> str | None:
    """Return the chart whose `templates/` directory holds the file."""
    position = name.rfind("templates/")
    while position >= 0:
        if position == 0 or name[position - 1] == "/":
            chart = name[: max(0, position - 1)]
            if chart in charts:
                return chart
        position = name.rfind("templates/", 0, position)
    return None
