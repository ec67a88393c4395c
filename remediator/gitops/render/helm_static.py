"""Render a chart without helm: less certain, and incomplete where a template uses unsupported functions.

It serves where helm is not installed. A template that uses unsupported functions becomes a `remote` problem, which
blames this reader and not the repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediator.domain.yaml_paths import MISSING, get, mapping_at
from remediator.gitops import yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files
from remediator.gitops.model import Manifest, Problem
from remediator.gitops.render.helm import chart_dependencies, subchart
from remediator.gitops.render.helm_model import Release
from remediator.gitops.render.helm_render import manifests
from remediator.gitops.render.helm_values import coalesce
from remediator.gitops.template.engine import Engine
from remediator.gitops.template.functions import FUNCTIONS, with_must
from remediator.gitops.template.parse import UnrenderableTemplate, parse
from remediator.gitops.yamlread import UnreadableYaml

_KUBE = "1.31.0"
_FUNCTIONS = with_must(FUNCTIONS)


class _ApiVersions:
    """The value of `.Capabilities.APIVersions`: it has the built-in groups."""

    def fields(self, _: str) -> Any:
        return lambda version: str(version).split("/")[0] in _GROUPS


_GROUPS = frozenset(
    ("v1", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io")
)


class _ChartFiles:
    """The value of `.Files` in one chart."""

    def __init__(self, files: Files, chart: str) -> None:
        self.files, self.chart = files, chart

    def fields(self, name: str) -> Any:
        if name == "Get":
            return self.get
        if name == "Glob":
            raise UnrenderableTemplate(".Files.Glob is not supported without helm")
        raise UnrenderableTemplate(f".Files.{name} is not supported without helm")

    def get(self, path: str) -> str:
        try:
            return self.files.read(join(self.chart, str(path))).decode("utf-8", "replace")
        except UnreadableYaml:
            return ""


def render(files: Files, release: Release, values: Mapping[str, Any]) -> tuple[list[Manifest], list[Problem]]:
    """Return the objects whose templates could be read, and the templates that could not."""
    engine = Engine(_FUNCTIONS)
    engine.functions |= {
        "include": engine.execute,
        "tpl": lambda text, data: Engine.render(engine, str(text), data),
        "lookup": lambda *_: {},
    }
    jobs: list[tuple[str, str, dict[str, Any]]] = []
    try:
        _collect(files, release, release.chart, dict(values), engine, jobs, "")
    except UnreadableYaml as error:
        return [], [Problem("parse", error.message, file=error.file, line=error.line, application=release.app.name)]
    objects: list[Manifest] = []
    problems: list[Problem] = []
    for name, source, context in jobs:
        try:
            text = engine.render(source, context)
            for body in yamlread.documents(text):
                objects += manifests(body, release, name)
        except (UnrenderableTemplate, UnreadableYaml, RecursionError) as error:
            problems.append(
                Problem("remote", f"template not read without helm: {error}", file=name, application=release.app.name)
            )
    return objects, problems


def _collect(
    files: Files,
    release: Release,
    chart: str,
    values: dict[str, Any],
    engine: Engine,
    jobs: list[tuple[str, str, dict[str, Any]]],
    base: str,
) -> None:
    metadata = _first_mapping(files, join(chart, "Chart.yaml"))
    defaults = _first_mapping(files, join(chart, "values.yaml")) if files.is_file(join(chart, "values.yaml")) else {}
    values = coalesce(defaults, values)
    for entry in chart_dependencies(files, chart, metadata):
        folder, _ = subchart(files, chart, entry)
        alias = str(entry.get("alias") or entry.get("name"))
        if folder is None or not _is_enabled(entry, values):
            continue
        inner = values.get(alias)
        inner = dict(inner) if isinstance(inner, dict) else {}
        inner["global"] = coalesce(values.get("global") or {}, inner.get("global") or {})
        _collect(files, release, folder, inner, engine, jobs, f"{base}charts/{alias}/")
    context = {
        "Values": values,
        "Release": {
            "Name": release.name,
            "Namespace": release.namespace,
            "Service": "Helm",
            "IsInstall": True,
            "IsUpgrade": False,
            "Revision": 1,
        },
        "Chart": {key[:1].upper() + key[1:]: value for key, value in metadata.items()}
        | {"AppVersion": str(metadata.get("appVersion", ""))},
        "Capabilities": {
            "KubeVersion": {"Version": f"v{_KUBE}", "GitVersion": f"v{_KUBE}", "Major": "1", "Minor": "31"},
            "APIVersions": _ApiVersions(),
            "HelmVersion": {"Version": "v3.18.0"},
        },
        "Files": _ChartFiles(files, chart),
        "Subcharts": {},
    }
    for name in sorted(files.below(join(chart, "templates"))):
        source = files.read(name).decode("utf-8", "replace")
        if name.rpartition("/")[2].startswith("_") or name.endswith(".tpl"):
            try:
                parse(source, engine.defined)
            except UnrenderableTemplate:
                continue
        elif name.endswith((".yaml", ".yml", ".json")):
            jobs.append((name, source, {**context, "Template": {"Name": name, "BasePath": join(chart, "templates")}}))


def _is_enabled(entry: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    for condition in str(entry.get("condition") or "").split(","):
        if condition.strip():
            value = get(values, tuple(condition.strip().split(".")))
            if value is not MISSING:
                return bool(value)
    tags = mapping_at(values, "tags")
    switches = [bool(tags[tag]) for tag in entry.get("tags") or [] if tag in tags]
    return any(switches) if switches else True


def _first_mapping(files: Files, name: str) -> dict[str, Any]:
    documents = yamlread.documents(files.read(name))
    return documents[0] if documents and isinstance(documents[0], dict) else {}
