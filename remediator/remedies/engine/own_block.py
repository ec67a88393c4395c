"""A value that feeds others too: the one object's own block in the values, or the one Application's own values.

Charts of several workloads mostly read `jobs.NAME.key` before the value that all share, and helm reads the values of an
Application before its chart's. Rendering shows which of them changes the one object that the incident is about.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import MISSING, YamlPath, get, mappings
from remediator.errors import ConfigError
from remediator.gitops.locate.canary import CanaryHit
from remediator.gitops.locate.helm import value_place
from remediator.gitops.render.helm_values import merge_layers
from remediator.policy.leaves import documents
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.case import RemedyContext, Want
from remediator.yamledit import EditRefused

_MOST_BLOCKS = 4


def own_block(case: RemedyContext, want: Want, shared: Place) -> tuple[Place, Edit] | None:
    """Return the key in the object's own block that changes nothing else; None where no template reads one."""
    if (
        not shared.path
        or not isinstance(shared.path[-1], str)
        or isinstance(want.value, dict | list)
        or want.value is MISSING
    ):
        return None
    for place in _blocks(case, want, str(shared.path[-1])):
        edit = Edit.at(place, "insert", want.value)
        if _changes_only(case, want, edit):
            return place, edit
    return None


def own_layer(
    case: RemedyContext, want: Want, shared: Place, candidates: Sequence[Place], value: Any
) -> tuple[Place, Edit] | None:
    """Return the place of the Application's own values that changes nothing else, where the shared text feeds others."""
    if value is MISSING or not shared.also_feeds:
        return None
    for place in candidates:
        if place.exists or place.path[-1:] != shared.path[-1:]:
            continue
        own, new = _whole_list(case, shared, place, value)
        edit = Edit.at(own, "insert", new)
        if _changes_only(case, want, edit):
            return own, edit
    return None


def _whole_list(case: RemedyContext, shared: Place, own: Place, value: Any) -> tuple[Place, Any]:
    """Return the place and the value of a whole list, since helm replaces lists; of a field of its own as they are."""
    at = next((index for index, step in enumerate(shared.path) if isinstance(step, int)), None)
    if at is None:
        return own, value
    bodies = documents(case.repository.read(shared.file)) or []
    new = copy.deepcopy(get(bodies[shared.document], shared.path[:at])) if shared.document < len(bodies) else MISSING
    if not isinstance(new, list):
        return own, value
    node: Any = new
    for step in shared.path[at:-1]:
        node = node[step]
    node[shared.path[-1]] = value
    return own.model_copy(update={"path": own.path[: at - len(shared.path)]}), new


def _blocks(case: RemedyContext, want: Want, key: str) -> Iterator[Place]:
    """Yield the places of the key, which is absent so far, in the blocks of the values that bear the object's name."""
    repository = case.repository
    for release in repository.rendering(want.application).releases.values():
        values = merge_layers([layer for layer in release.layers if layer.editable])
        paths: list[YamlPath] = [path for path, _ in mappings(values) if path[-1:] == (want.manifest.name,)]
        for path in paths[:_MOST_BLOCKS]:
            if get(values, (*path, key)) is not MISSING:
                continue
            located = value_place(repository, want.application, release, CanaryHit((*path, key), False, 0, sure=True))
            if len(located.places) == 1:
                yield located.places[0]


def _changes_only(case: RemedyContext, want: Want, edit: Edit) -> bool:
    """Return True where the edit sets the wanted field and touches no other object."""
    try:
        after = case.repository.with_changes(changes((edit,), case.repository.read))
    except (EditRefused, ConfigError):
        return False
    differences = case.repository.difference(after)
    return bool(differences) and all(
        (change.application, change.kind, change.name)
        == (want.application.name, want.manifest.kind, want.manifest.name)
        and tuple(change.path) == want.path
        and change.after == want.value
        for change in differences
    )
