"""Convert a tree to plain data and back, and compute the key under which it is cached.

The key is the commit where git says that the checkout is just that, else every file's stamp: so a runner's fresh
clone finds the snapshot of an earlier run, and an edited checkout finds none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops.files import SKIPPED, Files
from remediator.gitops.git_command import GitFailed, git
from remediator.gitops.model import Application, ApplicationSet, Origin, Problem, Source, Tree
from remediator.gitops.sources.tools import Tools
from remediator.gitops.tree.scan import is_yaml

VERSION = 3
_APPLICATION = tuple(field.name for field in fields(Application))


def key(files: Files, tools: Tools, settings: tuple[str, ...]) -> str:
    """Return a key for everything that the tree depends on; empty where the state of the checkout cannot be named."""
    if files.overlay:
        return ""
    state = _commit(files) or _stamps(files)
    programs = [(name, Path(name).stat().st_mtime_ns) for name in (tools.helm, *tools.kustomize[:1]) if name]
    return hashlib.blake2b(
        repr((VERSION, state, programs, settings)).encode("utf-8", "surrogateescape"), digest_size=20
    ).hexdigest()


def _commit(files: Files) -> str:
    """Return the commit and the directory within it; empty where any file differs from the commit."""
    try:
        output = git(
            files.root,
            [
                "status",
                "--porcelain=v2",
                "--branch",
                "-z",
                "--untracked-files=all",
                "--ignored=matching",
                "--no-renames",
                "--",
                ".",
            ],
        )
    except GitFailed:
        return ""
    commit = ""
    for line in output.split(b"\0"):
        if line.startswith(b"# branch.oid "):
            commit = line[len(b"# branch.oid ") :].decode()
        elif line.startswith(b"! "):
            if _is_readable(os.fsdecode(line[2:])):
                return ""
        elif line and not line.startswith(b"# "):
            return ""
    if not commit or commit == "(initial)" or Path(files.real, ".gitmodules").exists():
        return ""
    top = _repository_root(files)
    return f"{commit}:{os.path.relpath(files.real, top)}" if top else ""


def _repository_root(files: Files) -> str:
    real = Path(files.real)
    return next((str(directory) for directory in (real, *real.parents) if (directory / ".git").exists()), "")


def _is_readable(name: str) -> bool:
    """Return whether a file that git ignores could still be read as part of the tree."""
    if any(part in SKIPPED for part in name.split("/")):
        return False
    return name.endswith(("/", ".tgz", ".tpl")) or is_yaml(name)


def _stamps(files: Files) -> str:
    text = "\n".join([f"{name}\0{stamp}" for name, stamp in files.stamps().items()])
    return files.real + hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=20).hexdigest()


def dump(tree: Tree, problems: list[Problem], layout: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tree as JSON data; templates and producers that several Applications share are written once."""
    dumper = _Dumper()
    return {
        "version": VERSION,
        "applications": [dumper.application(app) for app in tree.applications],
        "sets": [
            [item.name, item.file, item.document, item.parent, item.body, dumper.origin(item.origin), item.path]
            for item in tree.sets
        ],
        "projects": tree.projects,
        "problems": [[item.kind, item.message, item.file, item.line, item.application] for item in problems],
        "shared": dumper.shared,
        "layout": layout,
    }


class _Dumper:
    def __init__(self) -> None:
        self.shared: list[Any] = []
        self.indexes: dict[int, int] = {}

    def shared_index(self, item: Any, form: Any) -> int:
        if id(item) not in self.indexes:
            self.indexes[id(item)] = len(self.shared)
            self.shared.append(None)
            self.shared[self.indexes[id(item)]] = form(item)
        return self.indexes[id(item)]

    def origin(self, item: Origin | None) -> Any:
        if item is None:
            return None
        producer = None if item.producer is None else self.shared_index(item.producer, self.application)
        places = {
            name: [place.file, place.document, place.path, place.value, place.why]
            for name, place in item.parameters.items()
        }
        template = self.shared_index(item.template, dict)
        return [item.kind, item.file, item.document, item.path, template, places, producer, item.inside]

    def application(self, app: Application) -> Any:
        values = {name: getattr(app, name) for name in _APPLICATION}
        values["sources"] = [self.source(source, app.body) for source in app.sources]
        values["origin"] = self.origin(app.origin)
        return list(values.values())

    @staticmethod
    def source(item: Source, body: Mapping[str, Any]) -> Any:
        """Return a source; its body is left out where it is a part of the Application's body."""
        return [
            item.repo_url,
            item.path,
            item.revision,
            item.chart,
            item.ref,
            item.local,
            item.pointer,
            None if item.body is get(body, item.pointer) else item.body,
        ]


def load(data: Any) -> tuple[Tree, list[Problem], Mapping[str, Any]] | None:
    """Return the tree from JSON data, or None where the data is no valid snapshot."""
    if not isinstance(data, dict) or data.get("version") != VERSION:
        return None
    try:
        return _Loader(data["shared"]).tree(data), [Problem(*item) for item in data["problems"]], data["layout"]
    except (KeyError, TypeError, ValueError, IndexError):
        return None


class _Loader:
    def __init__(self, shared: list[Any]) -> None:
        self.shared = shared
        self.producers: dict[int, Any] = {}

    def tree(self, data: Mapping[str, Any]) -> Tree:
        tree = Tree()
        tree.applications = [self.application(item) for item in data["applications"]]
        tree.sets = [
            ApplicationSet(name, file, document, parent, body, self.origin(origin), tuple(path))
            for name, file, document, parent, body, origin, path in data["sets"]
        ]
        tree.projects = [(file, index, body) for file, index, body in data["projects"]]
        return tree

    def application(self, item: list[Any]) -> Application:
        values = dict(zip(_APPLICATION, item, strict=True))
        values["sources"] = tuple(self.source(source, values["body"]) for source in values["sources"])
        values["origin"] = self.origin(values["origin"])
        values["notes"] = tuple(values["notes"])
        return Application(**values)

    @staticmethod
    def source(item: list[Any], body: Any) -> Source:
        url, path, revision, chart, ref, local, steps, source_body = item
        pointer: YamlPath = tuple(steps)
        if source_body is None:
            source_body = get(body, pointer)
        return Source(
            url, path, revision, chart, ref, local, pointer, source_body if source_body is not MISSING else {}
        )

    def origin(self, item: Any) -> Origin | None:
        if item is None:
            return None
        kind, file, document, path, template, places, producer, inside = item
        parameters = {
            name: Place.model_construct(
                file=place_file,
                document=index,
                path=tuple(steps),
                inside=(),
                value=value,
                exists=True,
                proof="read",
                why=why,
                also_feeds=(),
                notes=(),
            )
            for name, (place_file, index, steps, value, why) in places.items()
        }
        if producer is not None and producer not in self.producers:
            self.producers[producer] = self.application(self.shared[producer])
        return Origin(
            kind,
            file,
            document,
            tuple(path),
            self.shared[template],
            parameters,
            self.producers.get(producer),
            tuple(inside),
        )
