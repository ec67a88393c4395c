"""Places of a recipe's setting in this repository: each kind of place gives changes, or none where it is not there."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import MISSING, YamlPath, depth, format_path, get, list_at, mappings
from remediator.gitops import Application
from remediator.gitops.locate.canary import CanaryHit
from remediator.gitops.locate.helm import value_place
from remediator.gitops.render.helm_model import Release
from remediator.gitops.render.helm_values import merge_layers
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.recipes.amounts import is_limit, right_value
from remediator.judgement.recipes.containers import software_containers
from remediator.judgement.recipes.software import charts, written_values
from remediator.judgement.recipes.texts import setting_in, steps, with_setting
from remediator.judgement.world import Placed, World
from remediator.policy import Recipe, RightValue, Setting
from remediator.remedies.engine.case import Want


@dataclass(frozen=True)
class SettingChange:
    """A change of one setting: fields of rendered objects, or edits of texts."""

    label: str
    """The setting as people call it."""
    value: Any
    application: Application
    wants: tuple[Want, ...] = ()
    edits: tuple[Edit, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def position(self) -> tuple[str, ...]:
        """Return what distinguishes it from a change of another place."""
        return (
            self.label,
            self.application.name,
            self.application.cluster,
            *(want.manifest.name for want in self.wants),
        )


@dataclass(frozen=True)
class SettingSearch:
    """One setting that is looked for on behalf of one recipe and one message."""

    inquiry: Inquiry
    recipe: Recipe
    setting: Setting
    captured: Mapping[str, str]
    applications: tuple[Application, ...] = field(default=())

    @property
    def rule(self) -> RightValue:
        """Return the rule for the value in this place."""
        value = self.setting.value or self.recipe.value
        assert value is not None  # noqa: S101 - the model refuses a setting without a value
        return value

    def wanted(self, current: Any) -> Any:
        """Return the right value beside the present one; MISSING where there is nothing to change."""
        if self.setting.existing and current is MISSING:
            return MISSING
        if self.rule.limit and current is not MISSING and not is_limit(current, self.rule, self.captured):
            return MISSING
        return right_value(current, self.rule, self.captured)

    def placed(self, *kinds: str) -> Iterator[Placed]:
        """Yield the rendered objects of these kinds in the software's Applications."""
        for placed in self.inquiry.world.of_kind(*kinds):
            if placed.application in self.applications:
                yield placed


def changes(search: SettingSearch) -> list[SettingChange]:
    """Return the changes that the setting would need, one for each place where it can be meant."""
    return list(_FINDERS[search.setting.place](search))


def _in_values(search: SettingSearch) -> Iterator[SettingChange]:
    names = search.setting.charts or search.recipe.software.charts
    for app in search.applications:
        for release, prefix, name in charts(search.inquiry.repository, app):
            if name in names and (change := _value_change(search, app, release, prefix)):
                yield change


def _value_change(search: SettingSearch, app: Application, release: Release, prefix: YamlPath) -> SettingChange | None:
    setting, repository = search.setting, search.inquiry.repository
    path = (*prefix, *steps(setting.values))
    values = written_values(release)
    if setting.beside and get(values, (*prefix, *steps(setting.beside))) is MISSING:
        return None
    if any(get(values, (*prefix, *steps(path_text))) is not MISSING for path_text in setting.unless):
        return None
    current = get(merge_layers(release.layers), path)
    beside_others = depth(values, path) > len(prefix) or (len(path) == 1 and bool(values))
    if get(values, path) is MISSING and not beside_others:
        return None  # nothing of this component is configured here: another text may be the right one
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
    edit = Edit.at(place, "set" if place.exists else "insert", _as_written(place.value, value, place.exists))
    return SettingChange(format_path(path), value, app, edits=(edit,), places=(place,))


def _as_written(old: Any, value: Any, exists: bool) -> Any:
    """Return the value in the type of the text that it replaces: a quoted number stays quoted."""
    if exists and isinstance(old, str) and not isinstance(value, str | list | dict):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _in_annotation(search: SettingSearch) -> Iterator[SettingChange]:
    kinds = search.setting.kinds or ("Ingress",)
    repository = search.inquiry.repository
    for placed in World(repository, repository.applications).of_kind(*kinds):
        if not _is_named(search, placed):
            continue
        path: YamlPath = ("metadata", "annotations", search.setting.annotation)
        value = search.wanted(get(placed.body, path))
        if value is not MISSING:
            yield _want(search.setting.annotation, placed, path, _text(value))
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
                if value is not MISSING and len(located.places) == 1:
                    place = located.places[0].model_copy(update={"proof": "unproved"})
                    edit = Edit.at(place, "set" if place.exists else "insert", _text(value))
                    yield SettingChange(search.setting.annotation, value, app, edits=(edit,), places=(place,))


def _has_host(block: Mapping[str, Any], host: str) -> bool:
    """Return True where the block's own list of hosts, or its host, has the name."""
    names = [block.get("host"), block.get("hostname"), *(list_at(block, "hosts"))]
    return any(name == host or (isinstance(name, dict) and name.get("host") == host) for name in names)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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


def _in_environment(search: SettingSearch) -> Iterator[SettingChange]:
    name = search.setting.environment
    for placed, container, path in software_containers(search.inquiry, search.recipe, search.applications):
        variables = [item for item in container.get("env") or () if isinstance(item, dict)]
        index = next((number for number, item in enumerate(variables) if item.get("name") == name), None)
        if index is not None:
            if "value" in variables[index]:
                value = search.wanted(variables[index]["value"])
                if value is not MISSING:
                    yield _want(name, placed, (*path, "env", index, "value"), _text(value))
            continue
        shared = list(_from_config_maps(search, placed, container))
        yield from shared
        value = MISSING if shared else search.wanted(MISSING)
        if value is not MISSING:
            added = [*(container.get("env") or ()), {"name": name, "value": _text(value)}]
            yield _want(name, placed, (*path, "env"), added, label_value=_text(value))


def _from_config_maps(search: SettingSearch, placed: Placed, container: Mapping[str, Any]) -> Iterator[SettingChange]:
    name = search.setting.environment
    for source in container.get("envFrom") or ():
        config = search.inquiry.world.named("ConfigMap", str(get(source, ("configMapRef", "name"))), placed)
        if config is not None and get(config.body, ("data", name)) is not MISSING:
            value = search.wanted(get(config.body, ("data", name)))
            if value is not MISSING:
                yield _want(name, config, ("data", name), _text(value))


def _in_argument(search: SettingSearch) -> Iterator[SettingChange]:
    flag = search.setting.argument
    for placed, container, path in software_containers(search.inquiry, search.recipe, search.applications):
        for key in ("args", "command"):
            listed = [str(item) for item in container.get(key) or ()]
            hits = [index for index, item in enumerate(listed) if item == flag or item.startswith(f"{flag}=")]
            if len(hits) == 1:
                yield from _argument(search, placed, (*path, key), listed, hits[0])
                break
        else:
            value = search.wanted(MISSING)
            listed = list(container.get("args") or ())
            if value is not MISSING and listed:
                text = flag if value is True else f"{flag}={_text(value)}"
                yield _want(flag, placed, (*path, "args"), [*listed, text], label_value=_text(value))


def _argument(
    search: SettingSearch, placed: Placed, path: YamlPath, listed: list[str], at: int
) -> Iterator[SettingChange]:
    flag = search.setting.argument
    _, equals, text = listed[at].partition("=")
    if equals:
        value = search.wanted(text)
        if value is not MISSING:
            yield _want(flag, placed, (*path, at), f"{flag}={_text(value)}", label_value=_text(value))
    elif at + 1 < len(listed):
        value = search.wanted(listed[at + 1])
        if value is not MISSING:
            yield _want(flag, placed, (*path, at + 1), _text(value))


def _in_config(search: SettingSearch) -> Iterator[SettingChange]:
    for placed in search.placed("ConfigMap"):
        data = placed.body.get("data")
        for name, text in data.items() if isinstance(data, dict) else ():
            if not isinstance(text, str) or not fnmatch.fnmatchcase(str(name), search.setting.file):
                continue
            current = setting_in(text, search.setting)
            value = MISSING if current is None else search.wanted(current)
            if value is MISSING:
                continue
            changed = with_setting(text, search.setting, value, exists=current is not MISSING)
            if changed is not None:
                yield _want(
                    f"{search.setting.config} in {name}", placed, ("data", name), changed, label_value=_text(value)
                )


def _in_field(search: SettingSearch) -> Iterator[SettingChange]:
    candidates = list(search.placed(*search.setting.kinds)) or list(search.inquiry.world.of_kind(*search.setting.kinds))
    subject = search.inquiry.diagnosis.subject
    names = [name for name in (subject.name, subject.pod, search.captured.get("object", "")) if name]
    close = [
        item for item in candidates if any(name == item.name or name.startswith(f"{item.name}-") for name in names)
    ]
    for placed in close or (candidates if len(candidates) == 1 else ()):
        path = steps(search.setting.field)
        if search.setting.beside and get(placed.body, steps(search.setting.beside)) is MISSING:
            continue
        if any(get(placed.body, steps(path_text)) is not MISSING for path_text in search.setting.unless):
            continue
        value = search.wanted(get(placed.body, path))
        if value is not MISSING:
            yield _want(format_path(path), placed, path, value)


def _in_application(search: SettingSearch) -> Iterator[SettingChange]:
    path = steps(search.setting.application)
    repository = search.inquiry.repository
    for app in search.inquiry.applications:
        current = get(app.body, path)
        value = search.wanted(MISSING if search.setting.append else current)
        items = current if isinstance(current, list) else []
        if value is MISSING or value in items:
            continue
        anchor = path
        while len(anchor) > 1 and get(app.body, anchor[:-1]) is MISSING:
            anchor = anchor[:-1]  # the deepest mapping that exists takes the new keys
        located = repository.locate_field(app, format_path(anchor))
        if len(located.places) != 1:
            continue
        place = located.places[0]
        new: Any = [value] if search.setting.append and not items else value
        for step in reversed(path[len(anchor) :]):
            new = {step: new}
        edit = Edit.at(place, "append" if items else "set" if place.exists else "insert", new)
        yield SettingChange(f"{format_path(path)} of the Application", value, app, edits=(edit,), places=(place,))


def _want(label: str, placed: Placed, path: YamlPath, value: Any, *, label_value: Any = None) -> SettingChange:
    want = Want(placed.application, placed.manifest, path, value)
    return SettingChange(label, value if label_value is None else label_value, placed.application, wants=(want,))


_FINDERS: Mapping[str, Callable[[SettingSearch], Iterator[SettingChange]]] = {
    "values": _in_values,
    "annotation": _in_annotation,
    "environment": _in_environment,
    "argument": _in_argument,
    "config": _in_config,
    "field": _in_field,
    "application": _in_application,
}
