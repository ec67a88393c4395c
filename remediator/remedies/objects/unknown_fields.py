"""Fields that an object's schema does not have: misspelt names, renamed to the one that was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from remediator.domain.change import Edit, YamlPath
from remediator.domain.incident import Evidence
from remediator.gitops import Application, Manifest
from remediator.gitops.paths import MISSING, get
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.spelling import nearest
from remediator.remedies.objects.schemas import fields_at
from remediator.remedies.views.application_field import changed, complained

_STRICT = re.compile(r'unknown field "(?P<field>[^"]+)"')
_DECLARED = re.compile(r"(?<![\w])\.(?P<field>[\w.\[\]\"-]+): field not declared in schema")
_OBJECT = re.compile(
    r'(?:\b(?P<kind>[A-Z]\w+) in version "|"(?P<quoted>[A-Z]\w+)"|\b(?P<bare>[A-Z]\w+)(?:\.[\w.-]+)? "(?P<name>[a-z0-9.-]+)")'
)


@dataclass(frozen=True)
class UnknownField:
    """A field that one object of the repository has and its schema has not."""

    application: Application
    manifest: Manifest
    path: YamlPath
    evidence: Evidence


def unknown_fields(case: RemedyContext) -> Iterator[Fix]:
    """Rename the field to the one of the schema that is a slip away and not there yet."""
    for one in _found(case):
        key, parent = str(one.path[-1]), one.path[:-1]
        schema = fields_at(one.manifest.api_version, one.manifest.kind, parent)
        held = get(one.manifest.body, parent)
        present = set(held) if isinstance(held, dict) else set()
        folded = [name for name in schema if name.lower() == key.lower()]
        new = folded[0] if folded else nearest(key, schema - present)
        if not new or new in present:
            continue
        if fix := _renamed(case, one, key, new):
            yield fix


def _renamed(case: RemedyContext, one: UnknownField, key: str, new: str) -> Fix | None:
    located = case.repository.locate(one.application, one.manifest, one.path)
    place = next((place for place in located.places if place.exists and place.path and place.path[-1] == key), None)
    if located.status != "located" or place is None:
        return None
    edit = Edit(op="rename", file=place.file, document=place.document, path=place.path, inside=place.inside, value=new)
    after = changed(case, edit)
    if after is None:
        return None
    names = {one.application.name, *place.also_feeds}
    return Fix(
        title=f"rename {key} of {one.manifest.kind} `{one.manifest.name}` to {new}",
        reason=f"{one.manifest.kind} has no field {key} there; {new} is one slip away.",
        evidence=case.cite(one.evidence),
        edits=(edit,),
        places=(place,),
        applications=tuple(app for app in case.repository.applications if app.name in names),
        parameters={"object": f"{one.manifest.kind}/{one.manifest.name}", "from": key, "to": new},
        score=0.8,
    )


def _found(case: RemedyContext) -> Iterator[UnknownField]:
    """The objects whose body has the field that the message calls unknown."""
    from remediator.remedies.objects.invalid import message_of, path_of

    seen: set[tuple[str, str, YamlPath]] = set()
    for application, one in complained(case, "unknown_field"):
        text = message_of(one)
        kinds = {
            word for match in _OBJECT.finditer(text) for word in (match["kind"], match["quoted"], match["bare"]) if word
        }
        names = {match["name"] for match in _OBJECT.finditer(text) if match["name"]} | {one.subject.name}
        for match in (*_STRICT.finditer(text), *_DECLARED.finditer(text)):
            path = path_of(match["field"])
            holders = [item for item in case.repository.objects(application) if get(item.body, path) is not MISSING]
            named = [item for item in holders if item.name in names] or [item for item in holders if item.kind in kinds]
            for item in named or (holders if len(holders) == 1 else []):
                if kinds and item.kind not in kinds:
                    continue
                if (item.kind, item.name, path) not in seen:
                    seen.add((item.kind, item.name, path))
                    yield UnknownField(application, item, path, one)
