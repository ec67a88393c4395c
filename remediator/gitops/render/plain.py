"""Read a directory of plain manifests, with Argo CD's recurse, include and exclude."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.gitops import yamlread
from remediator.gitops.file_paths import pattern_of
from remediator.gitops.files import Files
from remediator.gitops.model import Application, Manifest, Problem, Source
from remediator.gitops.yamlread import UnreadableYaml

_SKIP = b"+argocd:skip-file-rendering"


def file_names(files: Files, source: Source) -> Iterator[str]:
    """Yield the files of the directory that Argo CD reads."""
    options = source.options("directory")
    include, exclude = str(options.get("include") or ""), str(options.get("exclude") or "")
    base = files.real_name(source.path)
    names = (
        files.below(base)
        if options.get("recurse")
        else (f"{base}/{name}" if base else name for name in files.entries(base)[0])
    )
    for name in sorted(names):
        relative = name[len(base) + 1 :] if base else name
        if not name.endswith((".yaml", ".yml", ".json")) or relative.rpartition("/")[2].startswith(".argocd-source"):
            continue
        if exclude and pattern_of(exclude).match(relative):
            continue
        if include and not pattern_of(include).match(relative):
            continue
        yield name


def covers(source: Source, name: str) -> bool:
    """Return whether the directory source reads this file."""
    base = source.path
    inside = name.startswith(base + "/") if base else True
    if not inside:
        return False
    relative = name[len(base) + 1 :] if base else name
    options = source.options("directory")
    if "/" in relative and not options.get("recurse"):
        return False
    exclude, include = str(options.get("exclude") or ""), str(options.get("include") or "")
    return not (exclude and pattern_of(exclude).match(relative)) and not (
        include and not pattern_of(include).match(relative)
    )


def read(files: Files, app: Application, source: Source) -> tuple[list[Manifest], list[Problem]]:
    """Return the objects of a directory, and the problems of the files without objects."""
    objects: list[Manifest] = []
    problems: list[Problem] = []
    for name in file_names(files, source):
        try:
            data = files.read(name)
            if _SKIP in data:
                continue
            for index, body in enumerate(yamlread.iterate(data)):
                if isinstance(body, dict) and body.get("kind"):
                    objects += list(_objects(app, source, name, index, body))
                elif isinstance(body, dict) and body:
                    problems.append(
                        Problem(
                            "render",
                            "a document that is not a Kubernetes object (no kind)",
                            file=name,
                            application=app.name,
                        )
                    )
        except UnreadableYaml as error:
            kind = "too-large" if "larger" in error.message else "parse"
            problems.append(Problem(kind, error.message, file=name, line=error.line, application=app.name))  # type: ignore[arg-type]
    return objects, problems


def _objects(app: Application, source: Source, name: str, index: int, body: dict[str, Any]) -> Iterator[Manifest]:
    if str(body["kind"]).endswith("List") and isinstance(body.get("items"), list):
        for number, item in enumerate(body["items"]):
            if isinstance(item, dict) and item.get("kind"):
                yield Manifest.of(item, app, source, file=name, document=index, tracked=("items", number))
    else:
        yield Manifest.of(body, app, source, file=name, document=index, tracked=())
