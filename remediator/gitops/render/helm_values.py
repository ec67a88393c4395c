"""Read the values that an Application gives to its chart, and merge them as Helm does.

Each value file, option and parameter becomes one layer, in Argo CD's order, so that a value can be traced to its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, get, with_value
from remediator.gitops import yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files
from remediator.gitops.model import Application, Problem, Source
from remediator.gitops.render.helm_model import LayerKind, Release, ValuesLayer
from remediator.gitops.sources.layout import Layout, override_files
from remediator.gitops.yamlread import UnreadableYaml


def add_value_files(files: Files, layout: Layout, release: Release, options: Mapping[str, Any]) -> None:
    """Add the layers of `valueFiles`; files that do not exist or lie elsewhere become problems."""
    ignore = bool(options.get("ignoreMissingValueFiles"))
    for index, entry in enumerate(options.get("valueFiles") or []):
        name = value_file(layout, release.app, release.source, substitute(str(entry), release))
        if name is None:
            if re.match(r"[a-z+]+://", str(entry)) or str(entry).startswith("$"):
                release.report("remote", f"value file {entry} lies in another repository")
            else:
                release.report("missing-file", f"value file {entry} lies outside of the repository")
            continue
        if not files.is_file(name):
            if not ignore:
                release.report(
                    "missing-file", f"value file {entry} does not exist (valueFiles[{index}], looked for {name})"
                )
            continue
        data = read_document(files, name, release)
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


def add_inline_values(files: Files, release: Release, options: Mapping[str, Any]) -> None:
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
            release.report("parse", f"helm.values: {error.message}")
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


def read_document(files: Files, name: str, release: Release) -> Any:
    """Return the first document of a file; errors become problems of the release."""
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


def coalesce(base: dict[str, Any], over: Mapping[str, Any], *, keep_nulls: bool = False) -> dict[str, Any]:
    """Return `base` with `over` merged in, as Helm coalesces values: a null removes its key unless it is kept for helm."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if value is None and not keep_nulls:
            result.pop(key, None)
        elif isinstance(old, dict) and isinstance(value, dict):
            result[key] = coalesce(old, value, keep_nulls=keep_nulls)
        else:
            result[key] = value
    return result
