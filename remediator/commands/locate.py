"""`remediator locate`: which file and path control a field."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remediator.domain.change import Place
    from remediator.gitops import Application, Located, Manifest, Match, Repository


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "locate",
        help="which file and path control a field of a workload or Application",
        description="Which file and path of the repository control a field; proved by rendering where helm and kustomize are at hand.",
        epilog="FIELD: image, replicas, resources.limits.memory, env.NAME, livenessProbe.httpGet.path …, any path such as"
        " spec.selector.app, and of an Application targetRevision, chartVersion, path, repoURL. Ends with 3 where it cannot tell.",
    )
    parser.add_argument(
        "--repo", type=Path, default=Path(), metavar="DIR", help="checkout to read (default: the current directory)"
    )
    parser.add_argument("--application", default="", metavar="A", help="name of the Argo CD Application")
    parser.add_argument("--namespace", default="", metavar="N", help="namespace the workload runs in")
    parser.add_argument(
        "--workload", default="", metavar="KIND/NAME", help="Deployment/web, or a pod's name with its hashes"
    )
    parser.add_argument("--container", default="", metavar="C", help="container (default: the only one)")
    parser.add_argument("--field", required=True, metavar="FIELD", help="the field wanted")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print the answer; return 3 where a person must decide."""
    from remediator.commands.shared import open_repository

    repository = open_repository(args.repo)
    located, match = answer(repository, args)
    if args.json:
        print(json.dumps(document(repository, located, match), ensure_ascii=True, default=str))
    else:
        show(located, match)
    return 0 if located.status in ("located", "insert") else 3


def answer(repository: Repository, args: argparse.Namespace) -> tuple[Located, Match | Application | None]:
    """Return the place and the object that it belongs to; several objects that fit equally give no answer."""
    from remediator.domain.incident import Subject
    from remediator.gitops import Located

    kind, _, name = args.workload.rpartition("/")
    if not name:
        return _of_application(repository, args)
    subject = Subject(
        application=args.application, namespace=args.namespace, kind=kind, name=name, container=args.container
    )
    matches = repository.find(subject)
    if not matches and args.namespace and args.application:
        matches = repository.find(subject.model_copy(update={"namespace": ""}))
    if not matches:
        return Located("unknown", reason=f"no Application in this repository applies {args.workload}"), None
    best = [match for match in matches if match.score == matches[0].score]
    answers = [
        (repository.locate_field(match.application, args.field, match.manifest, args.container), match)
        for match in best[:6]
    ]
    different = {
        tuple((place.file, place.document, place.path, place.inside) for place in located.places)
        for located, _ in answers
    }
    if len(best) > 6 or len(different) > 1:
        names = ", ".join(
            f"{match.manifest.kind} {match.manifest.name} of {match.application.name}" for match in best[:6]
        )
        places = tuple(place for located, _ in answers for place in located.places)
        return Located("ambiguous", candidates=places, reason=f"several objects fit: {names}"), best[0]
    return answers[0]


def _of_application(repository: Repository, args: argparse.Namespace) -> tuple[Located, Application | None]:
    from remediator.errors import ConfigError
    from remediator.gitops import Located

    if not args.application:
        raise ConfigError("give --workload KIND/NAME, or --application for a field of the Application itself")
    apps = [
        app for app in repository.applications if app.name == args.application and args.namespace in ("", app.namespace)
    ]
    apps = apps or [app for app in [repository.application(args.application)] if app is not None]
    if not apps:
        return Located("unknown", reason=f"no Application {args.application} in this repository"), None
    answers = [(repository.locate_field(app, args.field), app) for app in apps]
    if len({tuple((place.file, place.document, place.path) for place in located.places) for located, _ in answers}) > 1:
        places = tuple(place for located, _ in answers for place in located.places)
        return Located(
            "ambiguous", candidates=places, reason=f"{len(apps)} Applications are named {args.application}"
        ), apps[0]
    return answers[0]


def document(repository: Repository, located: Located, match: Match | Application | None) -> dict[str, Any]:
    """Return the answer as JSON: status, places, reason, and the object that they belong to."""
    result: dict[str, Any] = {
        "status": located.status,
        "places": [_place(place) for place in located.places],
        "reason": located.reason,
        "candidates": [_place(place) for place in located.candidates],
    }
    app, manifest = _subject(match)
    if app is not None:
        base = repository.base_of(app)
        result |= {"application": app.name, "base": {"name": base.name, "pinned": base.pinned, "why": base.why}}
    if manifest is not None:
        result |= {"object": {"kind": manifest.kind, "name": manifest.name, "namespace": manifest.namespace}}
    return result


def _subject(match: Match | Application | None) -> tuple[Application | None, Manifest | None]:
    from remediator.gitops import Match

    return (match.application, match.manifest) if isinstance(match, Match) else (match, None)


def _place(place: Place) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in place.model_dump().items()}


def show(located: Located, match: Match | Application | None) -> None:
    """Print the answer for people."""
    from remediator.domain.yaml_paths import format_path

    app, manifest = _subject(match)
    if app is not None:
        print(f"Application {app.name}" + (f", {manifest.kind} {manifest.name}" if manifest is not None else ""))
    words = {
        "located": "stands in",
        "insert": "is to be added to",
        "ambiguous": "could stand in",
        "unknown": "cannot tell",
    }
    print(words[located.status] + (f": {located.reason}" if located.reason else ""))
    for place in located.places or located.candidates:
        path = format_path(place.path) + (f" → {format_path(place.inside)}" if place.inside else "")
        value = f" = {json.dumps(place.value, default=str)}" if place.exists else ""
        file = place.file if place.file.isprintable() else ascii(place.file)
        document = f" [document {place.document}]" if place.document else ""
        print(f"  {file}{document} {path}{value}  ({place.proof}: {place.why})")
        if place.also_feeds:
            print(f"    also feeds {', '.join(place.also_feeds)}")
        for note in place.notes:
            print(f"    {note}")


if __name__ == "__main__":
    top = argparse.ArgumentParser()
    commands = top.add_subparsers(required=True)
    register(commands)
    chosen = top.parse_args(["locate", *sys.argv[1:]])
    sys.exit(chosen.handler(chosen))
