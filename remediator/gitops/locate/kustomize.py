"""Locate a field in a kustomization: the text that wins, proved by building it with another value there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, get
from remediator.gitops import yamlread
from remediator.gitops.files import Files, kustomization_file
from remediator.gitops.locate import canary, origin, overlay, unproved
from remediator.gitops.locate.value_candidates import typical_value
from remediator.gitops.model import Application, Located, Manifest
from remediator.gitops.render import kustomize_trace
from remediator.gitops.render.kustomize_model import Tracked
from remediator.gitops.render.kustomize_trace import TracedText
from remediator.gitops.render.render import Renderer
from remediator.gitops.yamlread import UnreadableYaml

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def locate(repo: Checkout, app: Application, obj: Manifest, path: YamlPath) -> Located:
    """Return the place of the winning text, or the best one to add the field to."""
    item = obj.tracked
    if not isinstance(item, Tracked):
        return _of_chart(repo, app, obj, path)
    places: list[Place] = []
    for spot in kustomize_trace.trace(item, obj.body, path):
        place = _spot_place(repo, app, spot)
        if isinstance(place, Located):
            return place
        if spot.path == () and spot.file != "" and spot.value is None:
            return Located("located", (place,), reason=spot.why)
        proof = _proved(repo, app, obj, path, place)
        if proof is False:
            continue
        places.append(place.model_copy(update={"proof": "proved" if proof else "read"}))
        if spot.final:
            break
    if places:
        shared = any(reader != app for place in places for reader in repo.feeds.readers(place.file))
        return Located("located", tuple(places), _own_patch(repo, app) if shared else ())
    if get(obj.body, path) is not MISSING:
        return Located("unknown", reason=f"no text of the kustomization was found that sets {format_path(path)}")
    return _insertion(repo, app, obj, item, path)


def _of_chart(repo: Checkout, app: Application, obj: Manifest, path: YamlPath) -> Located:
    """Locate a field of a chart that the kustomization runs: a values key by name, proved where the chart is here."""
    location = unproved.locate(repo, app, obj, path)
    if not obj.body or not repo.tools.kustomize:
        return location
    proved = [place for place in location.places if _proved(repo, app, obj, path, place)]
    if not proved:
        words = f"{obj.kind} {obj.name} comes from a chart that the kustomization runs; no value was proved to reach it"
        return Located("unknown", candidates=location.places or location.candidates, reason=words)
    return Located(location.status, tuple(place.model_copy(update={"proof": "proved"}) for place in proved))


def _spot_place(repo: Checkout, app: Application, spot: TracedText) -> Place | Located:
    if spot.file:
        return spot.place()
    location = origin.place(repo, app, spot.path, repo.locate, spot.inside)
    if not location.places:
        return location
    return location.places[0].model_copy(update={"why": f"kustomize options of the Application, {spot.why}"})


def _proved(repo: Checkout, app: Application, obj: Manifest, path: YamlPath, place: Place) -> bool | None:
    """Return whether a canary at the place arrives in the field; None where no tool can tell."""
    like = place.value if place.value is not None else typical_value(path)
    literal = isinstance(like, str) and "=" in like and path[:1] == ("data",)
    value: Any = f"{like.partition('=')[0]}=canary0x" if literal else overlay.canary_value(like)
    if path == ("apiVersion",):  # the group is the object's identity
        value = f"{str(like).rpartition('/')[0]}/v1canary0x".lstrip("/")
    counterpart = _rendered_with(repo, app, obj, place, value)
    if counterpart is None:
        return None if not repo.tools.kustomize else False
    arrived = get(counterpart.body, path)
    expected = "canary0x" if literal else value
    if arrived is MISSING or (str(expected) not in str(arrived) and arrived != expected):
        return False
    return True if repo.tools.kustomize else None


def _rendered_with(repo: Checkout, app: Application, obj: Manifest, place: Place, value: Any) -> Manifest | None:
    """Return the object as it renders with the value at the place."""
    try:
        files = repo.store.with_changes(overlay.changed(repo.store, place, value))
    except UnreadableYaml:
        return None
    if place.file == app.file and app.origin is None:
        return _rendered_anew(repo, files, app, obj)
    renderer = Renderer(files, repo.layout, repo.tools, repo.cache)
    return canary.same_object(obj, renderer.rendering(app).manifests)


def _rendered_anew(repo: Checkout, files: Files, app: Application, obj: Manifest) -> Manifest | None:
    changed = type(repo)(files, repo.tools, repo.cache, repo.own_url, repo.charts)
    again = next((candidate for candidate in changed.applications if candidate.key == app.key), None)
    return canary.same_object(obj, changed.objects(again)) if again else None


def _insertion(repo: Checkout, app: Application, obj: Manifest, item: Tracked, path: YamlPath) -> Located:
    """Return the opening that reaches fewest other Applications, then the one that is nearest to the field."""
    rated = []
    for order, opening in enumerate(kustomize_trace.insertion_points(item, obj.body, path)):
        layer = opening.layer
        spot = kustomize_trace.traced_text(layer, opening.path, None, "nearest text that shapes this object")
        if not spot.file:
            continue
        other_readers = len([reader for reader in repo.feeds.readers(spot.file) if reader != app])
        names_kind = obj.kind.lower() in layer.file.rpartition("/")[2].lower()
        rated.append(
            (
                (other_readers > 0, -opening.depth, not names_kind, order),
                spot.place().model_copy(update={"exists": False}),
            )
        )
    rated.sort(key=lambda pair: pair[0])
    for _, place in rated:
        proof = _proved(repo, app, obj, path, place)
        if proof is not False:
            chosen = place.model_copy(update={"proof": "proved" if proof else "read"})
            shared = any(reader != app for reader in repo.feeds.readers(place.file))
            return Located("insert", (chosen,), _own_patch(repo, app) if shared else ())
    return Located(
        "unknown", candidates=_own_patch(repo, app), reason=f"no text of the kustomization takes {format_path(path)}"
    )


def _own_patch(repo: Checkout, app: Application) -> tuple[Place, ...]:
    """Return the place of a new patch in the Application's own kustomization, which no other Application reads."""
    source = next(
        (source for source in app.sources if source.local and kustomization_file(repo.store, source.path)), None
    )
    name = kustomization_file(repo.store, source.path) if source else None
    if name is None or any(reader != app for reader in repo.feeds.readers(name)):
        return ()
    body = yamlread.documents(repo.store.read(name))
    patches = (body[0] or {}).get("patches") if body else None
    return (
        Place(
            file=name,
            path=("patches", len(patches) if isinstance(patches, list) else 0),
            exists=False,
            proof="read",
            why="a new patch in the overlay that only this Application uses",
        ),
    )
