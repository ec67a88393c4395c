"""Fields that an object's schema does not have: rename them to the field that was meant.

A misspelt field is renamed only where the schema has a field of nearly that name which the object does not set yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from remediator.domain.change import Edit
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Manifest
from remediator.remedies.engine.case import Fix, ObjectField, RemedyContext
from remediator.remedies.engine.spelling import nearest
from remediator.remedies.objects.refusal import message_of, path_of
from remediator.remedies.objects.schemas import fields_at
from remediator.remedies.views.application_field import complaints, with_edits

_STRICT = re.compile(r'unknown field "(?P<field>[^"]+)"')
_DECLARED = re.compile(r"(?<![\w])\.(?P<field>[\w.\[\]\"-]+): field not declared in schema")
_OBJECT = re.compile(
    r'(?:\b(?P<kind>[A-Z]\w+) in version "|"(?P<quoted>[A-Z]\w+)"|\b(?P<bare>[A-Z]\w+)(?:\.[\w.-]+)? "(?P<name>[a-z0-9.-]+)")'
)


@dataclass(frozen=True)
class UnknownField(ObjectField):
    """A field that one object of the repository has and its schema does not have."""

    evidence: Evidence


def rename_unknown_field(case: RemedyContext) -> Iterator[Fix]:
    """Rename the field to the one of the schema that is nearly spelt like it and that the object does not set."""
    for field in _unknown_fields(case):
        manifest, key, parent = field.manifest, str(field.path[-1]), field.path[:-1]
        allowed = fields_at(manifest.api_version, manifest.kind, parent)
        body = get(manifest.body, parent)
        siblings = set(body) if isinstance(body, dict) else set()
        same_letters = [name for name in allowed if name.lower() == key.lower()]
        new = same_letters[0] if same_letters else nearest(key, allowed - siblings)
        if not new or new in siblings:
            continue
        if fix := _renamed(case, field, key, new):
            yield fix


def _renamed(case: RemedyContext, field: UnknownField, key: str, new: str) -> Fix | None:
    manifest = field.manifest
    located = case.repository.locate(field.application, manifest, field.path)
    place = next((place for place in located.places if place.exists and place.path and place.path[-1] == key), None)
    if located.status != "located" or place is None:
        return None
    edit = Edit.at(place, "rename", new)
    if with_edits(case, edit) is None:
        return None
    names = {field.application.name, *place.also_feeds}
    return Fix(
        title=f"rename {key} of {manifest.kind} `{manifest.name}` to {new}",
        reason=f"{manifest.kind} has no field {key} at this path; {new} is the nearest name that it has.",
        evidence=case.cite(field.evidence),
        edits=(edit,),
        places=(place,),
        applications=tuple(app for app in case.repository.applications if app.name in names),
        parameters={"object": f"{manifest.kind}/{manifest.name}", "from": key, "to": new},
        score=0.8,
    )


def _unknown_fields(case: RemedyContext) -> Iterator[UnknownField]:
    """Yield the objects that have a field which the message calls unknown, each once."""
    yielded: set[tuple[str, str, YamlPath]] = set()
    for application, evidence in complaints(case, "unknown_field"):
        text = message_of(evidence)
        kinds = {
            word for match in _OBJECT.finditer(text) for word in (match["kind"], match["quoted"], match["bare"]) if word
        }
        names = {match["name"] for match in _OBJECT.finditer(text) if match["name"]} | {evidence.subject.name}
        for match in (*_STRICT.finditer(text), *_DECLARED.finditer(text)):
            path = path_of(match["field"])
            for manifest in _holders(case.repository.objects(application), path, names, kinds):
                if (manifest.kind, manifest.name, path) not in yielded:
                    yielded.add((manifest.kind, manifest.name, path))
                    yield UnknownField(application, manifest, path, evidence)


def _holders(objects: tuple[Manifest, ...], path: YamlPath, names: set[str], kinds: set[str]) -> list[Manifest]:
    """Return the objects that have the field: by name, else by kind, else the only one."""
    holders = [item for item in objects if get(item.body, path) is not MISSING]
    matching = [item for item in holders if item.name in names] or [item for item in holders if item.kind in kinds]
    candidates = matching or (holders if len(holders) == 1 else [])
    return [item for item in candidates if not kinds or item.kind in kinds]
