"""Read a Helm source as Argo CD does: chart, release, and the layers of its values, lowest first."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from remediator.domain.yaml_paths import MISSING, YamlPath, get, with_value
from remediator.gitops import yamlread
from remediator.gitops.files import Files, join
from remediator.gitops.model import Application, Problem, Source
from remediator.gitops.sources.layout import Layout, override_files
from remediator.gitops.yamlread import UnreadableYaml

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
    _value_files(files, layout, result, options)
    _inline(files, result, options)
    return result


def _with_dependencies(files: Files, layout: Layout, release: Release) -> Files:
    """Return the checkout with the chart's missing dependencies added to `charts/`, as far as they may be pulled."""
    if layout.charts is None:
        return files
    try:
        metadata = yamlread.mapping(files.read(join(release.chart, "Chart.yaml")))
    except UnreadableYaml:
        return files
    pulled: dict[str, bytes] = {}
    for entry in chart_dependencies(files, release.chart, metadata):
        if subchart(files, release.chart, entry) == (None, None):
            name = str(entry.get("name", ""))
            chart = layout.charts.files(str(entry.get("repository") or ""), name, str(entry.get("version") or ""))
            pulled |= {join(release.chart, f"charts/{name}/{path}"): data for path, data in (chart or {}).items()}
    if pulled:
        release.view = files.with_changes(pulled)
    return release.view or files


def _with_chart(files: Files, layout: Layout, release: Release) -> Files:
    """Return the checkout with a registry's chart added, where it may be pulled."""
    source = release.source
    chart = layout.charts.files(source.repo_url, source.chart, source.revision) if layout.charts else None
    if not chart:
        return files
    release.chart = f"{PULLED}/{source.chart}-{source.revision}"
    release.view = files.with_changes({f"{release.chart}/{path}": data for path, data in chart.items()})
    _chart(release.view, release)
    release.layers = [replace(layer, editable=False) for layer in release.layers]
    return release.view


def _chart(files: Files, release: Release) -> None:
    chart = release.chart
    release.files.update(files.below(chart))
    metadata = _document(files, join(chart, "Chart.yaml"), release) or {}
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
            data = _document(files, defaults, release)
            if isinstance(data, dict):
                release.layers.append(
                    ValuesLayer(
                        "subchart", defaults, 0, (), with_value({}, (alias,), data), under=(alias,), editable=False
                    )
                )
    defaults = join(chart, "values.yaml")
    data = _document(files, defaults, release) if files.is_file(defaults) else {}
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


def _value_files(files: Files, layout: Layout, release: Release, options: Mapping[str, Any]) -> None:
    ignore = bool(options.get("ignoreMissingValueFiles"))
    for index, entry in enumerate(options.get("valueFiles") or []):
        name = value_file(layout, release.app, release.source, substitute(str(entry), release))
        if name is None:
            if re.match(r"[a-z+]+://", str(entry)) or str(entry).startswith("$"):
                release.problems.append(
                    Problem(
                        "remote",
                        f"value file {entry} lies in another repository",
                        file=release.app.file,
                        application=release.app.name,
                    )
                )
            else:
                release.problems.append(
                    Problem(
                        "missing-file",
                        f"value file {entry} lies outside of the repository",
                        file=release.app.file,
                        application=release.app.name,
                    )
                )
            continue
        if not files.is_file(name):
            if not ignore:
                release.problems.append(
                    Problem(
                        "missing-file",
                        f"value file {entry} does not exist (valueFiles[{index}], looked for {name})",
                        file=release.app.file,
                        application=release.app.name,
                    )
                )
            continue
        data = _document(files, name, release)
        release.files.add(files.real_name(name))
        release.layers.append(ValuesLayer("file", files.real_name(name), 0, (), data if isinstance(data, dict) else {}))


def value_file(layout: Layout, app: Application, source: Source, entry: str) -> str | None:
    """Return a value file's path in the checkout: by `$ref`, from the repository's root, or beside the chart."""
    if entry.startswith("$"):
        ref, _, path = entry[1:].partition("/")
        target = next((item for item in app.sources if item.ref == ref), None)
        if target is None or not target.local:
            return None
        return layout.to_local(path)
    if re.match(r"[a-z+]+://", entry) or not source.local:
        return None
    name = layout.to_local(entry) if entry.startswith("/") else join(source.path, entry)
    return None if name.startswith("../") else name


def substitute(text: str, release: Release) -> str:
    """Return the text with the variables of Argo CD's build environment replaced."""
    variables = {
        "ARGOCD_APP_NAME": release.app.name,
        "ARGOCD_APP_NAMESPACE": release.app.namespace,
        "ARGOCD_APP_SOURCE_PATH": release.source.path,
        "ARGOCD_APP_SOURCE_REPO_URL": release.source.repo_url,
        "ARGOCD_APP_SOURCE_TARGET_REVISION": release.source.revision,
        "ARGOCD_APP_PROJECT_NAME": release.app.project,
    }
    return re.sub(r"\$\{?(ARGOCD_APP_\w+)\}?", lambda match: variables.get(match[1], match[0]), text)


def _inline(files: Files, release: Release, options: Mapping[str, Any]) -> None:
    """Add the values in the Application: valuesObject takes precedence over values, parameters over both."""
    locator = _OptionLocator(files, release.app, release.source)
    text, mapping = options.get("values"), options.get("valuesObject")
    if isinstance(mapping, dict) and mapping:
        release.layers.append(locator.layer("valuesObject", "valuesObject", mapping))
    elif isinstance(text, dict):
        release.layers.append(locator.layer("values", "values", text))
    elif isinstance(text, str) and text.strip():
        try:
            values = yamlread.mapping(substitute(text, release))
        except UnreadableYaml as error:
            words = f"helm.values: {error.message}"
            release.problems.append(Problem("parse", words, file=release.app.file, application=release.app.name))
        else:
            release.layers.append(locator.layer("values", "values", values, inside=True))
    _parameters(files, release, options, locator)


def _parameters(files: Files, release: Release, options: Mapping[str, Any], locator: _OptionLocator) -> None:
    file, path = locator.locate("parameters")
    for number, entry in enumerate(options.get("parameters") or []):
        if isinstance(entry, dict) and entry.get("name"):
            name = str(entry["name"])
            value: Any = substitute(str(entry.get("value", "")), release)
            data = with_value({}, parameter_path(name), value if entry.get("forceString") else parse_value(value))
            index = _index_in(files, file, name) if file else number
            release.layers.append(
                ValuesLayer("parameter", file, 0, (*path, index, "value"), data, under=parameter_path(name))
            )
    for entry in options.get("fileParameters") or []:
        if isinstance(entry, dict) and entry.get("name") and release.source.local:
            target = join(release.source.path, str(entry.get("path", "")))
            if files.is_file(target):
                release.files.add(target)
                steps = parameter_path(str(entry["name"]))
                data = with_value({}, steps, files.read(target).decode("utf-8", "replace"))
                release.layers.append(ValuesLayer("fileParameter", target, 0, (), data, under=steps, editable=False))


class _OptionLocator:
    """Locates a Helm option: in `.argocd-source*.yaml` where one sets it, else in the Application."""

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
        """Return the layer of one option; its file is empty for the Application itself."""
        file, path = self.locate(option)
        return ValuesLayer(kind, file, 0, path, data, inside=inside)

    def locate(self, option: str) -> tuple[str, YamlPath]:
        """Return the file (empty for the Application) and the path of an option."""
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
    """Parse a path of helm's --set: dots separate unless escaped, `[n]` is an item."""
    steps: list[str | int] = []
    for part in re.split(r"(?<!\\)\.", name):
        match = re.match(r"(.*?)((?:\[\d+\])*)$", part.replace("\\.", "."))
        if match and match[1]:
            steps.append(match[1])
        steps += [int(number) for number in re.findall(r"\[(\d+)\]", match[2] if match else "")]
    return tuple(steps)


def parse_value(text: str) -> Any:
    """Return the value as helm's --set reads it."""
    words: dict[str, Any] = {"true": True, "false": False, "null": None, "": ""}
    if text in words:
        return words[text]
    return int(text) if re.fullmatch(r"0|-?[1-9]\d*", text) else text


def _document(files: Files, name: str, release: Release) -> Any:
    try:
        documents = yamlread.documents(files.read(name))
    except UnreadableYaml as error:
        release.problems.append(
            Problem(
                "parse" if error.line or "YAML" in error.message else "missing-file",
                error.message,
                file=name,
                line=error.line,
                application=release.app.name,
            )
        )
        return None
    return documents[0] if documents else None


def merge_layers(layers: list[ValuesLayer]) -> dict[str, Any]:
    """Return the values that Helm computes: later layers take precedence, a null removes a key."""
    result: dict[str, Any] = {}
    for layer in layers:
        if isinstance(layer.data, dict):
            result = coalesce(result, layer.data)
    return result


def coalesce(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` merged in, as Helm coalesces values."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(old, dict) and isinstance(value, dict):
            result[key] = coalesce(old, value)
        elif isinstance(old, list) and isinstance(value, list) and any(item is MISSING for item in value):
            result[key] = value
        else:
            result[key] = value
    return result


def chart_name(files: Files, chart: str) -> str:
    """Return the chart's name by its Chart.yaml, else by its directory."""
    try:
        documents = yamlread.documents(files.read(join(chart, "Chart.yaml")))
    except UnreadableYaml:
        return posixpath.basename(chart)
    return (
        str(documents[0].get("name", "")) if documents and isinstance(documents[0], dict) else posixpath.basename(chart)
    )
