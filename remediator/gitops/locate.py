"""Which place in the repository controls a field of a rendered object: found by origin, proved by rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.domain.change import Place, YamlPath
from remediator.gitops import conventions, helm_locate, kustomize_trace, origin, overlay, owners, template_text
from remediator.gitops.fields import container_field
from remediator.gitops.files import join
from remediator.gitops.helm import Layer, Release, chart_name
from remediator.gitops.helm_render import user_values
from remediator.gitops.kustomize import Tracked
from remediator.gitops.kustomize_trace import Spot
from remediator.gitops.model import Application, Located, Manifest
from remediator.gitops.paths import MISSING, depth, differing, dotted, get, resolve
from remediator.gitops.render import Renderer
from remediator.gitops.yamlread import Unreadable

if TYPE_CHECKING:
    from remediator.gitops.repository import Repository


def locate(repo: Repository, app: Application, obj: Manifest, path: YamlPath) -> Located:
    """Where the field stands, or where it must be inserted; whoever else owns or shares it is said."""
    rendering = repo.rendering(app)
    path = resolve(obj.body, path)
    kind = rendering.types[obj.source] if obj.source < len(rendering.types) else "missing"
    if obj.tracked == "unseen" or kind == "remote":
        found = _unproved(repo, app, obj, path)
    elif kind == "directory":
        found = _plain(obj, path)
    elif kind == "kustomize":
        found = _kustomize(repo, app, obj, path)
    elif kind == "helm":
        found = _helm(repo, app, obj, path)
    else:
        reasons = [problem.message for problem in rendering.problems] or ["its source cannot be followed"]
        found = Located("unknown", reason="; ".join(reasons))
    return _told(repo, app, obj, path, found)


def _told(repo: Repository, app: Application, obj: Manifest, path: YamlPath, found: Located) -> Located:
    """Add who else reads the places' files and who else owns the field."""
    said = tuple(dict.fromkeys(owners.notes(app, obj, path, repo.objects(app))))
    places = tuple(_shared(repo, app, place, said) for place in found.places)
    candidates = tuple(_shared(repo, app, place, ()) for place in found.candidates)
    return Located(found.status, places, candidates, found.reason)


def _shared(repo: Repository, app: Application, place: Place, said: tuple[str, ...]) -> Place:
    readers = repo.feeds.values_readers(place.file)
    others = [other.name for other in readers if other != app]
    names = tuple(dict.fromkeys([*place.also_feeds, *others]))
    return place.model_copy(update={"also_feeds": names, "notes": (*place.notes, *said)})


def _plain(obj: Manifest, path: YamlPath) -> Located:
    prefix = obj.tracked if isinstance(obj.tracked, tuple) else ()
    value = get(obj.body, path)
    place = Place(file=obj.file, document=obj.document, path=(*prefix, *path), value=None if value is MISSING else value, exists=value is not MISSING, why="the manifest itself")
    return Located("insert" if value is MISSING else "located", (place,))


# Kustomize


def _kustomize(repo: Repository, app: Application, obj: Manifest, path: YamlPath) -> Located:
    item = obj.tracked
    if not isinstance(item, Tracked):
        return Located("unknown", reason=f"{obj.kind} {obj.name} comes from a chart or generator that the kustomization runs")
    places: list[Place] = []
    for spot in kustomize_trace.trace(item, obj.body, path):
        place = _spot_place(repo, app, obj, spot)
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
        return Located("located", tuple(places))
    if get(obj.body, path) is not MISSING:
        return Located("unknown", reason=f"no text of the kustomization was found that sets {dotted(path)}")
    return _insertion(repo, app, obj, item, path)


def _spot_place(repo: Repository, app: Application, obj: Manifest, spot: Spot) -> Place | Located:
    if spot.file:
        return Place(file=spot.file, document=spot.document, path=spot.path, inside=spot.inside, value=spot.value, proof="read", why=spot.why)
    found = origin.place(repo, app, spot.path, repo.locate, spot.inside)
    if not found.places:
        return found
    return found.places[0].model_copy(update={"why": f"kustomize options of the Application, {spot.why}"})


def _proved(repo: Repository, app: Application, obj: Manifest, path: YamlPath, place: Place) -> bool | None:
    """Whether a canary at the place arrives in the field; None where no tool can tell."""
    like = place.value if place.value is not None else helm_locate.likely(path)
    literal = isinstance(like, str) and "=" in like and path[:1] == ("data",)
    value: Any = f"{like.partition('=')[0]}=canary0x" if literal else overlay.canary(like)
    made = _with(repo, app, obj, place, value)
    if made is None:
        return None if not repo.tools.kustomize else False
    arrived = get(made.body, path)
    expected = "canary0x" if literal else value
    if arrived is MISSING or (str(expected) not in str(arrived) and arrived != expected):
        return False
    return True if repo.tools.kustomize else None


def _with(repo: Repository, app: Application, obj: Manifest, place: Place, value: Any) -> Manifest | None:
    """The object as it renders with the value at the place."""
    try:
        files = repo.store.with_changes(overlay.changed(repo.store, place, value))
    except Unreadable:
        return None
    if place.file == app.file and app.origin is None:
        return _reread(repo, files, app, obj)
    renderer = Renderer(files, repo.layout, repo.tools, repo.cache)
    return helm_locate.same(obj, renderer.rendering(app).manifests)


def _reread(repo: Repository, files: Any, app: Application, obj: Manifest) -> Manifest | None:
    changed = type(repo)(files, repo.tools, repo.cache, repo.own_url)
    again = next((other for other in changed.applications if other.key == app.key), None)
    return helm_locate.same(obj, changed.objects(again)) if again else None


def _insertion(repo: Repository, app: Application, obj: Manifest, item: Tracked, path: YamlPath) -> Located:
    """The opening that reaches fewest other Applications, then the one that is nearest to the field."""
    rated = []
    for order, opening in enumerate(kustomize_trace.openings(item, obj.body, path)):
        layer = opening.layer
        spot = kustomize_trace.spot(layer, opening.path, None, "nearest text that shapes this object")
        if not spot.file:
            continue
        others = len([other for other in repo.feeds.of(spot.file) if other != app])
        named = obj.kind.lower() in layer.file.rpartition("/")[2].lower()
        rated.append(((others > 0, -opening.depth, not named, order), Place(file=spot.file, document=spot.document, path=spot.path, inside=spot.inside, exists=False, proof="read", why=spot.why)))
    rated.sort(key=lambda pair: pair[0])
    for _, place in rated:
        proof = _proved(repo, app, obj, path, place)
        if proof is not False:
            chosen = place.model_copy(update={"proof": "proved" if proof else "read"})
            shared = any(other != app for other in repo.feeds.of(place.file))
            return Located("insert", (chosen,), _own_patch(repo, app) if shared else ())
    return Located("unknown", candidates=_own_patch(repo, app), reason=f"no text of the kustomization takes {dotted(path)}")


def _own_patch(repo: Repository, app: Application) -> tuple[Place, ...]:
    """A new patch in the Application's own kustomization, which no other Application reads."""
    from remediator.gitops import yamlread
    from remediator.gitops.kustomize import kustomization_file

    source = next((source for source in app.sources if source.local and kustomization_file(repo.store, source.path)), None)
    name = kustomization_file(repo.store, source.path) if source else None
    if name is None or any(other != app for other in repo.feeds.of(name)):
        return ()
    body = yamlread.documents(repo.store.read(name))
    patches = (body[0] or {}).get("patches") if body else None
    return (Place(file=name, path=("patches", len(patches) if isinstance(patches, list) else 0), exists=False, proof="read", why="a new patch in the overlay that only this Application uses"),)


# Helm


def _helm(repo: Repository, app: Application, obj: Manifest, path: YamlPath) -> Located:
    release = repo.rendering(app).releases[obj.source]
    prober = helm_locate.Prober(repo.renderer, release, obj, path)
    hits = prober.find()
    if hits:
        return _of_hits(repo, app, release, prober, hits)
    written = _literal(repo, app, release, obj, path)
    if written is not None:
        return written
    words = "no value of the chart reaches" if prober.sure else "without helm no value was found that reaches"
    return Located("unknown", reason=f"{words} {dotted(path)} of {obj.kind} {obj.name}")


def _of_hits(repo: Repository, app: Application, release: Release, prober: helm_locate.Prober, hits: list[helm_locate.Hit]) -> Located:
    places: list[Place] = []
    candidates: list[Place] = []
    for hit in hits:
        found = _value_place(repo, app, release, hit)
        places += found.places
        candidates += found.candidates
        if not found.places:
            return found
    if all(place.exists for place in places):
        return Located("located", tuple(dict.fromkeys(places)), tuple(candidates))
    standing = [place for place in places if place.exists]
    if standing:
        return Located("located", tuple(standing), tuple([*candidates, *[place for place in places if not place.exists]]))
    if len({(place.file, place.path) for place in places}) > 1:
        return Located("ambiguous", candidates=tuple(places), reason="several values of the chart could set it")
    return Located("insert", tuple(places[:1]), tuple(candidates))


def _value_place(repo: Repository, app: Application, release: Release, hit: helm_locate.Hit) -> Located:
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
        places = tuple(place.model_copy(update={"proof": proof, "notes": (*place.notes, *notes)}) for place in found.places)
        own = _own_layer(repo, app, release, layer, hit.path) if layer.kind == "default" else ()
        return Located(found.status, places, own or found.candidates, found.reason)
    found = _addition(repo, app, release, hit.path)
    return Located(found.status, tuple(place.model_copy(update={"proof": proof, "notes": (*place.notes, *notes)}) for place in found.places), found.candidates, found.reason)


def _layer_place(repo: Repository, app: Application, layer: Layer, path: YamlPath, value: Any, exists: bool) -> Located:
    why = {"default": "the chart's own values", "file": "value file", "parameter": "Helm parameter", "values": "inline values", "valuesObject": "inline values"}.get(layer.kind, layer.kind)
    shown = None if value is MISSING else value
    if layer.kind == "parameter":
        here: YamlPath = layer.path
        path = ()
    else:
        here = layer.path if layer.inside else (*layer.path, *path)
    inside = path if layer.inside else ()
    if layer.file:
        return Located("located" if exists else "insert", (Place(file=layer.file, document=layer.document, path=here, inside=inside, value=shown, exists=exists, why=why),))
    found = origin.place(repo, app, here, repo.locate, inside)
    places = tuple(place.model_copy(update={"why": f"{why} of the Application", "value": place.value if place.exists else None}) for place in found.places)
    return Located(found.status, places, found.candidates, found.reason)


def _addition(repo: Repository, app: Application, release: Release, path: YamlPath) -> Located:
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
        return Located("unknown", reason="the Application has no value file to which this could be added")
    rated.sort(key=lambda pair: pair[0])
    return _layer_place(repo, app, rated[0][1], path, MISSING, False)


def _may_add(data: Any, path: YamlPath, reached: int) -> bool:
    """A key can be added where the deepest value on the way is a mapping or empty."""
    node = get(data, path[:reached])
    return node in (None, "", {}, []) or isinstance(node, (dict, list))


def _own_layer(repo: Repository, app: Application, release: Release, default: Layer, path: YamlPath) -> tuple[Place, ...]:
    """The Application's own value file, where the chart's values feed others too."""
    if not any(other != app for other in repo.feeds.values_readers(default.file)):
        return ()
    rest = [layer for layer in release.layers if layer is not default and layer.kind != "parameter"]
    found = _addition(repo, app, Release(app, release.source, release.chart, release.name, release.namespace, rest), path)
    return found.places


def _literal(repo: Repository, app: Application, release: Release, obj: Manifest, path: YamlPath) -> Located | None:
    """A field that the chart's template writes out itself."""
    if not obj.file:
        return None
    try:
        data = repo.store.read(obj.file)
    except Unreadable:
        return None
    found = template_text.find(data, obj, path)
    if found is None:
        return None
    value = get(obj.body, path)
    place = Place(file=obj.file, document=found[0], path=found[1], value=value, proof="read", why="written in the chart's template")
    if isinstance(value, (dict, list)) or not repo.tools.helm:
        return Located("located", (place,))
    changed = _spliced(data, place)
    if changed is None:
        return Located("located", (place,))
    files = repo.store.with_changes({obj.file: changed})
    renderer = Renderer(files, repo.layout, repo.tools, repo.cache)
    objects, _, _ = renderer.helm_objects(release, user_values(release.layers))
    made = helm_locate.same(obj, objects)
    if made is None or not list(differing(get(obj.body, path), get(made.body, path))):
        return None
    return Located("located", (place.model_copy(update={"proof": "proved"}),))


def _spliced(data: bytes, place: Place) -> bytes | None:
    from remediator import yamledit

    try:
        return yamledit.set(data, place.document, place.path, overlay.canary(place.value))
    except (yamledit.EditRefused, TypeError):
        return None


# Charts that are not at hand


def _unproved(repo: Repository, app: Application, obj: Manifest, path: YamlPath) -> Located:
    """An existing values key that by convention means the field; said to be unproved."""
    release = repo.rendering(app).releases.get(obj.source) or next(iter(repo.rendering(app).releases.values()), None)
    if release is None:
        return Located("unknown", reason="; ".join(problem.message for problem in repo.problems_of(app)) or "nothing is known of its source")
    container, field = container_field(obj, path)
    charts = _charts(repo, release)
    ranked: list[tuple[float, bool, YamlPath]] = []
    values = helm_locate.merged(release.layers) if release.chart else user_values(release.layers)
    for prefix, chart in charts:
        for guess in conventions.guesses(get(values, prefix) if prefix else values, workload=obj.name, container=container, release=release.name, chart=chart, field=field):
            ranked.append((guess.score, guess.exists, (*prefix, *guess.path)))
    where = "; ".join(problem.message for problem in repo.problems_of(app) if problem.kind == "remote")
    if not ranked:
        return Located("unknown", reason=f"{where}: no key of its values says {dotted(field)} of {obj.kind} {obj.name}")
    ranked.sort(key=lambda item: -item[0])
    best = [item for item in ranked if item[0] >= ranked[0][0] - 0.01]
    parents = {item[2][: len(item[2]) - 1] for item in best}
    located = [_guess_place(repo, app, release, path, exists) for _, exists, path in best]
    places = [place for found in located for place in found.places]
    if len(parents) > 1 or not places:
        return Located("ambiguous", candidates=tuple(places), reason=f"{where}: several keys of its values could mean {dotted(field)}")
    return Located("located" if best[0][1] else "insert", tuple(places), reason=f"{where}; the key is taken by its name")


def _charts(repo: Repository, release: Release) -> list[tuple[YamlPath, str]]:
    """(values prefix, chart name) of the charts that are not at hand."""
    if not release.chart:
        return [((), release.source.chart or release.source.path.rpartition("/")[2])]
    from remediator.gitops import yamlread
    from remediator.gitops.helm import chart_dependencies

    try:
        body = yamlread.documents(repo.store.read(join(release.chart, "Chart.yaml")))[0]
    except (Unreadable, IndexError):
        return [((), chart_name(repo.store, release.chart))]
    entries = [entry for entry in chart_dependencies(repo.store, release.chart, body) if entry.get("name") in release.missing]
    return [((str(entry.get("alias") or entry["name"]),), str(entry["name"])) for entry in entries]


def _guess_place(repo: Repository, app: Application, release: Release, path: YamlPath, exists: bool) -> Located:
    hit = helm_locate.Hit(path, exists, 0, False)
    found = _value_place(repo, app, release, hit)
    return Located(found.status, tuple(place.model_copy(update={"proof": "unproved", "why": f"{place.why} of a chart that is not at hand"}) for place in found.places), found.candidates, found.reason)
