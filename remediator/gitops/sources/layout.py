"""Find the sources that lie in this checkout by comparing repository URLs and paths with its files.

The checkout may have another remote, be a part of the repository, or hold it in a directory; so the paths that
Applications name decide, where the URL alone does not.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from remediator.domain.yaml_paths import YamlPath, list_at, mapping_at
from remediator.gitops import yamlread
from remediator.gitops.file_paths import clean, join
from remediator.gitops.files import Files
from remediator.gitops.model import Source
from remediator.gitops.sources.charts import ChartStore
from remediator.gitops.yamlread import UnreadableYaml


@lru_cache(maxsize=4096)
def normal_url(url: str) -> str:
    """Return a repository URL without scheme, user, port and `.git`, so that ssh and https forms compare equal."""
    text = url.strip().rstrip("/").removesuffix(".git")
    text = re.sub(r"^[a-z+]+://", "", text)
    text = re.sub(r"^[^@/]+@", "", text)
    text = re.sub(r"^([^/:]+):(?:\d+/)?", r"\1/", text)
    return re.sub(r"/+", "/", text).lower()


def origin_url(root: Path) -> str:
    """Return the remote that this checkout was cloned from, read from git's own configuration; empty without one."""
    for directory in (root, *root.parents):
        marker = directory / ".git"
        if marker.is_dir():
            try:
                text = (marker / "config").read_text(encoding="utf-8", errors="replace")[:200_000]
            except OSError:
                return ""
            section = re.search(r'\[remote "origin"\](.*?)(?=^\[|\Z)', text, re.DOTALL | re.MULTILINE)
            url = re.search(r"^\s*url\s*=\s*(\S+)", section[1], re.MULTILINE) if section else None
            return url[1] if url else ""
        if marker.exists():
            return ""
    return ""


class Layout:
    """Decides for every source whether it is local, and turns repository paths into paths of the checkout."""

    def __init__(self, files: Files, bodies: Iterable[Mapping[str, Any]], own_url: str = "") -> None:
        self.files = files
        self.own_url = normal_url(own_url) if own_url else ""
        self.charts: ChartStore | None = None
        """Gives charts that are not in the checkout, where the owner allows it."""
        self.strip = ""
        self.nest = ""
        source_paths = [(normal_url(url), path) for body in bodies for url, path in _literal_sources(body)]
        self._fit(clean(path) for _, path in source_paths)
        self.local_urls = self._find_local_urls(source_paths)

    def settings(self) -> dict[str, Any]:
        """Return the decisions as plain data."""
        return {"own": self.own_url, "strip": self.strip, "nest": self.nest, "believed": sorted(self.local_urls)}

    @classmethod
    def of(cls, files: Files, settings: Mapping[str, Any]) -> Layout:
        """Return the layout from decisions that were made before."""
        layout = cls(files, ())
        layout.own_url, layout.strip, layout.nest = settings["own"], settings["strip"], settings["nest"]
        layout.local_urls = frozenset(settings["believed"])
        return layout

    def _fit(self, paths: Iterable[str]) -> None:
        """Compare paths with files: a checkout may be a part of the repository (strip) or contain it (nest)."""
        literal_paths = [path for path in dict.fromkeys(paths) if path and "{{" not in path][:200]
        if not literal_paths or any(self.files.is_dir(path) or self.files.is_file(path) for path in literal_paths):
            return
        votes: Counter[tuple[str, str]] = Counter()
        tops = [""] + [name for name in self.files.tree if name and name.count("/") < 3]
        for path in literal_paths:
            parts = path.split("/")
            for cut in range(1, min(4, len(parts))):
                if self.files.is_dir("/".join(parts[cut:])):
                    votes["/".join(parts[:cut]), ""] += 1
            for top in tops[1:]:
                if self.files.is_dir(f"{top}/{path}"):
                    votes["", top] += 1
        if votes:
            (self.strip, self.nest), _ = votes.most_common(1)[0]

    def _find_local_urls(self, source_paths: list[tuple[str, str]]) -> frozenset[str]:
        hits: Counter[str] = Counter()
        for url, path in source_paths:
            if clean(path) and "{{" not in path and self.files.is_dir(self.to_local(path)):
                hits[url] += 1
        everyone = {url for url, _ in source_paths}
        if self.own_url:
            if self.own_url in everyone:
                name = posixpath.basename(self.own_url)
                return frozenset(
                    {self.own_url} | {url for url in everyone if hits[url] and posixpath.basename(url) == name}
                )
            return frozenset({self.own_url} | set(hits))
        if hits:
            best = posixpath.basename(hits.most_common(1)[0][0])
            return frozenset(set(hits) | {url for url in everyone if posixpath.basename(url) == best})
        counted = Counter(url for url, _ in source_paths)
        return frozenset([counted.most_common(1)[0][0]]) if counted else frozenset()

    def is_local(self, url: str) -> bool:
        """Return whether the repository of that URL is this one."""
        return not url or normal_url(url) in self.local_urls or (not self.local_urls and not self.own_url)

    def to_local(self, path: str) -> str:
        """Return a path of the repository as a path of the checkout."""
        name = clean(path)
        if self.strip and (name == self.strip or name.startswith(self.strip + "/")):
            return name[len(self.strip) + 1 :]
        return join(self.nest, name) if self.nest else name

    def to_repository(self, path: str) -> str:
        """Return a path of the checkout as a path of the repository."""
        if self.nest and (path == self.nest or path.startswith(self.nest + "/")):
            return path[len(self.nest) + 1 :]
        return join(self.strip, path) if self.strip else path

    def sources(self, name: str, spec: Mapping[str, Any]) -> tuple[Source, ...]:
        """Return the Application's sources; `sources` wins over `source`, as in Argo CD."""
        many = spec.get("sources")
        if isinstance(many, list) and many:
            items: list[tuple[YamlPath, Any]] = [(("spec", "sources", index), item) for index, item in enumerate(many)]
        elif isinstance(spec.get("source"), dict):
            items = [(("spec", "source"), spec["source"])]
        elif isinstance(hydrator := spec.get("sourceHydrator"), dict) and isinstance(
            dry := hydrator.get("drySource"), dict
        ):
            items = [(("spec", "sourceHydrator", "drySource"), {**dry, "sourceHydrator": True})]
        else:
            items = []
        return tuple(
            self._source(name, pointer, item, len(items) == 1) for pointer, item in items if isinstance(item, dict)
        )

    def _source(self, name: str, pointer: YamlPath, body: Mapping[str, Any], single: bool) -> Source:
        url, chart = _text(body.get("repoURL")), _text(body.get("chart"))
        has_path = body.get("path") is not None
        local = not chart and self.is_local(url) and not url.startswith("oci://")
        path = self.to_local(_text(body.get("path"))) if has_path and local else _text(body.get("path"))
        if local and has_path:
            body = self._with_overrides(name, path, body, single)
        return Source(url, path, _text(body.get("targetRevision")), chart, _text(body.get("ref")), local, pointer, body)

    def _with_overrides(self, name: str, path: str, body: Mapping[str, Any], single: bool) -> Mapping[str, Any]:
        """Merge `.argocd-source.yaml` and `.argocd-source-<application>.yaml`, which lie in the source's directory."""
        for file in override_files(path, name) if single and path in self.files.overridden else ():
            if self.files.is_file(file):
                try:
                    overrides = yamlread.documents(self.files.read(file))
                except UnreadableYaml:
                    continue
                if overrides and isinstance(overrides[0], dict):
                    body = _overlay(body, overrides[0])
        return body


def override_files(path: str, name: str) -> tuple[str, str]:
    """Return the files in a source's directory that override the source."""
    return join(path, ".argocd-source.yaml"), join(path, f".argocd-source-{name}.yaml")


def _overlay(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in override.items():
        old = result.get(key)
        if isinstance(value, dict):
            result[key] = _overlay(old if isinstance(old, dict) else {}, value)
        elif key == "parameters" and isinstance(old, list) and isinstance(value, list):
            names = {item.get("name") for item in value if isinstance(item, dict)}
            result[key] = [item for item in old if not (isinstance(item, dict) and item.get("name") in names)] + value
        else:
            result[key] = value
    return result


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _literal_sources(body: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    spec = body.get("spec")
    if not isinstance(spec, dict):
        return
    template = spec.get("template")
    if body.get("kind") == "ApplicationSet" and isinstance(template, dict):
        yield from _generator_paths(spec)
        spec = mapping_at(template, "spec")
    sources = list_at(spec, "sources") or [spec.get("source")]
    for source in sources:
        if (
            isinstance(source, dict)
            and not source.get("chart")
            and source.get("repoURL")
            and "{{" not in str(source["repoURL"])
        ):
            yield str(source["repoURL"]), _text(source.get("path"))


def _generator_paths(spec: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield repository and fixed leading part of the paths that git generators read."""
    pending: list[Any] = [spec.get("generators")]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            git = node.get("git")
            if isinstance(git, dict) and "{{" not in str(git.get("repoURL", "{{")):
                for item in [*(git.get("directories") or []), *(git.get("files") or [])]:
                    if isinstance(item, dict):
                        fixed = re.split(r"[*?\[{]", str(item.get("path", "")))[0]
                        yield (
                            str(git["repoURL"]),
                            fixed.rpartition("/")[0]
                            if fixed != item.get("path") or item in (git.get("files") or [])
                            else fixed,
                        )
            pending.extend(value for key, value in node.items() if key in ("matrix", "merge", "generators"))
