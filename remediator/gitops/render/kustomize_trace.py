"""Trace a field through a kustomization: the text that sets it last, and those that it overrides.

A value must be changed where it is set last. Changing a base that a patch overrides would have no effect.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, YamlPath, child, depth, get, resolve
from remediator.gitops.file_paths import join
from remediator.gitops.images import split_image
from remediator.gitops.merge_keys import by_merge_key, merge_key
from remediator.gitops.render.kustomize_model import KustomizeLayer, Tracked
from remediator.gitops.render.merge import pointer


@dataclass(frozen=True, slots=True)
class TracedText:
    """One place that can set the field; `final` ends the search, since it overrides all texts below."""

    layer: KustomizeLayer
    file: str
    document: int
    path: YamlPath
    inside: YamlPath
    value: Any
    why: str
    final: bool = True

    def place(self) -> Place:
        """Return where it stands, read and not rendered."""
        return Place.model_validate(self, from_attributes=True).model_copy(update={"proof": "read"})


def trace(item: Tracked, body: dict[str, Any], path: YamlPath) -> Iterator[TracedText]:
    """Yield the texts that set a field of the built object, the effective one first."""
    keyed_path = by_merge_key(body, path)
    for layer in reversed(item.layers):
        match layer.kind:
            case "base" | "patch":
                current = get(layer.body, keyed_path)
                if current is not MISSING:
                    layer_path = resolve(layer.body, keyed_path)
                    words = (
                        "strategic merge patch" if layer.kind == "patch" else "manifest that the kustomization includes"
                    )
                    yield traced_text(layer, layer_path, current, words)
            case "json":
                yield from _json_patch_texts(layer, body, path)
            case "image":
                yield from _image_texts(layer, body, path)
            case "generator":
                yield from _generator_texts(layer, path)
            case "label":
                field_name, pairs = layer.body
                if path[:2] == ("metadata", field_name) and len(path) == 3 and path[2] in pairs:
                    words = "labels of the kustomization"
                    yield TracedText(
                        layer, layer.file, layer.document, (*layer.path, path[2]), (), pairs[path[2]], words
                    )
            case "replica" | "namespace" if path == _FIELDS[layer.kind]:
                value = layer.body.get("count") if layer.kind == "replica" else layer.body
                yield TracedText(
                    layer, layer.file, layer.document, layer.path, (), value, f"{layer.path[0]} of the kustomization"
                )


_FIELDS: Mapping[str, YamlPath] = {"replica": ("spec", "replicas"), "namespace": ("metadata", "namespace")}


def traced_text(layer: KustomizeLayer, steps: YamlPath, value: Any, why: str) -> TracedText:
    """Return the text of a field in a patch or base: inside a string where the patch is written inline."""
    if layer.embedded:
        return TracedText(layer, layer.file, layer.document, layer.path, steps, value, f"{why}, written inline")
    return TracedText(layer, layer.file, layer.document, (*layer.path, *steps), (), value, why)


def _json_patch_texts(layer: KustomizeLayer, body: dict[str, Any], path: YamlPath) -> Iterator[TracedText]:
    indexed = tuple(str(step) for step in resolve(body, path))
    for number in range(len(layer.body) - 1, -1, -1):
        operation = layer.body[number]
        if not isinstance(operation, dict):
            continue
        at = pointer(str(operation.get("path", "")))
        if at and at[-1] == "-":
            at = _appended_position(body, at, operation.get("value"))
        if indexed[: len(at)] != at or operation.get("op") not in ("add", "replace"):
            continue
        tail = path[len(at) :]
        value = get(operation.get("value"), tail)
        if value is not MISSING:
            steps: YamlPath = (number, "value", *resolve(operation.get("value"), tail))
            yield traced_text(layer, steps, value, "JSON patch")
            return


def _appended_position(body: dict[str, Any], at: YamlPath, value: Any) -> YamlPath:
    """Return the path at which an item that a patch appends is in the result."""
    items = get(body, at[:-1])
    for index, item in enumerate(items if isinstance(items, list) else []):
        if item == value or (
            isinstance(item, dict) and isinstance(value, dict) and item.get("name") == value.get("name", MISSING)
        ):
            return (*at[:-1], str(index))
    return at


def _image_texts(layer: KustomizeLayer, body: dict[str, Any], path: YamlPath) -> Iterator[TracedText]:
    if not path or path[-1] != "image":
        return
    entry = layer.body
    name, _, _ = split_image(str(get(body, path)))
    if name not in (entry.get("newName"), entry.get("name")) or (entry.get("newName") and name != entry["newName"]):
        return
    keys = [key for key in ("newTag", "digest", "newName") if entry.get(key) not in (None, "")]
    for key in keys:
        yield TracedText(
            layer,
            layer.file,
            layer.document,
            (*layer.path, key),
            (),
            entry[key],
            "images of the kustomization",
            final="newName" in keys and len(keys) > 1,
        )


def _generator_texts(layer: KustomizeLayer, path: YamlPath) -> Iterator[TracedText]:
    if len(path) != 2 or path[0] != "data":
        return
    key = str(path[1])
    for index, literal in enumerate(layer.body.get("literals") or []):
        name = str(literal).partition("=")[0]
        if name == key:
            yield TracedText(
                layer,
                layer.file,
                layer.document,
                (*layer.path, "literals", index),
                (),
                literal,
                f"literal {key}=… of the generator",
            )
    for entry in layer.body.get("files") or []:
        name, _, path_text = str(entry).rpartition("=")
        if (name or posixpath.basename(path_text)) == key:
            yield TracedText(
                layer,
                join(layer.directory, path_text),
                0,
                (),
                (),
                None,
                "the whole file is the value that the generator reads",
            )
    for entry in [*(layer.body.get("envs") or []), *([layer.body["env"]] if layer.body.get("env") else [])]:
        yield TracedText(
            layer,
            join(layer.directory, str(entry)),
            0,
            (),
            (),
            None,
            f"a line {key}=… of this file is the value that the generator reads",
        )


@dataclass(frozen=True, slots=True)
class InsertionPoint:
    """A text into which a field that is not set anywhere can be inserted."""

    layer: KustomizeLayer
    path: YamlPath
    depth: int


def insertion_points(item: Tracked, body: dict[str, Any], path: YamlPath) -> list[InsertionPoint]:
    """Return the bases and patches to which the field could be added: those that already contain its list items."""
    keyed_path = by_merge_key(body, path)
    points = []
    for layer in item.layers:
        if layer.kind in ("base", "patch") and isinstance(layer.body, dict):
            reached = depth(layer.body, keyed_path)
            if not _needs_new_item(body, keyed_path, reached, len(keyed_path)):
                points.append(InsertionPoint(layer, resolve(layer.body, keyed_path), reached))
    return points


def _needs_new_item(body: dict[str, Any], path: YamlPath, reached: int, total: int) -> bool:
    """Return whether an item that exists in the object would have to be created again."""
    node: Any = body
    field: Any = ""
    for index, step in enumerate(path[:total]):
        if isinstance(node, list) and index >= reached and child(node, step) is not MISSING:
            return bool(merge_key(field, node)) or index >= reached
        field, node = step, child(node, step)
        if node is MISSING:
            break
    return False
