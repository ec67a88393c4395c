"""Read a kustomization as kustomize builds it, remembering which text each object and field comes from.

It follows the order of kustomize's built-in steps: resources, components, generators, then patches, namespace,
prefix and suffix, labels, JSON patches, replicas, images. It serves to find places; the objects themselves come from
kustomize, where the tool is installed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any

from remediator.domain.yaml_paths import list_at
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files, kustomization_file
from remediator.gitops.model import Problem, ProblemKind
from remediator.gitops.render.kustomize_model import Build, KustomizeLayer, Tracked
from remediator.gitops.render.kustomize_steps import Transformer, documents
from remediator.gitops.yamlread import UnreadableYaml

MAX_DEPTH = 30
REMOTE = re.compile(
    r"^(https?://|git::|git@|ssh://|github\.com[/:]|gitlab\.com[/:]|bitbucket\.org[/:]|[\w.-]+\.[a-z]{2,}/[\w.-]+/[\w.-]+(//|\?ref=|\.git))|\?(ref|version)=|//.*\?"
)


Inflate = Callable[[str, int, Mapping[str, Any]], "list[Tracked]"]
"""A function that returns the objects of a chart from the kustomization file, the entry's index and the entry."""


def build(files: Files, directory: str, inflate: Inflate | None = None) -> Build:
    """Return everything that the kustomization of a directory yields."""
    result = Build()
    result.objects = _KustomizationReader(files, result, inflate).directory(directory, [])
    result.problems = list(dict.fromkeys(result.problems))
    return result


class _KustomizationReader:
    def __init__(self, files: Files, result: Build, inflate: Inflate | None = None) -> None:
        self.files, self.result, self.inflate = files, result, inflate

    def problem(self, kind: ProblemKind, message: str, file: str, line: int = 0) -> None:
        self.result.problems.append(Problem(kind, message, file=file, line=line))

    def documents(self, name: str, referrer: str) -> list[Any]:
        return documents(self.files, self.result, name, referrer)

    def directory(self, directory: str, objects: list[Tracked], chain: tuple[str, ...] = ()) -> list[Tracked]:
        """Return the objects after one kustomization; `objects` are those that a component changes."""
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
        for index, entry in enumerate(list_at(body, "components")):
            target = join(directory, str(entry))
            if REMOTE.search(str(entry)):
                self.result.remote.append(str(entry))
            elif self.files.is_dir(target):
                objects = self.directory(target, objects, chain)
            else:
                self.problem("missing-file", f"components[{index}]: {entry} does not exist", file)
        objects += self.generators(body, directory, file)
        for index, chart in enumerate(list_at(body, "helmCharts")):
            if isinstance(chart, dict):
                self.result.charts.append((file, index, chart))
                objects += self.inflate(file, index, chart) if self.inflate else []
        self.result.unsure += [
            f"{key} in {file}"
            for key in ("replacements", "vars", "transformers", "generators", "validators")
            if body.get(key)
        ]
        return Transformer(self.files, self.result, body, directory, file, ()).apply(objects)

    def resources(self, body: Mapping[str, Any], directory: str, file: str, chain: tuple[str, ...]) -> list[Tracked]:
        objects: list[Tracked] = []
        for key in ("resources", "bases"):
            for entry in list_at(body, key):
                name = str(entry)
                target = join(directory, name)
                if self.files.is_dir(target):
                    objects += self.directory(target, [], chain)
                elif self.files.is_file(target):
                    objects += self.manifests(target, directory, file)
                elif REMOTE.search(name):
                    self.result.remote.append(name)
                elif target.startswith("../") or target == "..":
                    self.problem("missing-file", f"{key}: {name} lies outside of the checkout", file)
                else:
                    self.problem("missing-file", f"{key}: {name} does not exist", file)
        return objects

    def manifests(self, name: str, directory: str, referrer: str) -> list[Tracked]:
        objects = []
        for index, item in enumerate(self.documents(name, referrer)):
            if isinstance(item, dict) and item.get("kind") and isinstance(item.get("metadata"), dict):
                object_name = str(item["metadata"].get("name", ""))
                objects.append(Tracked(item, [KustomizeLayer("base", directory, name, index, (), item)], {object_name}))
            elif isinstance(item, dict) and str(item.get("kind", "")).endswith("List"):
                for number, inner in enumerate(list_at(item, "items")):
                    if isinstance(inner, dict) and isinstance(inner.get("metadata"), dict):
                        layer = KustomizeLayer("base", directory, name, index, ("items", number), inner)
                        objects.append(Tracked(inner, [layer], {str(inner["metadata"].get("name", ""))}))
        return objects

    def generators(self, body: Mapping[str, Any], directory: str, file: str) -> list[Tracked]:
        objects = []
        for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for index, entry in enumerate(list_at(body, key)):
                if isinstance(entry, dict):
                    metadata = {
                        "name": entry.get("name", ""),
                        **({"namespace": entry["namespace"]} if entry.get("namespace") else {}),
                    }
                    item: dict[str, Any] = {
                        "apiVersion": "v1",
                        "kind": kind,
                        "metadata": metadata,
                        "data": self._data(entry, directory, file),
                    }
                    layer = KustomizeLayer("generator", directory, file, 0, (key, index), entry)
                    options = {**(body.get("generatorOptions") or {}), **(entry.get("options") or {})}
                    objects.append(
                        Tracked(item, [layer], {str(entry.get("name", ""))}, not options.get("disableNameSuffixHash"))
                    )
        return objects

    def _data(self, entry: Mapping[str, Any], directory: str, file: str) -> dict[str, str]:
        data: dict[str, str] = {}
        for item in list_at(entry, "literals"):
            name, _, value = str(item).partition("=")
            data[name] = value.strip("'\"")
        for item in list_at(entry, "files"):
            name, _, path = str(item).rpartition("=")
            target = join(directory, path)
            try:
                data[name or posixpath.basename(path)] = self.files.read(target).decode("utf-8", "replace")
                self.result.files.add(target)
            except UnreadableYaml:
                self.problem("missing-file", f"files: {path} does not exist", file)
        for item in [*list_at(entry, "envs"), *([entry["env"]] if entry.get("env") else [])]:
            target = join(directory, str(item))
            try:
                lines = self.files.read(target).decode("utf-8", "replace").splitlines()
                self.result.files.add(target)
            except UnreadableYaml:
                self.problem("missing-file", f"envs: {item} does not exist", file)
                continue
            pairs = [line.strip().partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#")]
            data.update({name: value for name, _, value in pairs})
        return data
