"""Build a kustomization with kustomize itself, on a copy without the resources that would have to be fetched.

Remote resources are removed from the copy, since nothing may be fetched; the other objects are still exact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from remediator.gitops import yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files, kustomization_file
from remediator.gitops.images import image_option
from remediator.gitops.model import Application, Manifest, Problem, Source
from remediator.gitops.render.kustomize import REMOTE, build
from remediator.gitops.render.kustomize_model import Build, KustomizeLayer, Tracked
from remediator.gitops.render.kustomize_steps import Transformer
from remediator.gitops.sources.tools import Tools, temporary_copy
from remediator.gitops.yamlread import UnreadableYaml

_TOP = ".remediator-top"


def read(files: Files, source: Source) -> Build:
    """Return the static build, with the Application's own kustomize options as the outermost step."""
    result = build(files, source.path)
    options = overlay_of(source)
    if options:
        for component in options.pop("components", []):
            result.unsure.append(f"component {component} of the Application")
        top = Transformer(files, result, options, source.path, "", (*source.pointer, "kustomize"))
        result.objects = top.apply(result.objects)
    return result


def overlay_of(source: Source) -> dict[str, Any]:
    """Return `spec.source.kustomize` as the fields of a kustomization."""
    options = dict(source.options("kustomize"))
    overlay: dict[str, Any] = {
        key: options[key]
        for key in (
            "namePrefix",
            "nameSuffix",
            "namespace",
            "commonLabels",
            "commonAnnotations",
            "patches",
            "components",
        )
        if options.get(key)
    }
    if isinstance(options.get("images"), list):
        overlay["images"] = [image_option(str(item)) if isinstance(item, str) else item for item in options["images"]]
    if isinstance(options.get("replicas"), list):
        overlay["replicas"] = [
            {**item, "count": int(item["count"]) if str(item.get("count")).isdigit() else item.get("count")}
            for item in options["replicas"]
            if isinstance(item, dict)
        ]
    return overlay


def run(files: Files, tools: Tools, source: Source, build: Build) -> str:
    """Return kustomize's output; remote resources and charts that are not vendored are left out."""
    names = set(build.files)
    for directory in build.directories:
        names.update(join(directory, name) for name in files.entries(directory)[0])
        for _, _, chart in build.charts:
            home = chart_home(files, directory)
            if chart.get("name") and files.is_dir(join(home, str(chart["name"]))):
                names.update(files.below(join(home, str(chart["name"]))))
    if build.unsure:
        for directory in build.directories:
            names.update(files.below(directory))
    extra = {}
    for directory in build.directories:
        name = kustomization_file(files, directory)
        if name is not None and (build.remote or build.charts):
            stripped = _without_remote(files, directory, name)
            if stripped is not None:
                extra[name] = stripped
    target = source.path or "."
    options = overlay_of(source)
    if options:
        top = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": ["../" + target],
            **options,
        }
        if "components" in top:
            top["components"] = ["../" + join(source.path, str(item)) for item in top["components"]]
        extra[f"{_TOP}/kustomization.yaml"] = json.dumps(top).encode()
        target = _TOP
    with temporary_copy(files, names, extra) as root:
        return tools.run_kustomize(target, root)


def chart_home(files: Files, directory: str) -> str:
    """Return the directory in which a kustomization keeps its charts."""
    name = kustomization_file(files, directory)
    body = _body(files, name) if name else {}
    settings = body.get("helmGlobals")
    home = settings.get("chartHome") if isinstance(settings, Mapping) else None
    return join(directory, str(home or "charts"))


def _body(files: Files, name: str) -> dict[str, Any]:
    try:
        documents = yamlread.documents(files.read(name))
    except UnreadableYaml:
        return {}
    return documents[0] if documents and isinstance(documents[0], dict) else {}


def _without_remote(files: Files, directory: str, name: str) -> bytes | None:
    body = _body(files, name)
    home = chart_home(files, directory)
    changed = False
    for key in ("resources", "bases", "components"):
        entries = [
            item
            for item in body.get(key) or []
            if files.is_dir(join(directory, str(item)))
            or files.is_file(join(directory, str(item)))
            or not REMOTE.search(str(item))
        ]
        if len(entries) != len(body.get(key) or []):
            body[key], changed = entries, True
    charts = [
        item
        for item in body.get("helmCharts") or []
        if isinstance(item, dict) and files.is_dir(join(home, str(item.get("name"))))
    ]
    if len(charts) != len(body.get("helmCharts") or []):
        body["helmCharts"], changed = charts, True
    return json.dumps(body).encode() if changed else None


def manifests(output: str, app: Application, source: Source, build: Build) -> list[Manifest]:
    """Return kustomize's objects, each with the origin that the static build recorded."""
    bodies = [body for body in yamlread.iterate(output.encode()) if isinstance(body, dict) and body.get("kind")]
    return [manifest(body, app, source, match(body, build)) for body in bodies]


def static_manifests(app: Application, source: Source, build: Build) -> list[Manifest]:
    """Return the objects as far as they were read without kustomize."""
    return [manifest(item.body, app, source, item) for item in build.objects]


def manifest(body: dict[str, Any], app: Application, source: Source, tracked: Tracked | None) -> Manifest:
    """Return one built object with its origin."""
    layer: KustomizeLayer | None = tracked.layers[0] if tracked else None
    file, document = (layer.file, layer.document) if layer else ("", 0)
    return Manifest.of(body, app, source, file=file, document=document, tracked=tracked)


def match(body: dict[str, Any], build: Build) -> Tracked | None:
    """Return the tracked object of a built one, by kind, name (without the hash) and namespace."""
    metadata = body.get("metadata") or {}
    kind, name, namespace = body.get("kind"), str(metadata.get("name", "")), metadata.get("namespace")
    fits = [
        item
        for item in build.objects
        if item.kind == kind
        and (
            item.name == name
            or (item.generated and name.rpartition("-")[0] == item.name and len(name.rpartition("-")[2]) == 10)
        )
    ]
    exact = [item for item in fits if item.metadata.get("namespace") in (namespace, None)]
    return exact[0] if exact else (fits[0] if fits else None)


def problems_of(build: Build, app: Application) -> list[Problem]:
    """Return the problems of the build as problems of the Application."""
    problems = [Problem(item.kind, item.message, item.file, item.line, app.name) for item in build.problems]
    problems += [
        Problem("remote", f"kustomize resource {item} lies in another repository", app.file, 0, app.name)
        for item in dict.fromkeys(build.remote)
    ]
    return problems
