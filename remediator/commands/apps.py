"""`remediator apps`: the tree of Applications as Argo CD would see it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remediator.gitops import Application, Problem, Repository


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "apps",
        help="the tree of Applications in this repository",
        description="The Applications of the repository, who applies each, and where its manifests lie.",
    )
    parser.add_argument(
        "--repo", type=Path, default=Path(), metavar="DIR", help="checkout to read (default: the current directory)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print the tree; problems of the repository are printed, and are no failure."""
    from remediator.commands.shared import open_repository

    repository = open_repository(args.repo)
    if args.json:
        print(json.dumps(document(repository), ensure_ascii=True, default=str))
        return 0
    output = lines(repository)
    if not repository.applications and not repository.sets:
        output.insert(0, f"no Applications found in {_printable(str(args.repo))}")
    print("\n".join(output))
    return 0


def document(repository: Repository) -> dict[str, Any]:
    """Return Applications, ApplicationSets, projects and problems as flat lists; `parent` names make the tree."""
    return {
        "applications": [_application(app) for app in repository.applications],
        "applicationSets": [
            {"name": item.name, "file": item.file, "document": item.document, "parent": item.parent}
            for item in repository.sets
        ],
        "projects": [
            {"name": (body.get("metadata") or {}).get("name", ""), "file": file, "document": index}
            for file, index, body in repository.projects
        ],
        "problems": [
            {
                "kind": item.kind,
                "message": item.message,
                "file": item.file,
                "line": item.line,
                "application": item.application,
            }
            for item in repository.problems
        ],
    }


def _application(app: Application) -> dict[str, Any]:
    return {
        "name": app.name,
        "kind": app.kind,
        "parent": app.parent,
        "namespace": app.namespace,
        "cluster": app.cluster,
        "project": app.project,
        "file": app.file,
        "document": app.document,
        "sources": [
            {
                "repoURL": source.repo_url,
                "path": source.path,
                "chart": source.chart,
                "targetRevision": source.revision,
                "ref": source.ref,
                "local": source.local,
            }
            for source in app.sources
        ],
    }


def lines(repository: Repository) -> list[str]:
    """Return the tree as text: children below the Application that applies them, problems at the end."""
    children: dict[str, list[tuple[str, str]]] = {}
    for item in repository.sets:
        children.setdefault(item.parent, []).append(
            (item.name, f"{item.name}  (ApplicationSet, {_printable(item.file)})")
        )
    for app in repository.applications:
        children.setdefault(app.parent, []).append((app.name, _line(app)))
    names = {name for group in children.values() for name, _ in group}
    out: list[str] = []
    printed: set[tuple[str, str]] = set()

    def walk(parent: str, depth: int) -> None:
        for name, text in children.get(parent, ()):
            if (parent, text) not in printed and depth < 20:
                printed.add((parent, text))
                out.append("  " * depth + text)
                walk(name, depth + 1)

    walk("", 0)
    for parent in children:
        if parent not in names:
            walk(parent, 0)
    walk_rest = [text for group in children.items() for _, text in group[1] if (group[0], text) not in printed]
    out += walk_rest
    problems = [_problem(item) for item in repository.problems]
    return out + (["", "Problems:", *problems] if problems else [])


def _line(app: Application) -> str:
    sources = ", ".join(
        _source(source.path or ".", source.chart, source.revision, source.ref, source.local) for source in app.sources
    )
    namespace = f" → {app.namespace}" if app.namespace else ""
    return (
        f"{app.name}{namespace}  [{sources}]  ({_printable(app.file)})"
        if app.file
        else f"{app.name}{namespace}  [{sources}]"
    )


def _source(path: str, chart: str, revision: str, ref: str, local: bool) -> str:
    if chart:
        return f"chart {chart} {revision}".rstrip()
    return (f"${ref} " if ref else "") + _printable(path) + ("" if local else " elsewhere")


def _problem(item: Problem) -> str:
    location = _printable(item.file) + (f":{item.line}" if item.line else "")
    return f"  {location}: {item.message}" if location else f"  {item.message}"


def _printable(name: str) -> str:
    """Return a file name that cannot break the line in which it is printed."""
    return name if name.isprintable() else ascii(name)


if __name__ == "__main__":
    top = argparse.ArgumentParser()
    commands = top.add_subparsers(required=True)
    register(commands)
    chosen = top.parse_args(["apps", *sys.argv[1:]])
    sys.exit(chosen.handler(chosen))
