"""Settings that are fields of custom resources, or of the Application itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain.change import Edit
from remediator.domain.yaml_paths import MISSING, format_path, get
from remediator.judgement.recipes.search import SettingChange, SettingSearch, indexed, want
from remediator.judgement.recipes.texts import steps


def in_field(search: SettingSearch) -> Iterator[SettingChange]:
    """Yield the change of a field of the object that the message is about."""
    candidates = list(search.placed(*search.setting.kinds)) or list(search.inquiry.world.of_kind(*search.setting.kinds))
    subject = search.inquiry.diagnosis.subject
    names = [name for name in (subject.name, subject.pod, search.captured.get("object", "")) if name]
    close = [
        item for item in candidates if any(name == item.name or name.startswith(f"{item.name}-") for name in names)
    ]
    for placed in close or (candidates if len(candidates) == 1 else ()):
        path = search.path(search.setting.field)
        path = indexed(placed.body, path) or path
        if search.setting.beside and get(placed.body, steps(search.setting.beside)) is MISSING:
            continue
        if any(get(placed.body, steps(path_text)) is not MISSING for path_text in search.setting.unless):
            continue
        value = search.wanted(get(placed.body, path))
        if value is not MISSING:
            yield want(format_path(path), placed, path, value)


def in_application(search: SettingSearch) -> Iterator[SettingChange]:
    """Yield the change of a field of the Application itself."""
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
