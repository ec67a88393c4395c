"""Locate a field of an Application itself: in its document, a generator, or the source that renders it.

An Application has one author only: a document of its own, an ApplicationSet, or a chart or kustomization of a parent
Application. The field is written where that author writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, get, mappings
from remediator.gitops import yamlread
from remediator.gitops.locate import overlay
from remediator.gitops.model import Application, Located, Manifest, Origin
from remediator.gitops.tree.documents import child_manifest
from remediator.gitops.tree.generator_parameters import placeholder
from remediator.gitops.yamlread import UnreadableYaml

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout

LocateObject = Callable[[Application, Manifest, YamlPath], Located]


def place(repo: Checkout, app: Application, path: YamlPath, locate: LocateObject, inside: YamlPath = ()) -> Located:
    """Return the place of an Application's field; `inside` is a path in the YAML that the field holds as a string."""
    origin = app.origin
    if origin is None:
        return _in_document(repo, app, path, inside)
    if origin.kind == "generator":
        return _in_generator(repo, app, origin, path, locate, inside)
    if origin.kind == "values":
        return _in_values(repo, app, origin, path)
    manifest = child_manifest(app, repo.objects(origin.producer)) if origin.producer is not None else None
    if manifest is None or origin.producer is None:
        return _in_values(repo, app, origin, path)
    location = locate(origin.producer, manifest, path)
    if inside and location.places:
        return Located(
            location.status,
            tuple(item.model_copy(update={"inside": inside}) for item in location.places),
            location.candidates,
            location.reason,
        )
    return location


def _in_document(repo: Checkout, app: Application, path: YamlPath, inside: YamlPath) -> Located:
    item = app.body.get("\0item")
    prefix: YamlPath = ("items", item) if isinstance(item, int) else ()
    spot = Place(
        file=app.file, document=app.document, path=(*prefix, *path), inside=inside, why="the Application's own document"
    )
    value = _value(repo, spot)
    exists = value is not MISSING
    return Located(
        "located" if exists else "insert",
        (spot.model_copy(update={"value": value if exists else None, "exists": exists}),),
    )


def _value(repo: Checkout, spot: Place) -> object:
    try:
        return overlay.value_at(repo.store, spot)
    except UnreadableYaml:
        return MISSING


def _in_generator(
    repo: Checkout, app: Application, origin: Origin, path: YamlPath, locate: LocateObject, inside: YamlPath
) -> Located:
    siblings = tuple(
        sibling.name
        for sibling in repo.applications
        if sibling.parent == app.parent and sibling.file == app.file and sibling.name != app.name
    )
    text = get(origin.template, path)
    if origin.producer is not None:
        application_set = next(
            (
                item
                for item in repo.objects(origin.producer)
                if item.kind == "ApplicationSet" and item.name == app.parent
            ),
            None,
        )
        return (
            locate(origin.producer, application_set, (*origin.path, *path))
            if application_set
            else Located("unknown", reason="the ApplicationSet is rendered, and not found again")
        )
    template_place = Place(
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
                candidates=(template_place,),
                reason=f"{format_path(path)} comes from the ApplicationSet's templatePatch",
            )
        return Located("insert", (template_place.model_copy(update={"exists": False}),))
    if isinstance(text, str) and "{{" in text and not inside:
        name = placeholder(text)
        parameter_place = origin.parameters.get(name) if name else None
        if parameter_place is not None:
            return Located("located", (parameter_place,))
        return Located(
            "unknown",
            candidates=(template_place,),
            reason=f"{format_path(path)} is computed by the ApplicationSet's template: {text}",
        )
    value = _value(repo, template_place)
    return Located(
        "located" if value is not MISSING else "insert",
        (
            template_place.model_copy(
                update={"value": None if value is MISSING else value, "exists": value is not MISSING}
            ),
        ),
    )


def _in_values(repo: Checkout, app: Application, origin: Origin, path: YamlPath) -> Located:
    """Locate a field in the values of a chart that is not at hand: the key of the same name, else the one default of that name."""
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
    for tail in (path[1:], path[-1:]):
        value = get(item, tail)
        if value is not MISSING:
            return Located(
                "located",
                (
                    Place(
                        file=origin.file,
                        document=origin.document,
                        path=(*origin.path, *tail),
                        value=value,
                        proof="unproved",
                        why=why,
                    ),
                ),
            )
    defaults = (
        [
            (default_at, node[path[-1]])
            for default_at, node in mappings(body)
            if path[-1] in node and default_at[: len(origin.path) - 1] != origin.path[:-1]
        ]
        if path[0] == "spec"
        else []
    )
    if len(defaults) == 1:
        default_at, value = defaults[0]
        other_names = tuple(
            application.name
            for application in repo.applications
            if application.file == app.file and application.name != app.name
        )
        return Located(
            "located",
            (
                Place(
                    file=origin.file,
                    document=origin.document,
                    path=(*default_at, path[-1]),
                    value=value,
                    proof="unproved",
                    why=why,
                    also_feeds=other_names,
                ),
            ),
        )
    return Located("unknown", reason=f"{format_path(path)} is written by a chart that is not in this repository")
