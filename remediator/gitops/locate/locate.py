"""Which place in the repository controls a field of a rendered object: found by origin, proved by rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, YamlPath, get, resolve
from remediator.gitops.locate import helm, kustomize, owners, unproved
from remediator.gitops.model import Application, Located, Manifest

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def locate(repo: Checkout, app: Application, obj: Manifest, path: YamlPath) -> Located:
    """Where the field stands, or where it must be inserted; whoever else owns or shares it is said."""
    rendering = repo.rendering(app)
    path = resolve(obj.body, path)
    said = tuple(dict.fromkeys(owners.notes(app, obj, path, repo.objects(app))))
    if said and path == ("spec", "replicas") and obj.body and get(obj.body, path) is MISSING:
        return Located("unknown", reason="; ".join(said))
    kind = rendering.types[obj.source] if obj.source < len(rendering.types) else "missing"
    if obj.tracked == "unseen" or kind == "remote":
        found = unproved.locate(repo, app, obj, path)
    elif kind == "directory":
        found = _plain(obj, path)
    elif kind == "kustomize":
        found = kustomize.locate(repo, app, obj, path)
    elif kind == "helm":
        found = helm.locate(repo, app, obj, path)
    else:
        reasons = [problem.message for problem in rendering.problems] or ["its source cannot be followed"]
        found = Located("unknown", reason="; ".join(reasons))
    return _told(repo, app, found, said)


def _told(repo: Checkout, app: Application, found: Located, said: tuple[str, ...]) -> Located:
    """Add who else reads the places' files and who else owns the field."""
    places = tuple(_shared(repo, app, place, said) for place in found.places)
    candidates = tuple(_shared(repo, app, place, ()) for place in found.candidates)
    reason = found.reason if places else "; ".join(dict.fromkeys([found.reason, *said]))
    return Located(found.status, places, candidates, reason)


def _shared(repo: Checkout, app: Application, place: Place, said: tuple[str, ...]) -> Place:
    readers = repo.feeds.values_readers(place.file)
    others = [other.name for other in readers if other != app]
    names = tuple(dict.fromkeys([*place.also_feeds, *others]))
    return place.model_copy(update={"also_feeds": names, "notes": (*place.notes, *said)})


def _plain(obj: Manifest, path: YamlPath) -> Located:
    prefix = obj.tracked if isinstance(obj.tracked, tuple) else ()
    value = get(obj.body, path)
    place = Place(
        file=obj.file,
        document=obj.document,
        path=(*prefix, *path),
        value=None if value is MISSING else value,
        exists=value is not MISSING,
        why="the manifest itself",
    )
    return Located("insert" if value is MISSING else "located", (place,))
