"""Render a Helm release: by helm on a copy where it is on the PATH, else by reading the templates here.

The release is rendered in a copy of the checkout, and without dependencies that are not vendored: the other templates
can still be located and fixed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from remediator.domain.yaml_paths import with_value
from remediator.gitops import yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files
from remediator.gitops.model import Manifest
from remediator.gitops.render.helm import MAX_LEVELS, chart_dependencies, chart_name, subchart
from remediator.gitops.render.helm_model import Release, ValuesLayer
from remediator.gitops.render.helm_values import coalesce
from remediator.gitops.sources.tools import Tools, temporary_copy
from remediator.gitops.yamlread import UnreadableYaml

_SOURCE = re.compile(rb"^# Source: (.+?)\s*$", re.MULTILINE)
VALUES = ".remediator-values.json"


def user_values(layers: Iterable[ValuesLayer]) -> dict[str, Any]:
    """Return the values that helm gets in addition to the chart's; nulls stay, since they remove chart defaults."""
    result: dict[str, Any] = {}
    for layer in layers:
        if layer.kind in ("default", "subchart") or not isinstance(layer.data, dict):
            continue
        if layer.kind in ("parameter", "fileParameter"):
            value: Any = layer.data
            for step in layer.under:
                value = value[step if isinstance(value, dict) else 0]
            result = with_value(result, layer.under, value)
        else:
            result = coalesce(result, layer.data, keep_nulls=True)
    return result


def arguments(release: Release) -> list[str]:
    """Return helm's arguments as Argo CD gives them, except for the values."""
    options = release.source.options("helm")
    command = ["template", release.name or "release", release.chart or ".", "--values", VALUES]
    if release.namespace and "*" not in release.namespace:
        command += ["--namespace", release.namespace]
    if not options.get("skipCrds"):
        command.append("--include-crds")
    if options.get("skipSchemaValidation"):
        command.append("--skip-schema-validation")
    if options.get("skipTests"):
        command.append("--skip-tests")
    if options.get("kubeVersion"):
        command += ["--kube-version", str(options["kubeVersion"])]
    for version in options.get("apiVersions") or []:
        command += ["--api-versions", str(version)]
    return command


def run(files: Files, tools: Tools, release: Release, values: Mapping[str, Any]) -> list[Manifest]:
    """Return helm's own output with these values; raises ToolFailed with helm's message."""
    added = {**_local_dependencies(files, release.chart), **_patched_chart(files, release)}
    with temporary_copy(files, release.files, added) as root:
        (root / VALUES).write_text(json.dumps(values), encoding="utf-8")
        name = re.sub(r"[^a-z0-9-]", "x", release.name.lower())[:53] or "release"
        words = arguments(release)
        words[1] = name if "*" in release.name or not release.name else release.name
        output = tools.run_helm(words, root)
    return parse(output.encode(), release, files)


def _local_dependencies(files: Files, chart: str, place: str = "", depth: int = 0) -> dict[str, bytes]:
    """Return the charts that `file://` names, as files below `charts/`, where `helm dependency build` would put them."""
    place = place or chart
    copies: dict[str, bytes] = {}
    for entry in _dependencies(files, chart) if depth < MAX_LEVELS else ():
        name = str(entry.get("name", ""))
        folder, _ = subchart(files, chart, entry)
        target = join(place, f"charts/{name}")
        if folder is None:
            continue
        if folder != join(chart, f"charts/{name}"):
            copies |= {join(target, file[len(folder) + 1 :]): files.read(file) for file in files.below(folder)}
        copies |= _local_dependencies(files, folder, target, depth + 1)
    return copies


def _patched_chart(files: Files, release: Release) -> dict[str, bytes]:
    """Return Chart.yaml without the dependencies that are not vendored, so that the other templates can be rendered."""
    if not release.missing:
        return {}
    name = join(release.chart, "Chart.yaml")
    body = yamlread.documents(files.read(name))[0]
    body["dependencies"] = [
        item for item in chart_dependencies(files, release.chart, body) if item.get("name") not in release.missing
    ]
    emptied = {
        join(release.chart, "Chart.lock"): b"",
        join(release.chart, "requirements.yaml"): b"",
        join(release.chart, "requirements.lock"): b"",
    }
    return {name: json.dumps(body).encode(), **{file: data for file, data in emptied.items() if files.is_file(file)}}


def parse(output: bytes, release: Release, files: Files) -> list[Manifest]:
    """Return the objects of helm's output with the template of each."""
    root_name = chart_name(files, release.chart)
    objects: list[Manifest] = []
    for _, piece in yamlread.pieces(output):
        source = _SOURCE.search(piece)
        template = (
            template_file(files, release.chart, root_name, source[1].decode("utf-8", "replace")) if source else ""
        )
        for body in yamlread.iterate(piece):
            objects += manifests(body, release, template)
    return objects


def manifests(body: Any, release: Release, template: str) -> list[Manifest]:
    """Return the objects of one rendered document; a List counts as its items."""
    many = isinstance(body, dict) and str(body.get("kind", "")).endswith("List") and isinstance(body.get("items"), list)
    items = body["items"] if many else [body]
    return [
        Manifest.of(item, release.app, release.source, file=template)
        for item in items
        if isinstance(item, dict) and item.get("kind")
    ]


def template_file(files: Files, chart: str, root_name: str, source: str) -> str:
    """Return the checkout's file behind a `# Source:` comment; empty for one inside a packaged subchart."""
    parts = source.split("/")
    folder, segments = chart, parts[1:] if (parts and parts[0] == root_name) or len(parts) > 1 else parts
    while len(segments) > 2 and segments[0] == "charts":
        entry = next(
            (item for item in _dependencies(files, folder) if segments[1] in (item.get("alias"), item.get("name"))),
            {"name": segments[1]},
        )
        inner, _ = subchart(files, folder, entry)
        if inner is None:
            return ""
        folder, segments = inner, segments[2:]
    name = join(folder, "/".join(segments))
    return name if files.is_file(name) else ""


def _dependencies(files: Files, chart: str) -> list[Mapping[str, Any]]:
    try:
        documents = yamlread.documents(files.read(join(chart, "Chart.yaml")))
    except UnreadableYaml:
        return []
    return chart_dependencies(files, chart, documents[0] if documents and isinstance(documents[0], dict) else {})
