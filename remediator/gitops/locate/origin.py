"""Where a field of an Application itself is written: in its document, a generator, or what renders it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, get, mappings
from remediator.gitops import yamlread
from remediator.gitops.locate import overlay
from remediator.gitops.model import Application, Located, Manifest, Origin
from remediator.gitops.tree.generators import placeholder
from remediator.gitops.tree.tree import child_manifest
from remediator.gitops.yamlread import UnreadableYaml

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout

LocateObject = Callable[[Application, Manifest, YamlPath], Located]


def place(repo: Checkout, app: Application, path: YamlPath, locate: LocateObject, inside: YamlPath = ()) -> Located:
    """The place of an Application's field; `inside` is a path in the YAML that the field holds as a string."""
    origin = app.origin
    if origin is None:
        return _in_document(repo, app, path, inside)
    if origin.kind == "generator":
        return _in_generator(repo, app, origin, path, locate, inside)
    if origin.kind == "values":
        return _in_values(repo, app, origin, path)
    made = child_manifest(app, repo.objects(origin.producer)) if origin.producer is not None else None
    if made is None or origin.producer is None:
        return _in_values(repo, app, origin, path)
    found = locate(origin.producer, made, path)
    if inside and found.places:
        return Located(
            found.status,
            tuple(item.model_copy(update={"inside": inside}) for item in found.places),
            found.candidates,
            found.reason,
        )
    return found


def _in_document(repo: Checkout, app: Application, path: YamlPath, inside: YamlPath) -> Located:
    item = app.body.get("\0item")
    prefix: YamlPath = ("items", item) if isinstance(item, int) else ()
    found = Place(
        file=app.file, document=app.document, path=(*prefix, *path), inside=inside, why="the Application's own document"
    )
    value = _value(repo, found)
    exists = value is not MISSING
    return Located(
        "located" if exists else "insert",
        (found.model_copy(update={"value": value if exists else None, "exists": exists}),),
    )


def _value(repo: Checkout, found: Place) -> object:
    try:
        return overlay.value_at(repo.store, found)
    except UnreadableYaml:
        return MISSING


def _in_generator(
    repo: Checkout, app: Application, origin: Origin, path: YamlPath, locate: LocateObject, inside: YamlPath
) -> Located:
    siblings = tuple(
        other.name
        for other in repo.applications
        if other.parent == app.parent and other.file == app.file and other.name != app.name
    )
    text = get(origin.template, path)
    if origin.producer is not None:
        made = next(
            (
                item
                for item in repo.objects(origin.producer)
                if item.kind == "ApplicationSet" and item.name == app.parent
            ),
            None,
        )
        return (
            locate(origin.producer, made, (*origin.path, *path))
            if made
            else Located("unknown", reason="the ApplicationSet is rendered, and not found again")
        )
    whole = Place(
        file=origin.file,
        document=origin.document,
        path=(*origin.path, *path),
        inside=inside,
        proof="read",
        why="template of the ApplicationSet",
        also_feeds=siblings,
    )
    if text is MISSING:
        if get(app.body, path) is not MISSING:
            return Located(
                "unknown",
                candidates=(whole,),
                reason=f"{format_path(path)} comes from the ApplicationSet's templatePatch",
            )
        return Located("insert", (whole.model_copy(update={"exists": False}),))
    if isinstance(text, str) and "{{" in text and not inside:
        name = placeholder(text)
        written = origin.parameters.get(name) if name else None
        if written is not None:
            return Located("located", (written,))
        return Located(
            "unknown",
            candidates=(whole,),
            reason=f"{format_path(path)} is computed by the ApplicationSet's template: {text}",
        )
    value = _value(repo, whole)
    return Located(
        "located" if value is not MISSING else "insert",
        (whole.model_copy(update={"value": None if value is MISSING else value, "exists": value is not MISSING}),),
    )


def _in_values(repo: Checkout, app: Application, origin: Origin, path: YamlPath) -> Located:
    """The values of a chart that is not at hand: the key of the same name, else the one default of that name."""
    try:
        documents = yamlread.documents(repo.read(origin.file))
    except UnreadableYaml as error:
        return Located("unknown", reason=error.message)
    body = documents[origin.document] if origin.document < len(documents) else None
    if origin.inside:
        return Located(
            "unknown", reason="the Application stands in values inside another Application; its chart is not at hand"
        )
    item = get(body, origin.path)
    why = "values of a chart that is not at hand"
    for rest in (path[1:], path[-1:]):
        value = get(item, rest)
        if value is not MISSING:
            return Located(
                "located",
                (
                    Place(
                        file=origin.file,
                        document=origin.document,
                        path=(*origin.path, *rest),
                        value=value,
                        proof="unproved",
                        why=why,
                    ),
                ),
            )
    defaults = (
        [
            (where, node[path[-1]])
            for where, node in mappings(body)
            if path[-1] in node and where[: len(origin.path) - 1] != origin.path[:-1]
        ]
        if path[0] == "spec"
        else []
    )
    if len(defaults) == 1:
        where, value = defaults[0]
        others = tuple(other.name for other in repo.applications if other.file == app.file and other.name != app.name)
        return Located(
            "located",
            (
                Place(
                    file=origin.file,
                    document=origin.document,
                    path=(*where, path[-1]),
                    value=value,
                    proof="unproved",
                    why=why,
                    also_feeds=others,
                ),
            ),
        )
    return Located("unknown", reason=f"{format_path(path)} is written by a chart that is not in this repository")
