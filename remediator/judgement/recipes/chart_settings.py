"""Settings in the values of charts, and annotations of the objects that a message names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remediator.domain.change import Edit
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, get, list_at, mappings
from remediator.gitops import Application
from remediator.gitops.locate.canary import CanaryHit
from remediator.gitops.locate.helm import value_place
from remediator.gitops.render.helm_model import Release
from remediator.gitops.render.helm_values import merge_layers
from remediator.judgement.recipes.amounts import REMOVED
from remediator.judgement.recipes.search import SettingChange, SettingSearch, text_of, want
from remediator.judgement.recipes.software import charts, written_values
from remediator.judgement.recipes.texts import steps
from remediator.judgement.world import Placed, World


def in_values(search: SettingSearch) -> Iterator[SettingChange]:
    """Yield the change of a key in the values of the software's chart."""
    names = search.setting.charts or search.recipe.software.charts
    for app in search.applications:
        for release, prefix, name in charts(search.inquiry.repository, app):
            if name in names and (change := _value_change(search, app, release, prefix)):
                yield change


def _value_change(search: SettingSearch, app: Application, release: Release, prefix: YamlPath) -> SettingChange | None:
    setting, repository = search.setting, search.inquiry.repository
    path = (*prefix, *search.path(setting.values))
    values = written_values(release)
    if setting.beside and get(values, (*prefix, *steps(setting.beside))) is MISSING:
        return None
    if any(get(values, (*prefix, *steps(path_text))) is not MISSING for path_text in setting.unless):
        return None
    current = get(merge_layers(release.layers), path)
    if not get(values, prefix):
        return None  # nothing of this chart is configured here: another text may be the right one
    if setting.append:
        items = current if isinstance(current, list) else []
        value = search.wanted(MISSING)
        if value is MISSING or value in items:
            return None
        value = [*items, value]
    else:
        if isinstance(current, dict | list):
            return None
        value = search.wanted(current)
    if value is MISSING:
        return None
    located = value_place(repository, app, release, CanaryHit(path, get(values, path) is not MISSING, 0, sure=False))
    if len(located.places) != 1:
        return None
    place = located.places[0].model_copy(update={"proof": "unproved", "why": f"{located.places[0].why} of the chart"})
    if value is REMOVED:
        if not place.exists:
            return None
        return SettingChange(format_path(path), value, app, edits=(Edit.at(place, "delete"),), places=(place,))
    edit = Edit.at(place, "set" if place.exists else "insert", _as_written(place.value, value, place.exists))
    return SettingChange(format_path(path), value, app, edits=(edit,), places=(place,))


def _as_written(old: Any, value: Any, exists: bool) -> Any:
    """Return the value in the type of the text that it replaces: a quoted number stays quoted."""
    if exists and isinstance(old, str) and not isinstance(value, str | list | dict):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def in_annotation(search: SettingSearch) -> Iterator[SettingChange]:
    """Yield the change of an annotation of the object that the message names."""
    kinds = search.setting.kinds or ("Ingress",)
    repository = search.inquiry.repository
    for placed in World(repository, repository.applications).of_kind(*kinds):
        if not _is_named(search, placed):
            continue
        path: YamlPath = ("metadata", "annotations", search.setting.annotation)
        value = search.wanted(get(placed.body, path))
        if value is not MISSING:
            yield want(search.setting.annotation, placed, path, value if value is REMOVED else text_of(value))
    if "Ingress" in kinds:
        yield from _annotation_in_values(search)


def _annotation_in_values(search: SettingSearch) -> Iterator[SettingChange]:
    """Yield the annotation in the values of charts that are not at hand: in the block of the host that was named."""
    host = search.captured.get("host")
    repository = search.inquiry.repository
    for app in repository.applications if host else ():
        if search.inquiry.is_rendered(app):
            continue
        for release in repository.rendering(app).releases.values():
            values = written_values(release)
            for path, block in mappings(values):
                if not isinstance(block.get("annotations"), dict) or not _has_host(block, str(host)):
                    continue
                key: YamlPath = (*path, "annotations", search.setting.annotation)
                value = search.wanted(get(values, key))
                located = value_place(
                    repository, app, release, CanaryHit(key, get(values, key) is not MISSING, 0, sure=False)
                )
                if value is not MISSING and value is not REMOVED and len(located.places) == 1:
                    place = located.places[0].model_copy(update={"proof": "unproved"})
                    edit = Edit.at(place, "set" if place.exists else "insert", text_of(value))
                    yield SettingChange(search.setting.annotation, value, app, edits=(edit,), places=(place,))


def _has_host(block: Mapping[str, Any], host: str) -> bool:
    """Return True where the block's own list of hosts, or its host, has the name."""
    names = [block.get("host"), block.get("hostname"), *(list_at(block, "hosts"))]
    return any(name == host or (isinstance(name, dict) and name.get("host") == host) for name in names)


def _is_named(search: SettingSearch, placed: Placed) -> bool:
    """Return True where the message names the object: by its host, by its name, or as the culprit."""
    captured = search.captured
    if host := captured.get("host"):
        rules = get(placed.body, ("spec", "rules"))
        return any(isinstance(rule, dict) and rule.get("host") == host for rule in rules or ())
    if name := captured.get("object"):
        space, _, base = name.rpartition("/")
        return placed.name == base and space in ("", placed.namespace)
    return (placed.kind, placed.name) in search.inquiry.culprits
