"""Read a Helm source as Argo CD does: chart, release, and the layers of its values, lowest first.

The layers stay apart instead of being merged at once, since a fix edits one of them and must know which it overrides.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from remediator.domain.yaml_paths import list_at, with_value
from remediator.gitops import yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files
from remediator.gitops.model import Application, Source
from remediator.gitops.render.helm_model import PULLED, Release, ValuesLayer
from remediator.gitops.render.helm_values import add_inline_values, add_value_files, read_document
from remediator.gitops.sources.charts import ChartStore
from remediator.gitops.sources.layout import Layout
from remediator.gitops.yamlread import UnreadableYaml

MAX_LEVELS = 8
"""Charts that depend on charts by `file://`, one in another: more is a circle."""


def release(files: Files, layout: Layout, app: Application, source: Source) -> Release:
    """Read the source's chart and value layers; nothing is rendered."""
    options = source.options("helm")
    result = Release(
        app,
        source,
        source.path if source.local else "",
        str(options.get("releaseName") or app.name),
        str(options.get("namespace") or app.namespace),
    )
    if source.local:
        files = _with_dependencies(files, layout, result)
        _chart(files, result)
    elif source.chart:
        files = _with_chart(files, layout, result)
    add_value_files(files, layout, result, options)
    add_inline_values(files, result, options)
    return result


def _with_dependencies(files: Files, layout: Layout, release: Release) -> Files:
    """Return the checkout with the chart's missing dependencies added to `charts/`, as far as they may be pulled."""
    if layout.charts is None:
        return files
    pulled = _dependencies(files, layout.charts, release, release.chart, 0)
    if pulled:
        release.view = files.with_changes(pulled)
    return release.view or files


def _dependencies(files: Files, charts: ChartStore, release: Release, chart: str, level: int) -> dict[str, bytes]:
    """Return the files of missing dependencies, also of the charts that `file://` names."""
    try:
        metadata = yamlread.mapping(files.read(join(chart, "Chart.yaml")))
    except UnreadableYaml:
        return {}
    pulled: dict[str, bytes] = {}
    for entry in chart_dependencies(files, chart, metadata):
        folder, archive = subchart(files, chart, entry)
        if folder is not None and level < MAX_LEVELS:
            pulled |= _dependencies(files, charts, release, folder, level + 1)
        if (folder, archive) == (None, None):
            name = str(entry.get("name", ""))
            repository = str(entry.get("repository") or "")
            answer = charts.chart(repository, name, locked_version(files, chart, entry))
            pulled |= {join(chart, f"charts/{name}/{path}"): data for path, data in answer.files.items()}
            if answer.reason:
                release.not_pulled[name] = answer.reason
    return pulled


def locked_version(files: Files, chart: str, entry: Mapping[str, Any]) -> str:
    """Return the version of a dependency: the one that Chart.lock states for it, as `helm dependency build` takes it."""
    for name in ("Chart.lock", "requirements.lock"):
        try:
            lock = yamlread.mapping(files.read(join(chart, name)))
        except UnreadableYaml:
            continue
        for locked in list_at(lock, "dependencies"):
            if isinstance(locked, dict) and locked.get("name") == entry.get("name"):
                return str(locked.get("version") or "")
    return str(entry.get("version") or "")


def _with_chart(files: Files, layout: Layout, release: Release) -> Files:
    """Return the checkout with a registry's chart added, where it may be pulled."""
    source = release.source
    if layout.charts is None:
        return files
    answer = layout.charts.chart(source.repo_url, source.chart, source.revision)
    if not answer.files:
        release.not_pulled[source.chart] = answer.reason
        return files
    release.chart = f"{PULLED}/{source.chart}-{source.revision}"
    release.view = files.with_changes({f"{release.chart}/{path}": data for path, data in answer.files.items()})
    _chart(release.view, release)
    release.layers = [replace(layer, editable=False) for layer in release.layers]
    return release.view


def _chart(files: Files, release: Release) -> None:
    chart = release.chart
    release.files.update(files.below(chart))
    metadata = read_document(files, join(chart, "Chart.yaml"), release) or {}
    dependencies = chart_dependencies(files, chart, metadata)
    for entry in dependencies:
        name, alias = str(entry.get("name", "")), str(entry.get("alias") or entry.get("name", ""))
        folder, defaults = subchart(files, chart, entry)
        if folder is None and defaults is None:
            release.missing.append(name)
            continue
        if folder is not None:
            release.files.update(files.below(folder))
            defaults = join(folder, "values.yaml")
        if defaults and files.is_file(defaults):
            data = read_document(files, defaults, release)
            if isinstance(data, dict):
                release.layers.append(
                    ValuesLayer(
                        "subchart", defaults, 0, (), with_value({}, (alias,), data), under=(alias,), editable=False
                    )
                )
    defaults = join(chart, "values.yaml")
    data = read_document(files, defaults, release) if files.is_file(defaults) else {}
    release.layers.append(
        ValuesLayer(
            "default", defaults, 0, (), data if isinstance(data, dict) else {}, editable=files.is_file(defaults)
        )
    )


def chart_dependencies(files: Files, chart: str, metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the dependencies of Chart.yaml, or those of Helm 2's requirements.yaml."""
    listed = metadata.get("dependencies")
    if not listed and files.is_file(name := join(chart, "requirements.yaml")):
        try:
            old = yamlread.documents(files.read(name))
        except UnreadableYaml:
            old = []
        listed = old[0].get("dependencies") if old and isinstance(old[0], dict) else None
    return [entry for entry in listed or [] if isinstance(entry, dict)]


def subchart(files: Files, chart: str, entry: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return (directory, archive) of a dependency in the checkout: vendored in `charts/`, or referenced by file://."""
    name, repository = str(entry.get("name", "")), str(entry.get("repository") or "")
    folder = join(chart, f"charts/{name}")
    if files.is_file(join(folder, "Chart.yaml")):
        return folder, None
    if repository.startswith("file://"):
        folder = join(chart, repository[len("file://") :])
        if files.is_file(join(folder, "Chart.yaml")):
            return folder, None
    archives = [
        base
        for base in files.entries(join(chart, "charts"))[0]
        if re.fullmatch(re.escape(name) + r"-v?\d.*\.tgz", base)
    ]
    return None, join(chart, f"charts/{archives[0]}") if archives else None


def chart_name(files: Files, chart: str) -> str:
    """Return the chart's name by its Chart.yaml, else by its directory."""
    try:
        documents = yamlread.documents(files.read(join(chart, "Chart.yaml")))
    except UnreadableYaml:
        return posixpath.basename(chart)
    return (
        str(documents[0].get("name", "")) if documents and isinstance(documents[0], dict) else posixpath.basename(chart)
    )
