"""Find the place in the repository that controls a field of a rendered object, and prove it by rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, YamlPath, get, resolve
from remediator.gitops.locate import helm, kustomize, owners, unproved
from remediator.gitops.model import Application, Located, Manifest

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def locate(repo: Checkout, app: Application, obj: Manifest, path: YamlPath) -> Located:
    """Return the place where the field stands or must be inserted, with notes on who else owns or shares it."""
    rendering = repo.rendering(app)
    path = resolve(obj.body, path)
    notes = tuple(dict.fromkeys(owners.notes(app, obj, path, repo.objects(app))))
    if notes and path == ("spec", "replicas") and obj.body and get(obj.body, path) is MISSING:
        return Located("unknown", reason="; ".join(notes))
    kind = rendering.types[obj.source] if obj.source < len(rendering.types) else "missing"
    if obj.tracked == "unseen" or kind == "remote":
        location = unproved.locate(repo, app, obj, path)
    elif kind == "directory":
        location = _plain(obj, path)
    elif kind == "kustomize":
        location = kustomize.locate(repo, app, obj, path)
    elif kind == "helm":
        location = helm.locate(repo, app, obj, path)
    else:
        reasons = [problem.message for problem in rendering.problems] or ["its source cannot be followed"]
        location = Located("unknown", reason="; ".join(reasons))
    return _with_readers(repo, app, location, notes)


def _with_readers(repo: Checkout, app: Application, location: Located, notes: tuple[str, ...]) -> Located:
    """Add to each place who else reads its file and who else owns the field."""
    places = tuple(_with_notes(repo, app, place, notes) for place in location.places)
    candidates = tuple(_with_notes(repo, app, place, ()) for place in location.candidates)
    reason = location.reason if places else "; ".join(dict.fromkeys([location.reason, *notes]))
    return Located(location.status, places, candidates, reason)


def _with_notes(repo: Checkout, app: Application, place: Place, notes: tuple[str, ...]) -> Place:
    readers = repo.feeds.values_readers(place.file)
    other_names = [reader.name for reader in readers if reader != app]
    names = tuple(dict.fromkeys([*place.also_feeds, *other_names]))
    return place.model_copy(update={"also_feeds": names, "notes": (*place.notes, *notes)})


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
