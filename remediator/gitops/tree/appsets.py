"""Expand ApplicationSets as Argo CD's controller does: generators, both template syntaxes, template patches.

Each parameter keeps its place, so that a field of a generated Application leads to the file in which it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import yamlread
from remediator.gitops.render.merge import strategic
from remediator.gitops.sources.layout import Layout
from remediator.gitops.template.engine import Engine
from remediator.gitops.template.functions import FUNCTIONS, with_must
from remediator.gitops.template.parse import UnrenderableTemplate
from remediator.gitops.tree.generator_parameters import UNKNOWN, AnyKey, Parameters
from remediator.gitops.tree.generators import Expander, Unsupported
from remediator.gitops.yamlread import UnreadableYaml

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_FUNCTIONS = with_must(FUNCTIONS)


@dataclass(slots=True)
class GeneratedApplication:
    """One Application of a set: its body, its template and the places of its parameters."""

    body: dict[str, Any]
    template: Mapping[str, Any]
    template_path: YamlPath
    places: dict[str, Place] = field(default_factory=dict)


class Templater:
    """Fills one ApplicationSet's template, in its syntax."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.go = bool(spec.get("goTemplate"))
        self.strict = "missingkey=error" in [str(option) for option in spec.get("goTemplateOptions") or []]

    def __call__(self, node: Any, values: Mapping[str, Any]) -> Any:
        """Return the node with every placeholder filled in."""
        flat = None if self.go else flatten(values)
        return self._fill(node, values, flat)

    def _fill(self, node: Any, values: Mapping[str, Any], flat: Mapping[str, str] | None) -> Any:
        if isinstance(node, dict):
            return {self._text(str(key), values, flat): self._fill(value, values, flat) for key, value in node.items()}
        if isinstance(node, list):
            return [self._fill(item, values, flat) for item in node]
        return self._text(node, values, flat) if isinstance(node, str) else node

    def _text(self, text: str, values: Mapping[str, Any], flat: Mapping[str, str] | None) -> str:
        if "{{" not in text:
            return text
        if flat is not None:
            return _PLACEHOLDER.sub(lambda match: _flat_value(match, flat), text)
        return Engine(_FUNCTIONS, strict=self.strict).render(text, values)


def _flat_value(match: re.Match[str], flat: Mapping[str, str]) -> str:
    key = match[1]
    if key in flat:
        return flat[key]
    return UNKNOWN if "\0any" in flat and key.startswith("metadata.") else match[0]


def flatten(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters as the old syntax names them: dotted keys, `path[0]` for segments."""
    result: dict[str, str] = {}

    def walk(prefix: str, node: Any) -> None:
        if isinstance(node, AnyKey):
            result["\0any"] = ""
        elif isinstance(node, Mapping) and "segments" in node and "basename" in node:
            result[prefix] = str(node["path"])
            result.update(
                {f"{prefix}.{key}": str(value) for key, value in node.items() if key not in ("path", "segments")}
            )
            result.update({f"{prefix}[{index}]": part for index, part in enumerate(node["segments"])})
        elif isinstance(node, Mapping):
            for key, value in node.items():
                walk(f"{prefix}.{key}" if prefix else str(key), value)
        elif isinstance(node, list):
            for index, value in enumerate(node):
                walk(f"{prefix}.{index}", value)
        else:
            result[prefix] = (
                {True: "true", False: "false", None: ""}.get(node, str(node))
                if node is None or isinstance(node, bool)
                else str(node)
            )

    walk("", values)
    return result


def expand(
    body: Mapping[str, Any],
    layout: Layout,
    clusters: list[Mapping[str, Any]],
    *,
    file: str,
    document: int,
    path: YamlPath = ("spec",),
) -> tuple[list[GeneratedApplication], list[str]]:
    """Return the Applications of an ApplicationSet whose spec is at `path`, and the problems of expanding it."""
    spec = body.get("spec")
    if not isinstance(spec, dict) or not isinstance(spec.get("template"), dict):
        return [], ["the ApplicationSet has no template"]
    fill = Templater(spec)
    expander = Expander(layout, clusters, go=fill.go, interpolate=fill, file=file, document=document)
    generated: list[GeneratedApplication] = []
    try:
        results = expander.expand(spec.get("generators"), (*path, "generators"))
    except (Unsupported, UnrenderableTemplate) as error:
        return [], [*expander.problems, str(error)]
    names: set[str] = set()
    for item in results:
        try:
            application = _generate(spec, item, fill, path)
        except (UnrenderableTemplate, UnreadableYaml) as error:
            expander.problems.append(f"template: {error}")
            continue
        name = str((application.body.get("metadata") or {}).get("name", ""))
        if "{{" in name or not name:
            expander.problems.append(f"template leaves a placeholder in the name: {name!r}")
        elif name not in names:
            names.add(name)
            application.body["metadata"].setdefault("namespace", str((body.get("metadata") or {}).get("namespace", "")))
            generated.append(application)
    return generated, list(dict.fromkeys(expander.problems))


def _generate(spec: Mapping[str, Any], item: Parameters, fill: Templater, path: YamlPath) -> GeneratedApplication:
    template, template_path = spec["template"], (*path, "template")
    if item.template:
        template = _overlay(template, item.template)
        template_path = (*path, "template")
    body = fill(template, item.values)
    if isinstance(spec.get("templatePatch"), str):
        patches = yamlread.documents(fill(spec["templatePatch"], item.values))
        for patch in patches:
            if isinstance(patch, dict):
                body = strategic(body, patch)
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **body}
    return GeneratedApplication(body, template, template_path, item.places)


def _overlay(base: Any, override: Mapping[str, Any]) -> Any:
    """Return the set's template with the generator's own laid over it; fields that the latter leaves empty stay."""
    result = dict(base) if isinstance(base, dict) else {}
    for key, value in override.items():
        if isinstance(value, dict):
            result[key] = _overlay(result.get(key), value)
        elif value not in (None, "", []):
            result[key] = value
    return result
