"""Read a kustomization as kustomize builds it, remembering which text each object and field comes from.

It follows the order of kustomize's built-in steps: resources, components, generators, then patches, namespace,
prefix and suffix, labels, JSON patches, replicas, images. It is the map for finding places; what finally counts
is kustomize's own output, where the tool is at hand.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from remediator.domain.change import YamlPath
from remediator.gitops import yamlread
from remediator.gitops.files import Files, join
from remediator.gitops.merge import PatchFailed, json_patch, strategic
from remediator.gitops.model import Problem, ProblemKind
from remediator.gitops.scan import KUSTOMIZATION_NAMES
from remediator.gitops.yamlread import Unreadable

MAX_DEPTH = 30
REMOTE = re.compile(r"^(https?://|git::|git@|ssh://|github\.com[/:]|gitlab\.com[/:]|bitbucket\.org[/:]|[\w.-]+\.[a-z]{2,}/[\w.-]+/[\w.-]+(//|\?ref=|\.git))|\?(ref|version)=|//.*\?")

LayerKind = Literal["base", "patch", "json", "image", "replica", "generator", "namespace", "name", "label", "chart"]


@dataclass(slots=True)
class Layer:
    """One text that shapes an object: where it stands and what it says."""

    kind: LayerKind
    directory: str
    """Of the kustomization that applies it."""
    file: str
    document: int
    path: YamlPath
    body: Any
    inside: YamlPath = ()
    embedded: bool = False
    """`path` names a string that holds the text as YAML."""


@dataclass(slots=True)
class Tracked:
    """An object on its way through the kustomizations."""

    body: dict[str, Any]
    layers: list[Layer]
    names: set[str]
    generated: bool = False
    """Its final name carries a hash of its content."""

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))

    @property
    def metadata(self) -> dict[str, Any]:
        found = self.body.get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def file(self) -> str:
        return self.layers[0].file

    @property
    def document(self) -> int:
        return self.layers[0].document


@dataclass(slots=True)
class Build:
    objects: list[Tracked] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    directories: list[str] = field(default_factory=list)
    """Every kustomization directory that takes part, outermost first."""
    remote: list[str] = field(default_factory=list)
    charts: list[tuple[str, int, Mapping[str, Any]]] = field(default_factory=list)
    """helmCharts entries: kustomization file, index, entry."""
    unsure: list[str] = field(default_factory=list)
    """What was used and is not understood here."""


def kustomization_file(files: Files, directory: str) -> str | None:
    return next((name for base in KUSTOMIZATION_NAMES if files.is_file(name := join(directory, base))), None)


Inflate = Callable[[str, int, Mapping[str, Any]], "list[Tracked]"]
"""What stands in for a chart's objects: by kustomization file, index and entry."""


def build(files: Files, directory: str, inflate: Inflate | None = None) -> Build:
    """Everything the kustomization of a directory yields."""
    result = Build()
    result.objects = _Reader(files, result, inflate).directory(directory, [])
    result.problems = list(dict.fromkeys(result.problems))
    return result


class _Reader:
    def __init__(self, files: Files, result: Build, inflate: Inflate | None = None) -> None:
        self.files, self.result, self.inflate = files, result, inflate

    def problem(self, kind: ProblemKind, message: str, file: str, line: int = 0) -> None:
        self.result.problems.append(Problem(kind, message, file=file, line=line))

    def documents(self, name: str, referrer: str) -> list[Any]:
        try:
            data = self.files.read(name)
        except Unreadable as error:
            missing = error.message == "no such file"
            self.problem("missing-file" if missing else "too-large", f"{name} does not exist" if missing else f"{name}: {error.message}", referrer)
            return []
        self.result.files.add(self.files.real_name(name))
        try:
            return yamlread.documents(data)
        except Unreadable as error:
            self.problem("parse", error.message, name, error.line)
            return []

    def directory(self, directory: str, objects: list[Tracked], chain: tuple[str, ...] = ()) -> list[Tracked]:
        """Accumulate one kustomization; `objects` are what a component works on."""
        file = kustomization_file(self.files, directory)
        if file is None:
            self.problem("missing-file", f"no kustomization in {directory or '.'}", chain[-1] if chain else directory)
            return objects
        if file in chain or len(chain) > MAX_DEPTH:
            self.problem("cycle", "kustomizations include each other: " + " → ".join([*chain, file]), file)
            return objects
        documents = self.documents(file, chain[-1] if chain else file)
        body = documents[0] if documents else None
        self.result.directories.append(directory)
        if not isinstance(body, dict):
            return objects
        chain = (*chain, file)
        objects = [*objects, *self.resources(body, directory, file, chain)]
        for index, entry in enumerate(_list(body, "components")):
            target = join(directory, str(entry))
            if REMOTE.search(str(entry)):
                self.result.remote.append(str(entry))
            elif self.files.is_dir(target):
                objects = self.directory(target, objects, chain)
            else:
                self.problem("missing-file", f"components[{index}]: {entry} does not exist", file)
        objects += self.generators(body, directory, file)
        for index, chart in enumerate(_list(body, "helmCharts")):
            if isinstance(chart, dict):
                self.result.charts.append((file, index, chart))
                objects += self.inflate(file, index, chart) if self.inflate else []
        self.result.unsure += [f"{key} in {file}" for key in ("replacements", "vars", "transformers", "generators", "validators") if body.get(key)]
        return Transformer(self.files, self.result, body, directory, file, ()).apply(objects)

    def resources(self, body: Mapping[str, Any], directory: str, file: str, chain: tuple[str, ...]) -> list[Tracked]:
        found: list[Tracked] = []
        for key in ("resources", "bases"):
            for entry in _list(body, key):
                name = str(entry)
                target = join(directory, name)
                if self.files.is_dir(target):
                    found += self.directory(target, [], chain)
                elif self.files.is_file(target):
                    found += self.manifests(target, directory, file)
                elif REMOTE.search(name):
                    self.result.remote.append(name)
                elif target.startswith("../") or target == "..":
                    self.problem("missing-file", f"{key}: {name} lies outside of the checkout", file)
                else:
                    self.problem("missing-file", f"{key}: {name} does not exist", file)
        return found

    def manifests(self, name: str, directory: str, referrer: str) -> list[Tracked]:
        found = []
        for index, item in enumerate(self.documents(name, referrer)):
            if isinstance(item, dict) and item.get("kind") and isinstance(item.get("metadata"), dict):
                named = str(item["metadata"].get("name", ""))
                found.append(Tracked(item, [Layer("base", directory, name, index, (), item)], {named}))
            elif isinstance(item, dict) and str(item.get("kind", "")).endswith("List"):
                for number, inner in enumerate(_list(item, "items")):
                    if isinstance(inner, dict) and isinstance(inner.get("metadata"), dict):
                        layer = Layer("base", directory, name, index, ("items", number), inner)
                        found.append(Tracked(inner, [layer], {str(inner["metadata"].get("name", ""))}))
        return found

    def generators(self, body: Mapping[str, Any], directory: str, file: str) -> list[Tracked]:
        found = []
        for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for index, entry in enumerate(_list(body, key)):
                if isinstance(entry, dict):
                    metadata = {"name": entry.get("name", ""), **({"namespace": entry["namespace"]} if entry.get("namespace") else {})}
                    item: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": self._data(entry, directory, file)}
                    layer = Layer("generator", directory, file, 0, (key, index), entry)
                    options = {**(body.get("generatorOptions") or {}), **(entry.get("options") or {})}
                    found.append(Tracked(item, [layer], {str(entry.get("name", ""))}, not options.get("disableNameSuffixHash")))
        return found

    def _data(self, entry: Mapping[str, Any], directory: str, file: str) -> dict[str, str]:
        data: dict[str, str] = {}
        for item in _list(entry, "literals"):
            name, _, value = str(item).partition("=")
            data[name] = value.strip("'\"")
        for item in _list(entry, "files"):
            name, _, path = str(item).rpartition("=")
            target = join(directory, path)
            try:
                data[name or posixpath.basename(path)] = self.files.read(target).decode("utf-8", "replace")
                self.result.files.add(target)
            except Unreadable:
                self.problem("missing-file", f"files: {path} does not exist", file)
        for item in [*_list(entry, "envs"), *([entry["env"]] if entry.get("env") else [])]:
            target = join(directory, str(item))
            try:
                lines = self.files.read(target).decode("utf-8", "replace").splitlines()
                self.result.files.add(target)
            except Unreadable:
                self.problem("missing-file", f"envs: {item} does not exist", file)
                continue
            data.update(line.strip().split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
        return data


class Transformer:
    """The transforming steps of one kustomization body; `prefix` is where that body stands in its file."""

    def __init__(self, files: Files, result: Build, body: Mapping[str, Any], directory: str, file: str, prefix: YamlPath, document: int = 0) -> None:
        self.files, self.result, self.body, self.where, self.file, self.prefix = files, result, body, directory, file, prefix
        self.document = document

    def layer(self, kind: LayerKind, path: YamlPath, body: Any) -> Layer:
        return Layer(kind, self.where, self.file, self.document, (*self.prefix, *path), body)

    def apply(self, objects: list[Tracked]) -> list[Tracked]:
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

    def patches(self, key: str) -> list[Layer]:
        """The patches of one list, each with its parsed text; `inside` keeps the entry's index for its target."""
        found: list[Layer] = []
        for index, entry in enumerate(_list(self.body, key)):
            path: str | None = None
            text: str | None = None
            if isinstance(entry, str):
                path, text = (None, entry) if "\n" in entry or ":" in entry and not self.files.is_file(join(self.where, entry)) else (entry, None)
            elif isinstance(entry, dict):
                path, text = entry.get("path"), entry.get("patch")
            if text is not None:
                here = (key, index) if isinstance(entry, str) else (key, index, "patch")
                found += self._parsed_patch(text, index, self.layer("patch", here, None))
            elif path is not None:
                found += self._patch_file(str(path), key, index)
        return found

    def _parsed_patch(self, text: Any, index: int, layer: Layer) -> list[Layer]:
        try:
            documents = yamlread.documents(str(text))
        except Unreadable as error:
            self.result.problems.append(Problem("parse", f"patch {index}: {error.message}", file=layer.file))
            return []
        return [Layer("json" if isinstance(body, list) else "patch", self.where, layer.file, layer.document, layer.path, body, (index, number), True) for number, body in enumerate(documents) if body]

    def _patch_file(self, path: str, key: str, index: int) -> list[Layer]:
        name = join(self.where, path)
        documents = _Reader(self.files, self.result).documents(name, self.file)
        return [Layer("json" if isinstance(body, list) else "patch", self.where, name, number, (), body, (index, number)) for number, body in enumerate(documents) if body]

    def _target(self, key: str, layer: Layer) -> Mapping[str, Any] | None:
        entry = _list(self.body, key)[int(layer.inside[0])]
        target = entry.get("target") if isinstance(entry, dict) else None
        return target if isinstance(target, dict) else None

    def _strategic(self, objects: list[Tracked], layer: Layer, target: Mapping[str, Any] | None) -> list[Tracked]:
        if not isinstance(layer.body, dict):
            return objects
        matched = False
        for item in objects:
            if (target is not None and targets(target, item)) or (target is None and same_object(layer.body, item)):
                matched = True
                identity = {"kind": item.body.get("kind"), "apiVersion": item.body.get("apiVersion"), "metadata": item.metadata}
                if layer.body.get("$patch") == "delete":
                    item.body = {}
                    continue
                patch = dict(layer.body)
                patch["metadata"] = {k: v for k, v in (patch.get("metadata") or {}).items() if k not in ("name", "namespace")}
                item.body = {**strategic(item.body, patch), "kind": identity["kind"], "apiVersion": identity["apiVersion"]}
                item.layers.append(layer)
        if not matched and target is None and not self.result.remote and not self.result.charts:
            name = (layer.body.get("metadata") or {}).get("name", "")
            self.result.problems.append(Problem("render", f"patch for {layer.body.get('kind')} {name} matches no object", file=layer.file))
        return [item for item in objects if item.body]

    def _json(self, objects: list[Tracked], layer: Layer, target: Mapping[str, Any] | None) -> list[Tracked]:
        for item in objects:
            if target is not None and targets(target, item):
                try:
                    item.body = json_patch(item.body, layer.body)
                    item.layers.append(Layer("json", layer.directory, layer.file, layer.document, layer.path, layer.body, layer.inside, layer.embedded))
                except PatchFailed as error:
                    self.result.problems.append(Problem("render", f"JSON patch on {item.kind} {item.name}: {error}", file=layer.file))
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
            pairs = self.body.get(key)
            for item in objects if isinstance(pairs, dict) and pairs else ():
                item.body = {**item.body, "metadata": {**item.metadata, field_name: {**(item.metadata.get(field_name) or {}), **pairs}}}
                item.layers.append(self.layer("label", (key,), (field_name, pairs)))
        for index, entry in enumerate(_list(self.body, "labels")):
            pairs = entry.get("pairs") if isinstance(entry, dict) else None
            for item in objects if isinstance(pairs, dict) else ():
                item.body = {**item.body, "metadata": {**item.metadata, "labels": {**(item.metadata.get("labels") or {}), **pairs}}}
                item.layers.append(self.layer("label", ("labels", index, "pairs"), ("labels", pairs)))

    def _replicas(self, objects: list[Tracked]) -> None:
        for index, entry in enumerate(_list(self.body, "replicas")):
            for item in objects if isinstance(entry, dict) else ():
                if entry.get("name") in item.names | {item.name} and isinstance(item.body.get("spec"), dict) and item.kind in SCALABLE:
                    item.body = {**item.body, "spec": {**item.body["spec"], "replicas": entry.get("count")}}
                    item.layers.append(self.layer("replica", ("replicas", index, "count"), entry))

    def _images(self, objects: list[Tracked]) -> None:
        for index, entry in enumerate(_list(self.body, "images")):
            if isinstance(entry, str):
                entry = image_option(entry)
            for item in objects if isinstance(entry, dict) else ():
                changed = map_images(item.body, lambda image, entry=entry: new_image(image, entry))
                if changed is not item.body:
                    item.body = changed
                    item.layers.append(self.layer("image", ("images", index), entry))


CLUSTER_SCOPED = frozenset(
    "Namespace CustomResourceDefinition ClusterRole ClusterRoleBinding StorageClass PersistentVolume PriorityClass IngressClass APIService "
    "MutatingWebhookConfiguration ValidatingWebhookConfiguration ClusterIssuer RuntimeClass CSIDriver Node".split()
)
SCALABLE = frozenset(("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"))


def _list(body: Mapping[str, Any], key: str) -> list[Any]:
    found = body.get(key)
    return found if isinstance(found, list) else []


def same_object(patch: Mapping[str, Any], item: Tracked) -> bool:
    """A strategic patch names its object by kind, group and original or present name."""
    metadata = patch.get("metadata") or {}
    group = str(patch.get("apiVersion", "")).rpartition("/")[0]
    own = str(item.body.get("apiVersion", "")).rpartition("/")[0]
    if patch.get("kind") != item.kind or group != own:
        return False
    if metadata.get("namespace") and item.metadata.get("namespace") and metadata["namespace"] != item.metadata["namespace"]:
        base = item.layers[0].body if item.layers[0].kind == "base" else {}
        if metadata["namespace"] != ((base.get("metadata") or {}).get("namespace")):
            return False
    return str(metadata.get("name", "")) in item.names | {item.name}


def targets(target: Mapping[str, Any], item: Tracked) -> bool:
    """A patch target: anchored regular expressions for kind, name and namespace, selectors for labels."""
    api = str(item.body.get("apiVersion", ""))
    group, _, version = api.rpartition("/")
    for key, have in (("kind", {item.kind}), ("group", {group}), ("version", {version}), ("name", item.names | {item.name}), ("namespace", {str(item.metadata.get("namespace", "default"))})):
        want = target.get(key)
        if want and not any(_matches(str(want), value) for value in have):
            return False
    for key, field_name in (("labelSelector", "labels"), ("annotationSelector", "annotations")):
        if target.get(key) and not _selects(str(target[key]), item.metadata.get(field_name) or {}):
            return False
    return True


def _matches(pattern: str, value: str) -> bool:
    if len(pattern) > 300:
        return False
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return pattern == value


def _selects(selector: str, labels: Mapping[str, Any]) -> bool:
    for part in selector.split(","):
        key, operator, value = re.match(r"\s*([^=!\s]+)\s*(==|=|!=)?\s*(.*?)\s*$", part).groups() if re.match(r"\s*[^=!\s]", part) else ("", "", "")  # type: ignore[union-attr]
        have = labels.get(key)
        if (operator in ("=", "==") and str(have) != value) or (operator == "!=" and str(have) == value) or (not operator and key and have is None):
            return False
    return True


def split_image(image: str) -> tuple[str, str, str]:
    """Name, tag, digest; a port in the registry is not a tag."""
    name, _, digest = image.partition("@")
    head, _, tail = name.rpartition("/")
    base, _, tag = tail.partition(":")
    return (f"{head}/{base}" if head else base), tag, digest


def image_option(text: str) -> dict[str, str]:
    """Argo CD's form of an image override: `[old=]new[:tag|@digest]`."""
    old, _, new = text.rpartition("=")
    name, tag, digest = split_image(new)
    result = {"name": old or name}
    if old and name:
        result["newName"] = name
    return result | ({"newTag": tag} if tag else {}) | ({"digest": digest} if digest else {})


def new_image(image: str, entry: Mapping[str, Any]) -> str:
    name, tag, digest = split_image(image)
    if name != entry.get("name"):
        return image
    name = str(entry.get("newName") or name)
    if entry.get("digest"):
        return f"{name}@{entry['digest']}"
    if entry.get("newTag") is not None and entry.get("newTag") != "":
        return f"{name}:{entry['newTag']}"
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def map_images(node: Any, change: Callable[[str], str], key: str = "") -> Any:
    """A copy with the images of all containers changed, or the very object where none is."""
    if isinstance(node, dict):
        result = {name: map_images(value, change, name) for name, value in node.items()}
        return result if any(result[name] is not value for name, value in node.items()) else node
    if isinstance(node, list):
        items = []
        for item in node:
            if key in ("containers", "initContainers", "ephemeralContainers") and isinstance(item, dict) and isinstance(item.get("image"), str):
                image = change(item["image"])
                items.append({**item, "image": image} if image != item["image"] else item)
            else:
                items.append(map_images(item, change))
        return items if any(new is not old for new, old in zip(items, node, strict=True)) else node
    return node
