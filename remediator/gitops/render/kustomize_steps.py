"""Apply the transformations of one kustomization: patches, namespace, names, labels, replicas, images.

The order is that of kustomize, since a later transformation overrides an earlier one. Each leaves a layer on the
objects that it changes, so that a field can be traced to the text that sets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediator.domain.yaml_paths import YamlPath, list_at, mapping_at
from remediator.gitops import yamlread
from remediator.gitops.file_paths import join, printable
from remediator.gitops.files import Files
from remediator.gitops.images import image_option, map_images
from remediator.gitops.model import Problem
from remediator.gitops.render.kustomize_model import Build, KustomizeLayer, LayerKind, Tracked
from remediator.gitops.render.kustomize_selection import CLUSTER_SCOPED, SCALABLE, same_object, targets
from remediator.gitops.render.merge import PatchFailed, json_patch, strategic
from remediator.gitops.yamlread import UnreadableYaml


def documents(files: Files, result: Build, name: str, referrer: str) -> list[Any]:
    """Return the documents of a file that a kustomization names; errors become problems of the build."""
    try:
        data = files.read(name)
    except UnreadableYaml as error:
        missing = error.message == "no such file"
        words = f"{printable(name)} does not exist" if missing else f"{printable(name)}: {error.message}"
        result.problems.append(Problem("missing-file" if missing else "too-large", words, file=referrer))
        return []
    result.files.add(files.real_name(name))
    try:
        return yamlread.documents(data)
    except UnreadableYaml as error:
        result.problems.append(Problem("parse", error.message, file=name, line=error.line))
        return []


class Transformer:
    """The transformations of one kustomization body; `prefix` is the path of that body in its file."""

    def __init__(
        self,
        files: Files,
        result: Build,
        body: Mapping[str, Any],
        directory: str,
        file: str,
        prefix: YamlPath,
        document: int = 0,
    ) -> None:
        self.files, self.result, self.body, self.directory, self.file, self.prefix = (
            files,
            result,
            body,
            directory,
            file,
            prefix,
        )
        self.document = document

    def layer(self, kind: LayerKind, path: YamlPath, body: Any) -> KustomizeLayer:
        """Return a layer whose text is in this kustomization."""
        return KustomizeLayer(kind, self.directory, self.file, self.document, (*self.prefix, *path), body)

    def apply(self, objects: list[Tracked]) -> list[Tracked]:
        """Return the objects after all transformations."""
        for entry in self.patches("patchesStrategicMerge"):
            objects = self._strategic(objects, entry, None)
        for entry in self.patches("patches"):
            operations = isinstance(entry.body, list)
            target = self._target("patches", entry)
            objects = self._json(objects, entry, target) if operations else self._strategic(objects, entry, target)
        self._namespace(objects)
        self._names(objects)
        self._labels(objects)
        for entry in self.patches("patchesJson6902"):
            objects = self._json(objects, entry, self._target("patchesJson6902", entry))
        self._replicas(objects)
        self._images(objects)
        return [item for item in objects if item.body]

    def patches(self, key: str) -> list[KustomizeLayer]:
        """Return the patches of one list, each with its parsed text; `inside` has the entry's index for its target."""
        layers: list[KustomizeLayer] = []
        for index, entry in enumerate(list_at(self.body, key)):
            path: str | None = None
            text: str | None = None
            if isinstance(entry, str):
                path, text = (
                    (None, entry)
                    if "\n" in entry or (":" in entry and not self.files.is_file(join(self.directory, entry)))
                    else (entry, None)
                )
            elif isinstance(entry, dict):
                path, text = entry.get("path"), entry.get("patch")
            if text is not None:
                patch_path = (key, index) if isinstance(entry, str) else (key, index, "patch")
                layers += self._parsed_patch(text, index, self.layer("patch", patch_path, None))
            elif path is not None:
                layers += self._patch_file(str(path), index)
        return layers

    def _parsed_patch(self, text: Any, index: int, layer: KustomizeLayer) -> list[KustomizeLayer]:
        try:
            documents = yamlread.documents(str(text))
        except UnreadableYaml as error:
            self.result.problems.append(Problem("parse", f"patch {index}: {error.message}", file=layer.file))
            return []
        return [
            KustomizeLayer(
                "json" if isinstance(body, list) else "patch",
                self.directory,
                layer.file,
                layer.document,
                layer.path,
                body,
                (index, number),
                True,
            )
            for number, body in enumerate(documents)
            if body
        ]

    def _patch_file(self, path: str, index: int) -> list[KustomizeLayer]:
        name = join(self.directory, path)
        return [
            KustomizeLayer(
                "json" if isinstance(body, list) else "patch", self.directory, name, number, (), body, (index, number)
            )
            for number, body in enumerate(documents(self.files, self.result, name, self.file))
            if body
        ]

    def _target(self, key: str, layer: KustomizeLayer) -> Mapping[str, Any] | None:
        entry = list_at(self.body, key)[int(layer.inside[0])]
        target = entry.get("target") if isinstance(entry, dict) else None
        return target if isinstance(target, dict) else None

    def _strategic(
        self, objects: list[Tracked], layer: KustomizeLayer, target: Mapping[str, Any] | None
    ) -> list[Tracked]:
        if not isinstance(layer.body, dict):
            return objects
        matched = False
        for item in objects:
            if (target is not None and targets(target, item)) or (target is None and same_object(layer.body, item)):
                matched = True
                identity = {
                    "kind": item.body.get("kind"),
                    "apiVersion": item.body.get("apiVersion"),
                    "metadata": item.metadata,
                }
                if layer.body.get("$patch") == "delete":
                    item.body = {}
                    continue
                patch = dict(layer.body)
                patch["metadata"] = {
                    k: v for k, v in (patch.get("metadata") or {}).items() if k not in ("name", "namespace")
                }
                item.body = {
                    **strategic(item.body, patch),
                    "kind": identity["kind"],
                    "apiVersion": identity["apiVersion"],
                }
                item.layers.append(layer)
        if not matched and target is None and not self.result.remote and not self.result.charts:
            name = (layer.body.get("metadata") or {}).get("name", "")
            self.result.problems.append(
                Problem("render", f"patch for {layer.body.get('kind')} {name} matches no object", file=layer.file)
            )
        return [item for item in objects if item.body]

    def _json(self, objects: list[Tracked], layer: KustomizeLayer, target: Mapping[str, Any] | None) -> list[Tracked]:
        for item in objects:
            if target is not None and targets(target, item):
                try:
                    item.body = json_patch(item.body, layer.body)
                    item.layers.append(
                        KustomizeLayer(
                            "json",
                            layer.directory,
                            layer.file,
                            layer.document,
                            layer.path,
                            layer.body,
                            layer.inside,
                            layer.embedded,
                        )
                    )
                except PatchFailed as error:
                    self.result.problems.append(
                        Problem("render", f"JSON patch on {item.kind} {item.name}: {error}", file=layer.file)
                    )
        return objects

    def _namespace(self, objects: list[Tracked]) -> None:
        namespace = self.body.get("namespace")
        for item in objects if namespace else ():
            if item.kind not in CLUSTER_SCOPED:
                item.body = {**item.body, "metadata": {**item.metadata, "namespace": namespace}}
                item.layers.append(self.layer("namespace", ("namespace",), namespace))

    def _names(self, objects: list[Tracked]) -> None:
        prefix, suffix = str(self.body.get("namePrefix") or ""), str(self.body.get("nameSuffix") or "")
        for item in objects if prefix or suffix else ():
            if item.kind not in ("Namespace", "CustomResourceDefinition", "APIService"):
                item.names.add(item.name)
                item.body = {**item.body, "metadata": {**item.metadata, "name": prefix + item.name + suffix}}
                item.layers.append(self.layer("name", ("namePrefix",) if prefix else ("nameSuffix",), prefix or suffix))

    def _labels(self, objects: list[Tracked]) -> None:
        for key, field_name in (("commonLabels", "labels"), ("commonAnnotations", "annotations")):
            self._add_metadata(objects, field_name, mapping_at(self.body, key), (key,))
        for index, entry in enumerate(list_at(self.body, "labels")):
            self._add_metadata(objects, "labels", mapping_at(entry, "pairs"), ("labels", index, "pairs"))

    def _add_metadata(self, objects: list[Tracked], field_name: str, pairs: dict[str, Any], path: YamlPath) -> None:
        for item in objects if pairs else ():
            marked = {**mapping_at(item.metadata, field_name), **pairs}
            item.body = {**item.body, "metadata": {**item.metadata, field_name: marked}}
            item.layers.append(self.layer("label", path, (field_name, pairs)))

    def _replicas(self, objects: list[Tracked]) -> None:
        for index, entry in enumerate(list_at(self.body, "replicas")):
            for item in objects if isinstance(entry, dict) else ():
                if (
                    entry.get("name") in item.names | {item.name}
                    and isinstance(item.body.get("spec"), dict)
                    and item.kind in SCALABLE
                ):
                    item.body = {**item.body, "spec": {**item.body["spec"], "replicas": entry.get("count")}}
                    item.layers.append(self.layer("replica", ("replicas", index, "count"), entry))

    def _images(self, objects: list[Tracked]) -> None:
        for index, entry in enumerate(list_at(self.body, "images")):
            override = image_option(entry) if isinstance(entry, str) else entry
            for item in objects if isinstance(override, dict) else ():
                changed = map_images(item.body, override)
                if changed is not item.body:
                    item.body = changed
                    item.layers.append(self.layer("image", ("images", index), override))
