"""`remediator check`: contradictions in the rendered objects, without an incident."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from remediator.gitops import Application, Repository
    from remediator.judgement.relations.broken import Broken

CONTRADICTIONS = 3
"""The exit code where something cannot be right: a person decides."""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "check",
        help="find contradictions in what Argo CD would apply",
        description="Ports that nobody declares, selectors without pods, names that do not exist: what cannot be right "
        "in the rendered objects. Exits with 3 where something is found. Nothing is changed.",
    )
    parser.add_argument("--repo", type=Path, default=Path(), metavar="DIR", help="checkout to read (default: here)")
    parser.add_argument(
        "--application", default="", metavar="NAME", help="check this Application and its namespace only"
    )
    parser.add_argument("--json", action="store_true", help="one JSON array on standard output")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print the contradictions; return 3 where there is one."""
    from remediator.commands.shared import open_repository
    from remediator.judgement.relations.registry import broken
    from remediator.judgement.world import World

    repository = open_repository(args.repo)
    applications = _applications(repository, args.application)
    contradictions = _distinct(list(broken(World(repository, applications, most=len(repository.applications)))))
    if args.json:
        print(json.dumps([document(item) for item in contradictions], ensure_ascii=True, default=str))
    else:
        print("\n".join(lines(contradictions, len(applications))))
    return CONTRADICTIONS if contradictions else 0


def _applications(repository: Repository, name: str) -> Sequence[Application]:
    if not repository.applications:
        raise ConfigError("no Argo CD Application was found: there is nothing to check", file=str(repository.root))
    if not name:
        return repository.applications
    application = repository.application(name)
    if application is None:
        raise ConfigError(f"there is no Application {name}; `remediator apps` lists them", file=str(repository.root))
    return (application,)


def _distinct(contradictions: list[Broken]) -> list[Broken]:
    """Drop what a shared text says once for each Application that it feeds."""
    by_place: dict[tuple[Any, ...], Broken] = {}
    for item in contradictions:
        place = (item.relation, item.at.manifest.file, item.at.manifest.document, item.at.kind, item.at.name, item.path)
        by_place.setdefault(place, item)
    return list(by_place.values())


def document(item: Broken) -> dict[str, Any]:
    """Return one contradiction as plain JSON."""
    from remediator.domain.yaml_paths import MISSING, format_path

    value = "absent" if item.value is MISSING else item.value
    return {
        "relation": item.relation,
        "application": item.at.application.name,
        "kind": item.at.kind,
        "name": item.at.name,
        "namespace": item.at.namespace,
        "file": item.at.manifest.file,
        "path": format_path(item.path),
        "message": item.message,
        "expected": value,
    }


def lines(contradictions: Sequence[Broken], applications: int) -> list[str]:
    """Return the contradictions for people, two lines each."""
    from remediator.domain.yaml_paths import MISSING, format_path

    if not contradictions:
        return [f"✓ no contradiction in {applications} Application{'s' if applications != 1 else ''}"]
    output = []
    for item in contradictions:
        expected = "" if item.value is None else " → absent" if item.value is MISSING else f" → {item.value}"
        output.append(f"! {item.message}")
        output.append(
            f"  {item.at.manifest.file or item.at.application.name}  {format_path(item.path)}{expected}  ({item.relation})"
        )
    return output
