"""Locate a field that a chart renders: the value behind it, and the text that gives that value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, YamlPath, depth, differing, format_path, get
from remediator.gitops.locate import canary, origin, overlay, template_text
from remediator.gitops.locate.value_candidates import typical_value
from remediator.gitops.model import Application, Located, Manifest
from remediator.gitops.render.helm import Release, ValuesLayer
from remediator.gitops.render.helm_render import user_values
from remediator.gitops.render.render import Renderer
from remediator.gitops.yamlread import UnreadableYaml

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def locate(repo: Checkout, app: Application, obj: Manifest, path: YamlPath) -> Located:
    """The value behind the field, else the template that writes it out."""
    release = repo.rendering(app).releases[obj.source]
    prober = canary.CanarySearch(repo.renderer, release, obj, path)
    hits = prober.find()
    if hits:
        return _of_hits(repo, app, release, hits)
    written = _literal(repo, release, obj, path)
    if written is not None:
        return written
    words = "no value of the chart reaches" if prober.sure else "without helm no value was found that reaches"
    return Located("unknown", reason=f"{words} {format_path(path)} of {obj.kind} {obj.name}")


def _of_hits(repo: Checkout, app: Application, release: Release, hits: list[canary.CanaryHit]) -> Located:
    places: list[Place] = []
    candidates: list[Place] = []
    for hit in hits:
        found = value_place(repo, app, release, hit)
        places += found.places
        candidates += found.candidates
        if not found.places:
            return found
    if all(place.exists for place in places):
        return Located("located", _distinct(places), tuple(candidates))
    standing = [place for place in places if place.exists]
    if standing:
        return Located("located", tuple(standing), (*candidates, *(place for place in places if not place.exists)))
    if len({(place.file, place.path) for place in places}) > 1:
        return Located("ambiguous", candidates=tuple(places), reason="several values of the chart could set it")
    return Located("insert", tuple(places[:1]), tuple(candidates))


def value_place(repo: Checkout, app: Application, release: Release, hit: canary.CanaryHit) -> Located:
    """Where a value is written: the highest layer that has it, else the layer it is best added to."""
    notes = (f"the same value also sets {hit.elsewhere} other fields",) if hit.elsewhere else ()
    proof = "proved" if hit.sure else "read"
    for layer in reversed(release.layers):
        value = get(layer.data, hit.path)
        if value is MISSING or not layer.editable:
            continue
        if layer.kind == "parameter" and layer.under != hit.path:
            continue
        found = _layer_place(repo, app, layer, hit.path, value, True)
        places = tuple(
            place.model_copy(update={"proof": proof, "notes": (*place.notes, *notes)}) for place in found.places
        )
        own = _own_layer(repo, app, release, layer, hit.path) if layer.kind == "default" else ()
        return Located(found.status, places, own or found.candidates, found.reason)
    found = _addition(repo, app, release, hit.path)
    return Located(
        found.status,
        tuple(place.model_copy(update={"proof": proof, "notes": (*place.notes, *notes)}) for place in found.places),
        found.candidates,
        found.reason,
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
    shown = None if value is MISSING else value
    if layer.kind == "parameter":
        here: YamlPath = layer.path
        path = ()
    else:
        here = layer.path if layer.inside else (*layer.path, *path)
    inside = path if layer.inside else ()
    if layer.file:
        return Located(
            "located" if exists else "insert",
            (
                Place(
                    file=layer.file,
                    document=layer.document,
                    path=here,
                    inside=inside,
                    value=shown,
                    exists=exists,
                    why=why,
                ),
            ),
        )
    found = origin.place(repo, app, here, repo.locate, inside)
    places = tuple(
        place.model_copy(update={"why": f"{why} of the Application", "value": place.value if place.exists else None})
        for place in found.places
    )
    return Located(found.status, places, found.candidates, found.reason)


def _addition(repo: Checkout, app: Application, release: Release, path: YamlPath) -> Located:
    """Among the layers that only this Application reads, the one that reaches deepest; the later one where equal."""
    rated = []
    for order, layer in enumerate(release.layers):
        if not layer.editable or layer.kind in ("parameter", "fileParameter", "subchart"):
            continue
        others = [other for other in repo.feeds.values_readers(layer.file) if other != app] if layer.file else []
        reached = depth(layer.data, path)
        if not _may_add(layer.data, path, reached):
            continue
        rated.append(((bool(others), -reached, -order), layer))
    if not rated:
        inline: YamlPath = (*release.source.pointer, "helm", "valuesObject")
        return _layer_place(repo, app, ValuesLayer("valuesObject", "", 0, inline, {}), path, MISSING, exists=False)
    rated.sort(key=lambda pair: pair[0])
    return _layer_place(repo, app, rated[0][1], path, MISSING, exists=False)


def _may_add(data: Any, path: YamlPath, reached: int) -> bool:
    """A key can be added where the deepest value on the way is a mapping or empty."""
    node = get(data, path[:reached])
    return node in (None, "", {}, []) or isinstance(node, (dict, list))


def _own_layer(
    repo: Checkout, app: Application, release: Release, default: ValuesLayer, path: YamlPath
) -> tuple[Place, ...]:
    """The Application's own value file, where the chart's values feed others too."""
    if not any(other != app for other in repo.feeds.values_readers(default.file)):
        return ()
    rest = [layer for layer in release.layers if layer is not default and layer.kind != "parameter"]
    found = _addition(
        repo, app, Release(app, release.source, release.chart, release.name, release.namespace, rest), path
    )
    return found.places


def _literal(repo: Checkout, release: Release, obj: Manifest, path: YamlPath) -> Located | None:
    """A field that the chart's template writes out itself."""
    if not obj.file:
        return None
    try:
        data = repo.store.read(obj.file)
    except UnreadableYaml:
        return None
    found = template_text.find(data, obj, path)
    if found is None:
        return None
    value = get(obj.body, path)
    missing = value is MISSING
    words = "written in the chart's template" if not missing else "the chart's template, which writes what is around it"
    place = Place(
        file=obj.file,
        document=found[0],
        path=found[1],
        value=None if missing else value,
        exists=not missing,
        proof="read",
        why=words,
    )
    status: Literal["located", "insert"] = "insert" if missing else "located"
    changed = None if isinstance(value, (dict, list)) or not repo.tools.helm else _spliced(data, place)
    if changed is None:
        return Located(status, (place,))
    files = repo.store.with_changes({obj.file: changed})
    renderer = Renderer(files, repo.layout, repo.tools, repo.cache)
    objects, _, _ = renderer.helm_objects(release, user_values(release.layers))
    made = canary.same_object(obj, objects)
    if made is None or get(made.body, path) is MISSING or not list(differing(obj.body, made.body)):
        return None
    return Located(status, (place.model_copy(update={"proof": "proved"}),))


def _spliced(data: bytes, place: Place) -> bytes | None:
    from remediator import yamledit

    try:
        if place.exists:
            return yamledit.set(data, place.document, place.path, overlay.canary_value(place.value))
        return yamledit.insert(data, place.document, place.path, overlay.canary_value(typical_value(place.path)))
    except (yamledit.EditRefused, TypeError):
        return None


def _distinct(places: list[Place]) -> tuple[Place, ...]:
    """Each place once; compared, since the value of one can be a list."""
    return tuple(place for index, place in enumerate(places) if place not in places[:index])
