"""A literal of a shared base: the same key in the generator of the one overlay, which kustomize merges over it."""

from __future__ import annotations

from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import get, list_at
from remediator.errors import ConfigError
from remediator.gitops.files import kustomization_file
from remediator.policy.leaves import documents
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.case import RemedyContext, Want
from remediator.yamledit import EditRefused

_GENERATORS = ("configMapGenerator", "secretGenerator")


def own_literal(case: RemedyContext, want: Want, shared: Place, literal: Any) -> tuple[Place, Edit] | None:
    """Return the edit that adds the literal to the overlay's generator; None where no overlay of the Application merges one."""
    generator, part = shared.path[:2], shared.path[2:3]
    if shared.path[:1] not in {(key,) for key in _GENERATORS} or part != ("literals",) or not isinstance(literal, str):
        return None
    name = get(_body(case, shared.file), (*generator, "name"))
    for file in _overlays(case, want, shared):
        for index, entry in enumerate(list_at(_body(case, file), str(generator[0]))):
            if not isinstance(entry, dict) or entry.get("name") != name or entry.get("behavior") != "merge":
                continue
            path = (generator[0], index, "literals")
            place = Place(
                file=file, path=path, value=entry.get("literals"), exists=True, why="the overlay's own generator", proof="proved"
            )  # fmt: skip
            edit = Edit.at(place, "append", literal)
            if isinstance(entry.get("literals"), list) and _changes_one_application(case, want, edit):
                return place, edit
    return None


def _overlays(case: RemedyContext, want: Want, shared: Place) -> list[str]:
    """Return the kustomizations of the Application other than the shared one, the outermost first."""
    builds = case.repository.rendering(want.application).builds.values()
    store = case.repository.store
    files = [kustomization_file(store, directory) for build in builds for directory in build.directories]
    return [file for file in files if file and file != shared.file]


def _body(case: RemedyContext, file: str) -> Any:
    bodies = documents(case.repository.read(file)) or [{}]
    return bodies[0]


def _changes_one_application(case: RemedyContext, want: Want, edit: Edit) -> bool:
    """Return True where the edit changes the Application and no other; a generated name changes with its content."""
    try:
        after = case.repository.with_changes(changes((edit,), case.repository.read))
    except (EditRefused, ConfigError):
        return False
    return {change.application for change in case.repository.difference(after)} == {want.application.name}
