"""Expand an ApplicationSet's generators: one set of parameters per Application, with the place of each value.

A generator that needs data from outside the checkout is refused rather than guessed: an Application with wrong
parameters would send a fix to the wrong file.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import YamlPath, leaves, mapping_at
from remediator.gitops import yamlread
from remediator.gitops.file_paths import matcher
from remediator.gitops.sources.layout import Layout
from remediator.gitops.tree.generator_parameters import (
    UNKNOWN,
    AnyKey,
    Parameters,
    cluster_values,
    dns,
    dot,
    fixed_part,
    join_values,
    parameter_text,
    selector_matches,
    with_prefix,
)
from remediator.gitops.yamlread import UnreadableYaml

MAX_RESULTS = 20_000
DECLINED = ("scmProvider", "pullRequest", "clusterDecisionResource", "plugin")


class Unsupported(Exception):
    """The generator needs data that a checkout does not contain."""


class Exhausted(Unsupported):
    """The generators yield more results than MAX_RESULTS; no Application of the set is used."""


Interpolate = Callable[[Any, Mapping[str, Any]], Any]


class Expander:
    """Expands the generators of one ApplicationSet; `file` and `document` locate it."""

    def __init__(
        self,
        layout: Layout,
        clusters: list[Mapping[str, Any]],
        *,
        go: bool,
        interpolate: Interpolate,
        file: str,
        document: int,
    ) -> None:
        self.layout, self.clusters, self.go, self.interpolate = layout, clusters, go, interpolate
        self.file, self.document = file, document
        self.problems: list[str] = []
        self.result_count = 0

    def expand(self, generators: Any, path: YamlPath) -> list[Parameters]:
        """Return the results of all generators; those that cannot be expanded become problems."""
        results: list[Parameters] = []
        for index, generator in enumerate(generators if isinstance(generators, list) else []):
            if isinstance(generator, dict):
                try:
                    results += self.expand_one(generator, (*path, index))
                except Exhausted:
                    raise
                except Unsupported as error:
                    self.problems.append(str(error))
        return results

    def expand_one(self, generator: Mapping[str, Any], path: YamlPath) -> list[Parameters]:
        """Return the results of one generator."""
        name = next((key for key in generator if key not in ("selector", "template", "values")), "")
        body = generator.get(name)
        body = body if isinstance(body, dict) else {}
        readers: dict[str, Callable[[Mapping[str, Any], YamlPath], Iterator[Parameters]]] = {
            "list": self._list,
            "git": self._git,
            "clusters": self._clusters,
            "matrix": self._matrix,
            "merge": self._merge,
        }
        if name in DECLINED:
            raise Unsupported(f"generator {name} needs data from outside the repository")
        if name not in readers:
            raise Unsupported(f"generator {name or 'without a name'} is not supported")
        result = []
        for item in readers[name](body, (*path, name)):
            result.append(self._with_values(item, body, (*path, name)))
            self.result_count += 1
            if self.result_count > MAX_RESULTS:
                raise Exhausted(f"its generators yield more than {MAX_RESULTS} results")
        if isinstance(body.get("template"), dict):
            for item in result:
                item.template, item.template_path = body["template"], (*path, name, "template")
        if isinstance(generator.get("selector"), dict):
            result = [
                item
                for item in result
                if selector_matches(
                    generator["selector"], {".".join(map(str, key)): str(value) for key, value in leaves(item.values)}
                )
            ]
        return result

    def _place(self, path: YamlPath, value: Any) -> Place:
        return Place(
            file=self.file,
            document=self.document,
            path=path,
            value=value,
            proof="read",
            why="parameter of the ApplicationSet's generator",
        )

    def _with_values(self, item: Parameters, body: Mapping[str, Any], path: YamlPath) -> Parameters:
        extra = body.get("values")
        if isinstance(extra, dict) and path[-1] not in ("matrix", "merge"):
            rendered = {key: self.interpolate(value, item.values) for key, value in extra.items()}
            item.values["values"] = {**mapping_at(item.values, "values"), **rendered}
            for key, value in extra.items():
                if "{{" not in str(value):
                    item.places[f"values.{key}"] = self._place((*path, "values", key), value)
        return item

    def _list(self, body: Mapping[str, Any], path: YamlPath) -> Iterator[Parameters]:
        elements = body.get("elements")
        for index, element in enumerate(elements if isinstance(elements, list) else []):
            if isinstance(element, dict):
                element_path = (*path, "elements", index)
                yield Parameters(
                    dict(element),
                    {dot(key): self._place((*element_path, *key), value) for key, value in leaves(element)},
                )
        if isinstance(body.get("elementsYaml"), str) and "{{" not in body["elementsYaml"]:
            for element in _parse(body["elementsYaml"]):
                for item in element if isinstance(element, list) else [element]:
                    if isinstance(item, dict):
                        yield Parameters(dict(item))

    def _git(self, body: Mapping[str, Any], _: YamlPath) -> Iterator[Parameters]:
        url = str(body.get("repoURL") or "")
        if "{{" not in url and not self.layout.is_local(url):
            raise Unsupported(f"generator git reads another repository: {url}")
        prefix = str(body.get("pathParamPrefix") or "")
        if isinstance(body.get("directories"), list):
            for directory in self._directories(body["directories"]):
                yield Parameters(with_prefix({"path": self._path_of(directory)}, prefix))
        if isinstance(body.get("files"), list):
            yield from self._files(body["files"], prefix)

    def _directories(self, items: list[Any]) -> list[str]:
        entries = [item for item in items if isinstance(item, dict)]
        take = [matcher(self.layout.to_local(str(item.get("path", "")))) for item in entries if not item.get("exclude")]
        drop = [matcher(self.layout.to_local(str(item.get("path", "")))) for item in entries if item.get("exclude")]
        starts = tuple(
            fixed_part(self.layout.to_local(str(item.get("path", "")))) for item in entries if not item.get("exclude")
        )
        return sorted(
            name
            for name in self.layout.files.tree
            if name.startswith(starts)
            and name
            and "/." not in name
            and name[0] != "."
            and any(match(name) for match in take)
            and not any(match(name) for match in drop)
        )

    def _files(self, items: list[Any], prefix: str) -> Iterator[Parameters]:
        files = self.layout.files
        entries = [item for item in items if isinstance(item, dict)]
        excluded = {
            name
            for item in entries
            if item.get("exclude")
            for name in files.glob(self.layout.to_local(str(item.get("path", ""))))
        }
        included = [
            name
            for item in entries
            if not item.get("exclude")
            for name in files.glob(self.layout.to_local(str(item.get("path", ""))))
        ]
        for name in dict.fromkeys(sorted(included)):
            if name in excluded:
                continue
            try:
                documents = yamlread.documents(files.read(name))
            except UnreadableYaml as error:
                self.problems.append(f"{name}: {error.message}")
                continue
            document = documents[0] if documents else None
            for index, content in enumerate(document if isinstance(document, list) else [document]):
                if isinstance(content, dict):
                    start: YamlPath = (index,) if isinstance(document, list) else ()
                    places = {
                        dot(key): Place(
                            file=name,
                            path=(*start, *key),
                            value=value,
                            proof="read",
                            why="parameter read from this file by the ApplicationSet",
                        )
                        for key, value in leaves(content)
                    }
                    directory, _, base = name.rpartition("/")
                    yield Parameters(
                        {**content, **with_prefix({"path": self._path_of(directory, base)}, prefix)}, places
                    )

    def _path_of(self, directory: str, filename: str = "") -> dict[str, Any]:
        path = self.layout.to_repository(directory)
        base = posixpath.basename(path)
        parameters: dict[str, Any] = {
            "path": path,
            "basename": base,
            "basenameNormalized": dns(base),
            "segments": path.split("/"),
        }
        if filename:
            parameters |= {"filename": filename, "filenameNormalized": dns(filename)}
        return parameters

    def _clusters(self, body: Mapping[str, Any], _: YamlPath) -> Iterator[Parameters]:
        selector = body.get("selector")
        matched = False
        for secret in self.clusters:
            metadata = secret.get("metadata") or {}
            labels = metadata.get("labels") or {}
            if (
                isinstance(selector, dict)
                and selector
                and not selector_matches(selector, {str(k): str(v) for k, v in labels.items()})
            ):
                continue
            data = {**(secret.get("data") or {}), **(secret.get("stringData") or {})}
            matched = True
            yield Parameters(
                cluster_values(
                    str(data.get("name") or metadata.get("name", "")),
                    str(data.get("server", UNKNOWN)),
                    labels,
                    metadata.get("annotations") or {},
                )
            )
        if not selector:
            yield Parameters(cluster_values("in-cluster", "https://kubernetes.default.svc", {}, {}))
        elif not matched:
            yield Parameters(cluster_values(UNKNOWN, UNKNOWN, AnyKey(), AnyKey()))

    def _matrix(self, body: Mapping[str, Any], path: YamlPath) -> Iterator[Parameters]:
        children = [item for item in body.get("generators") or [] if isinstance(item, dict)]
        if len(children) != 2:
            raise Unsupported("generator matrix needs two generators")
        for outer in self.expand_one(children[0], (*path, "generators", 0)):
            second = self.interpolate(children[1], outer.values)
            for inner in self.expand_one(second, (*path, "generators", 1)):
                values = join_values(outer.values, inner.values)
                yield Parameters(
                    values,
                    {**outer.places, **inner.places},
                    inner.template or outer.template,
                    inner.template_path or outer.template_path,
                )

    def _merge(self, body: Mapping[str, Any], path: YamlPath) -> Iterator[Parameters]:
        children = [item for item in body.get("generators") or [] if isinstance(item, dict)]
        keys = [str(key) for key in body.get("mergeKeys") or []]
        if not children or not keys:
            raise Unsupported("generator merge needs generators and mergeKeys")
        base = self.expand_one(children[0], (*path, "generators", 0))
        for number, child in enumerate(children[1:], 1):
            results = {
                tuple(parameter_text(item.values, key) for key in keys): item
                for item in self.expand_one(child, (*path, "generators", number))
            }
            for item in base:
                override = results.get(tuple(parameter_text(item.values, key) for key in keys))
                if override is not None:
                    item.values = join_values(item.values, override.values)
                    item.places |= override.places
        yield from base


def _parse(text: str) -> list[Any]:
    try:
        return yamlread.documents(text)
    except UnreadableYaml:
        return []
