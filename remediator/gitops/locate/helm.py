"""Locate a field that a chart renders: the value behind it, and the text that gives that value.

The highest layer that sets the value wins in Helm, so it is the one to edit. Where no value reaches the field, the
chart's own template may write it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, YamlPath, depth, format_path, get, value_differences
from remediator.gitops.locate import canary, origin, overlay, template_text
from remediator.gitops.locate.value_candidates import typical_value
from remediator.gitops.model import Application, Located, Manifest
from remediator.gitops.render.helm_model import Release, ValuesLayer
from remediator.gitops.render.helm_render import user_values
from remediator.gitops.render.render import Renderer
from remediator.gitops.yamlread import UnreadableYaml

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def locate(repo: Checkout, app: Application, obj: Manifest, path: YamlPath) -> Located:
    """Return the place of the value behind the field, else of the template that writes it out."""
    release = repo.rendering(app).releases[obj.source]
    search = canary.CanarySearch(repo.renderer, release, obj, path)
    hits = search.find()
    if hits:
        return _of_hits(repo, app, release, hits)
    literal = _literal(repo, release, obj, path)
    if literal is not None:
        return literal
    words = "no value of the chart reaches" if search.sure else "without helm no value was found that reaches"
    reasons = [problem.message for problem in repo.problems_of(app) if release.static and problem.kind == "render"]
    return Located("unknown", reason="; ".join([*reasons, f"{words} {format_path(path)} of {obj.kind} {obj.name}"]))


def _of_hits(repo: Checkout, app: Application, release: Release, hits: list[canary.CanaryHit]) -> Located:
    places: list[Place] = []
    candidates: list[Place] = []
    for hit in hits:
        location = value_place(repo, app, release, hit)
        places += location.places
        candidates += location.candidates
        if not location.places:
            return location
    if all(place.exists for place in places):
        return Located("located", _distinct(places), tuple(candidates))
    existing = [place for place in places if place.exists]
    if existing:
        return Located("located", tuple(existing), (*candidates, *(place for place in places if not place.exists)))
    if len({(place.file, place.path) for place in places}) > 1:
        return Located("ambiguous", candidates=tuple(places), reason="several values of the chart could set it")
    return Located("insert", tuple(places[:1]), tuple(candidates))


def value_place(repo: Checkout, app: Application, release: Release, hit: canary.CanaryHit) -> Located:
    """Return the place of a value: the highest layer that has it, else the layer it is best added to."""
    notes = (f"the same value also sets {hit.elsewhere} other fields",) if hit.elsewhere else ()
    proof = "proved" if hit.sure else "read"
    for layer in reversed(release.layers):
        value = get(layer.data, hit.path)
        if value is MISSING or not layer.editable:
            continue
        if layer.kind == "parameter" and layer.under != hit.path:
            continue
        location = _layer_place(repo, app, layer, hit.path, value, True)
        places = tuple(
            place.model_copy(update={"proof": proof, "notes": (*place.notes, *notes)}) for place in location.places
        )
        own_places = _own_layer(repo, app, release, layer, hit.path) if layer.kind in ("default", "file") else ()
        return Located(location.status, places, own_places or location.candidates, location.reason)
    location = _addition(repo, app, release, hit.path)
    return Located(
        location.status,
        tuple(place.model_copy(update={"proof": proof, "notes": (*place.notes, *notes)}) for place in location.places),
        location.candidates,
        location.reason,
    )


def _layer_place(
    repo: Checkout, app: Application, layer: ValuesLayer, path: YamlPath, value: Any, exists: bool
) -> Located:
    why = {
        "default": "the chart's own values",
        "file": "value file",
        "parameter": "Helm parameter",
        "values": "inline values",
        "valuesObject": "inline values",
    }.get(layer.kind, layer.kind)
    current = None if value is MISSING else value
    if layer.kind == "parameter":
        target: YamlPath = layer.path
        path = ()
    else:
        target = layer.path if layer.inside else (*layer.path, *path)
    inside = path if layer.inside else ()
    if layer.file:
        return Located(
            "located" if exists else "insert",
            (
                Place(
                    file=layer.file,
                    document=layer.document,
                    path=target,
                    inside=inside,
                    value=current,
                    exists=exists,
                    why=why,
                ),
            ),
        )
    location = origin.place(repo, app, target, repo.locate, inside)
    places = tuple(
        place.model_copy(update={"why": f"{why} of the Application", "value": place.value if place.exists else None})
        for place in location.places
    )
    return Located(location.status, places, location.candidates, location.reason)


def _addition(repo: Checkout, app: Application, release: Release, path: YamlPath) -> Located:
    """Return the place to add a value.

    Among the layers that only this Application reads it is the one that reaches deepest; the later one where equal.
    """
    rated = []
    for order, layer in enumerate(release.layers):
        if not layer.editable or layer.kind in ("parameter", "fileParameter", "subchart"):
            continue
        other_readers = (
            [reader for reader in repo.feeds.values_readers(layer.file) if reader != app] if layer.file else []
        )
        reached = depth(layer.data, path)
        if not _may_add(layer.data, path, reached):
            continue
        rated.append(((bool(other_readers), -reached, -order), layer))
    if not rated:
        inline: YamlPath = (*release.source.pointer, "helm", "valuesObject")
        return _layer_place(repo, app, ValuesLayer("valuesObject", "", 0, inline, {}), path, MISSING, exists=False)
    rated.sort(key=lambda pair: pair[0])
    return _layer_place(repo, app, rated[0][1], path, MISSING, exists=False)


def _may_add(data: Any, path: YamlPath, reached: int) -> bool:
    """Return whether a key can be added: the deepest value on the way is a mapping or empty."""
    node = get(data, path[:reached])
    return node in (None, "", {}, []) or isinstance(node, (dict, list))


def _own_layer(
    repo: Checkout, app: Application, release: Release, shared: ValuesLayer, path: YamlPath
) -> tuple[Place, ...]:
    """Return the place in the Application's own values, read later, where the values of a layer feed others too."""
    if not any(reader != app for reader in repo.feeds.values_readers(shared.file)):
        return ()
    above = release.layers[release.layers.index(shared) + 1 :]
    layers = [layer for layer in above if layer.kind != "parameter"]
    location = _addition(
        repo, app, Release(app, release.source, release.chart, release.name, release.namespace, layers), path
    )
    return location.places


def _literal(repo: Checkout, release: Release, obj: Manifest, path: YamlPath) -> Located | None:
    """Locate a field that the chart's template writes out itself."""
    if not obj.file:
        return None
    try:
        data = repo.store.read(obj.file)
    except UnreadableYaml:
        return None
    position = template_text.find(data, obj, path)
    if position is None:
        return None
    value = get(obj.body, path)
    missing = value is MISSING
    words = "written in the chart's template" if not missing else "the chart's template, which writes what is around it"
    place = Place(
        file=obj.file,
        document=position[0],
        path=position[1],
        value=None if missing else value,
        exists=not missing,
        proof="read",
        why=words,
    )
    status: Literal["located", "insert"] = "insert" if missing else "located"
    changed = None if isinstance(value, (dict, list)) or not repo.tools.helm else _with_canary(data, place)
    if changed is None:
        return Located(status, (place,))
    files = repo.store.with_changes({obj.file: changed})
    renderer = Renderer(files, repo.layout, repo.tools, repo.cache)
    objects, _, _ = renderer.helm_objects(release, user_values(release.layers))
    counterpart = canary.same_object(obj, objects)
    if (
        counterpart is None
        or get(counterpart.body, path) is MISSING
        or not list(value_differences(obj.body, counterpart.body))
    ):
        return None
    return Located(status, (place if release.static else place.model_copy(update={"proof": "proved"}),))


def _with_canary(data: bytes, place: Place) -> bytes | None:
    from remediator import yamledit

    try:
        if place.exists:
            return yamledit.set(data, place.document, place.path, overlay.canary_value(place.value))
        return yamledit.insert(data, place.document, place.path, overlay.canary_value(typical_value(place.path)))
    except (yamledit.EditRefused, TypeError):
        return None


def _distinct(places: list[Place]) -> tuple[Place, ...]:
    """Return each place once; compared, since the value of one can be a list."""
    return tuple(place for index, place in enumerate(places) if place not in places[:index])
