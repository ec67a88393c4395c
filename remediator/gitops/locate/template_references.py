"""Read from a chart's templates which values they name, without rendering them.

Only the names are read, by pattern: what a template does with a value is left to the rendering, which proves it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files
from remediator.gitops.render.helm import chart_dependencies, subchart
from remediator.gitops.yamlread import UnreadableYaml

_REFERENCE = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")
_INDEXED = re.compile(r"index\s+\$?\.Values((?:\.\w+)*)((?:\s+\"[^\"]+\")+)")
_LOCAL = re.compile(r"(?:(?<![\w)\"$])|\$[a-z]\w*)\.([a-z]\w*(?:\.\w+)*)")
_MAX_LOCALS = 40


def references(files: Files, chart: str, template: str) -> list[YamlPath]:
    """Return the value paths that the object's template and the chart's helpers name, the template's own first."""
    names = [template] if template else []
    names += [name for name in files.below(join(chart, "templates")) if name.endswith(".tpl") or not template]
    paths: dict[YamlPath, None] = {}
    for name in names:
        try:
            text = files.read(name).decode("utf-8", "replace")
        except UnreadableYaml:
            continue
        for match in _REFERENCE.finditer(text):
            paths[tuple(match[1].lstrip(".").split("."))] = None
        for match in _INDEXED.finditer(text):
            paths[(*[part for part in match[1].split(".") if part], *re.findall(r'"([^"]+)"', match[2]))] = None
    return list(paths)


def local_references(files: Files, template: str) -> list[YamlPath]:
    """Return the fields that the template reads of its dot: `.resources` inside `with` and `range`."""
    if not template:
        return []
    try:
        text = files.read(template).decode("utf-8", "replace")
    except UnreadableYaml:
        return []
    paths = {
        tuple(match[1].split(".")): None
        for action in re.findall(r"\{\{.*?\}\}", text, re.DOTALL)
        for match in _LOCAL.finditer(action)
    }
    return [path for path in paths if path[0][:1].islower()][:_MAX_LOCALS]


def alias_path(files: Files, chart: str, template: str) -> YamlPath:
    """Return the key under which the values of the template's subchart stand; empty for the chart itself."""
    inside = template[len(chart) + 1 :] if chart and template.startswith(chart + "/") else template
    parts = inside.split("/")
    steps: list[str] = []
    while len(parts) > 2 and parts[0] == "charts":
        entry = _dependency(files, chart, parts[1])
        steps.append(str((entry or {}).get("alias") or parts[1]))
        chart, parts = join(chart, f"charts/{parts[1]}"), parts[2:]
    if not steps and template and not template.startswith(join(chart, "")):
        for entry in chart_dependencies(files, chart, _metadata(files, chart)):
            folder, _ = subchart(files, chart, entry)
            if folder and template.startswith(folder + "/"):
                return (str(entry.get("alias") or entry.get("name")),)
    return tuple(steps)


def chart_folder(files: Files, chart: str, aliases: YamlPath) -> str:
    """Return the folder of the subchart that the aliases lead to, as far as it is in the repository."""
    folder = chart
    for alias in aliases:
        entry = _dependency(files, folder, alias)
        inner = subchart(files, folder, entry)[0] if entry else None
        if inner is None:
            return folder
        folder = inner
    return folder


def _dependency(files: Files, chart: str, name: Any) -> Mapping[str, Any] | None:
    """Return the chart's dependency of this name or alias."""
    entries = chart_dependencies(files, chart, _metadata(files, chart))
    return next((entry for entry in entries if name in (entry.get("alias"), entry.get("name"))), None)


def _metadata(files: Files, chart: str) -> Mapping[str, Any]:
    from remediator.gitops import yamlread

    try:
        documents = yamlread.documents(files.read(join(chart, "Chart.yaml")))
    except UnreadableYaml:
        return {}
    return documents[0] if documents and isinstance(documents[0], dict) else {}
