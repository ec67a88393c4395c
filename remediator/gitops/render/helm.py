"""A Helm source as Argo CD renders it: chart, release, and the layers its values come from, lowest first."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from remediator.domain.change import YamlPath
from remediator.gitops import yamlread
from remediator.gitops.files import Files, join
from remediator.gitops.model import Application, Problem, Source
from remediator.gitops.paths import MISSING, get, with_value
from remediator.gitops.sources.layout import Layout, override_files
from remediator.gitops.yamlread import UnreadableYaml

PULLED = ".remediator-pulled"
"""Where pulled charts seem to lie; nothing there can be edited."""

LayerKind = Literal["default", "subchart", "file", "values", "valuesObject", "parameter", "fileParameter"]


@dataclass(frozen=True, slots=True)
class ValuesLayer:
    """One text that gives values: a file, or a field of the Application."""

    kind: LayerKind
    file: str
    """Empty for what stands in the Application itself."""
    document: int
    path: YamlPath
    """Prefix within the file, or within the Application."""
    data: Any
    """The values it gives, as one mapping from the chart's root."""
    inside: bool = False
    """`path` names a string that holds the values as YAML."""
    under: YamlPath = ()
    """Where in the chart's values the layer's own root lies (a subchart's defaults)."""
    editable: bool = True


@dataclass(slots=True)
class Release:
    """All that is needed to render one Helm source."""

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
    """The checkout with pulled charts laid into it, where some were."""
    missing: list[str] = field(default_factory=list)
    """Dependencies of the chart that are not vendored: they can only be pulled."""


def release(files: Files, layout: Layout, app: Application, source: Source) -> Release:
    """Read the source's chart and value layers; nothing is rendered."""
    options = source.options("helm")
    found = Release(
        app,
        source,
        source.path if source.local else "",
        str(options.get("releaseName") or app.name),
        str(options.get("namespace") or app.namespace),
    )
    if source.local:
        files = _with_dependencies(files, layout, found)
        _chart(files, found)
    elif source.chart:
        files = _with_chart(files, layout, found)
    _value_files(files, layout, found, options)
    _inline(files, found, options)
    return found


def _with_dependencies(files: Files, layout: Layout, found: Release) -> Files:
    """The checkout with the chart's missing dependencies laid into `charts/`, as far as they may be pulled."""
    if layout.charts is None:
        return files
    try:
        metadata = yamlread.mapping(files.read(join(found.chart, "Chart.yaml")))
    except UnreadableYaml:
        return files
    pulled: dict[str, bytes] = {}
    for entry in chart_dependencies(files, found.chart, metadata):
        if subchart(files, found.chart, entry) == (None, None):
            name = str(entry.get("name", ""))
            chart = layout.charts.files(str(entry.get("repository") or ""), name, str(entry.get("version") or ""))
            pulled |= {join(found.chart, f"charts/{name}/{path}"): data for path, data in (chart or {}).items()}
    if pulled:
        found.view = files.with_changes(pulled)
    return found.view or files


def _with_chart(files: Files, layout: Layout, found: Release) -> Files:
    """The checkout with a registry's chart laid beside it, where it may be pulled."""
    source = found.source
    chart = layout.charts.files(source.repo_url, source.chart, source.revision) if layout.charts else None
    if not chart:
        return files
    found.chart = f"{PULLED}/{source.chart}-{source.revision}"
    found.view = files.with_changes({f"{found.chart}/{path}": data for path, data in chart.items()})
    _chart(found.view, found)
    found.layers = [replace(layer, editable=False) for layer in found.layers]
    return found.view


def _chart(files: Files, found: Release) -> None:
    chart = found.chart
    found.files.update(files.below(chart))
    metadata = _document(files, join(chart, "Chart.yaml"), found) or {}
    dependencies = chart_dependencies(files, chart, metadata)
    for entry in dependencies:
        name, alias = str(entry.get("name", "")), str(entry.get("alias") or entry.get("name", ""))
        folder, defaults = subchart(files, chart, entry)
        if folder is None and defaults is None:
            found.missing.append(name)
            continue
        if folder is not None:
            found.files.update(files.below(folder))
            defaults = join(folder, "values.yaml")
        if defaults and files.is_file(defaults):
            data = _document(files, defaults, found)
            if isinstance(data, dict):
                found.layers.append(
                    ValuesLayer(
                        "subchart", defaults, 0, (), with_value({}, (alias,), data), under=(alias,), editable=False
                    )
                )
    defaults = join(chart, "values.yaml")
    data = _document(files, defaults, found) if files.is_file(defaults) else {}
    found.layers.append(
        ValuesLayer(
            "default", defaults, 0, (), data if isinstance(data, dict) else {}, editable=files.is_file(defaults)
        )
    )


def chart_dependencies(files: Files, chart: str, metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Chart.yaml's dependencies, or those of Helm 2's requirements.yaml."""
    listed = metadata.get("dependencies")
    if not listed and files.is_file(name := join(chart, "requirements.yaml")):
        try:
            old = yamlread.documents(files.read(name))
        except UnreadableYaml:
            old = []
        listed = old[0].get("dependencies") if old and isinstance(old[0], dict) else None
    return [entry for entry in listed or [] if isinstance(entry, dict)]


def subchart(files: Files, chart: str, entry: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(directory, archive) of a dependency that is at hand: vendored in `charts/`, or beside by file://."""
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


def _value_files(files: Files, layout: Layout, found: Release, options: Mapping[str, Any]) -> None:
    ignore = bool(options.get("ignoreMissingValueFiles"))
    for index, entry in enumerate(options.get("valueFiles") or []):
        name = value_file(layout, found.app, found.source, substituted(str(entry), found))
        if name is None:
            if re.match(r"[a-z+]+://", str(entry)) or str(entry).startswith("$"):
                found.problems.append(
                    Problem(
                        "remote",
                        f"value file {entry} lies in another repository",
                        file=found.app.file,
                        application=found.app.name,
                    )
                )
            else:
                found.problems.append(
                    Problem(
                        "missing-file",
                        f"value file {entry} lies outside of the repository",
                        file=found.app.file,
                        application=found.app.name,
                    )
                )
            continue
        if not files.is_file(name):
            if not ignore:
                found.problems.append(
                    Problem(
                        "missing-file",
                        f"value file {entry} does not exist (valueFiles[{index}], looked for {name})",
                        file=found.app.file,
                        application=found.app.name,
                    )
                )
            continue
        data = _document(files, name, found)
        found.files.add(files.real_name(name))
        found.layers.append(ValuesLayer("file", files.real_name(name), 0, (), data if isinstance(data, dict) else {}))


def value_file(layout: Layout, app: Application, source: Source, entry: str) -> str | None:
    """A value file's path in the checkout: by `$ref`, from the repository's root, or beside the chart."""
    if entry.startswith("$"):
        ref, _, rest = entry[1:].partition("/")
        target = next((item for item in app.sources if item.ref == ref), None)
        if target is None or not target.local:
            return None
        return layout.to_local(rest)
    if re.match(r"[a-z+]+://", entry) or not source.local:
        return None
    name = layout.to_local(entry) if entry.startswith("/") else join(source.path, entry)
    return None if name.startswith("../") else name


def substituted(text: str, found: Release) -> str:
    """Argo CD's build environment in Helm options."""
    known = {
        "ARGOCD_APP_NAME": found.app.name,
        "ARGOCD_APP_NAMESPACE": found.app.namespace,
        "ARGOCD_APP_SOURCE_PATH": found.source.path,
        "ARGOCD_APP_SOURCE_REPO_URL": found.source.repo_url,
        "ARGOCD_APP_SOURCE_TARGET_REVISION": found.source.revision,
        "ARGOCD_APP_PROJECT_NAME": found.app.project,
    }
    return re.sub(r"\$\{?(ARGOCD_APP_\w+)\}?", lambda match: known.get(match[1], match[0]), text)


def _inline(files: Files, found: Release, options: Mapping[str, Any]) -> None:
    """Values that stand in the Application: valuesObject wins over values, parameters win over both."""
    written = _Written(files, found.app, found.source)
    text, mapping = options.get("values"), options.get("valuesObject")
    if isinstance(mapping, dict) and mapping:
        found.layers.append(written.layer("valuesObject", "valuesObject", mapping))
    elif isinstance(text, dict):
        found.layers.append(written.layer("values", "values", text))
    elif isinstance(text, str) and text.strip():
        try:
            values = yamlread.mapping(substituted(text, found))
        except UnreadableYaml as error:
            words = f"helm.values: {error.message}"
            found.problems.append(Problem("parse", words, file=found.app.file, application=found.app.name))
        else:
            found.layers.append(written.layer("values", "values", values, inside=True))
    _parameters(files, found, options, written)


def _parameters(files: Files, found: Release, options: Mapping[str, Any], written: _Written) -> None:
    file, path = written.where("parameters")
    for number, entry in enumerate(options.get("parameters") or []):
        if isinstance(entry, dict) and entry.get("name"):
            name = str(entry["name"])
            value: Any = substituted(str(entry.get("value", "")), found)
            data = with_value({}, parameter_path(name), value if entry.get("forceString") else typed(value))
            index = _index_in(files, file, name) if file else number
            found.layers.append(
                ValuesLayer("parameter", file, 0, (*path, index, "value"), data, under=parameter_path(name))
            )
    for entry in options.get("fileParameters") or []:
        if isinstance(entry, dict) and entry.get("name") and found.source.local:
            target = join(found.source.path, str(entry.get("path", "")))
            if files.is_file(target):
                found.files.add(target)
                steps = parameter_path(str(entry["name"]))
                data = with_value({}, steps, files.read(target).decode("utf-8", "replace"))
                found.layers.append(ValuesLayer("fileParameter", target, 0, (), data, under=steps, editable=False))


class _Written:
    """Where a Helm option is written: in `.argocd-source*.yaml` where one gives it, else in the Application."""

    def __init__(self, files: Files, app: Application, source: Source) -> None:
        self.base: YamlPath = (*source.pointer, "helm")
        self.overrides: list[tuple[str, dict[str, Any]]] = []
        for name in override_files(source.path, app.name) if source.local and len(app.sources) == 1 else ():
            if files.is_file(name):
                try:
                    self.overrides.insert(0, (name, yamlread.mapping(files.read(name))))
                except UnreadableYaml:
                    continue

    def layer(self, kind: LayerKind, option: str, data: Any, *, inside: bool = False) -> ValuesLayer:
        """The layer of one option; its file is empty for the Application itself."""
        file, path = self.where(option)
        return ValuesLayer(kind, file, 0, path, data, inside=inside)

    def where(self, option: str) -> tuple[str, YamlPath]:
        """File (or empty) and path of an option."""
        for name, body in self.overrides:
            if get(body, ("helm", option)) is not MISSING:
                return name, ("helm", option)
        return "", (*self.base, option)


def _index_in(files: Files, file: str, name: str) -> int:
    body = yamlread.documents(files.read(file))[0]
    items = get(body, ("helm", "parameters"))
    return next(
        (index for index, item in enumerate(items or []) if isinstance(item, dict) and item.get("name") == name), 0
    )


def parameter_path(name: str) -> YamlPath:
    """Helm's --set path: dots separate unless escaped, `[n]` is an item."""
    steps: list[str | int] = []
    for part in re.split(r"(?<!\\)\.", name):
        match = re.match(r"(.*?)((?:\[\d+\])*)$", part.replace("\\.", "."))
        if match and match[1]:
            steps.append(match[1])
        steps += [int(number) for number in re.findall(r"\[(\d+)\]", match[2] if match else "")]
    return tuple(steps)


def typed(text: str) -> Any:
    """What --set makes of a value."""
    words: dict[str, Any] = {"true": True, "false": False, "null": None, "": ""}
    if text in words:
        return words[text]
    return int(text) if re.fullmatch(r"0|-?[1-9]\d*", text) else text


def _document(files: Files, name: str, found: Release) -> Any:
    try:
        documents = yamlread.documents(files.read(name))
    except UnreadableYaml as error:
        found.problems.append(
            Problem(
                "parse" if error.line or "YAML" in error.message else "missing-file",
                error.message,
                file=name,
                line=error.line,
                application=found.app.name,
            )
        )
        return None
    return documents[0] if documents else None


def merged(layers: list[ValuesLayer]) -> dict[str, Any]:
    """The values Helm computes: later layers win, a null takes a key away."""
    result: dict[str, Any] = {}
    for layer in layers:
        if isinstance(layer.data, dict):
            result = coalesced(result, layer.data)
    return result


def coalesced(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid on it, as Helm coalesces values."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(old, dict) and isinstance(value, dict):
            result[key] = coalesced(old, value)
        elif isinstance(old, list) and isinstance(value, list) and any(item is MISSING for item in value):
            result[key] = value
        else:
            result[key] = value
    return result


def chart_name(files: Files, chart: str) -> str:
    """The chart's name by its Chart.yaml, else by its directory."""
    try:
        documents = yamlread.documents(files.read(join(chart, "Chart.yaml")))
    except UnreadableYaml:
        return posixpath.basename(chart)
    return (
        str(documents[0].get("name", "")) if documents and isinstance(documents[0], dict) else posixpath.basename(chart)
    )
