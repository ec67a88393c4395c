"""Values of the wrong type: a number or boolean where text is required, text where a number is, an unknown unit.

The characters in the file are kept and only their type changes, because YAML reads `yes` as true and `1.10` as 1.1:
the parsed value is not what the author wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from remediator.domain import quantities
from remediator.domain.change import Edit, Place
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath, format_path, leaves
from remediator.errors import ConfigError
from remediator.gitops import Application, Manifest
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.application_field import complaints, with_edits

_KIND = re.compile(r"cannot be handled as a (?P<kind>\w+)")
_WRONG_TYPES = (
    re.compile(r"cannot unmarshal (?P<have>\w+) into Go struct field \w+\.(?P<field>[\w.]+) of type (?P<want>[\w.]+)"),
    re.compile(
        r"ValidationError\((?P<kind>\w+)\.(?P<field>[\w.\[\]]+)\): invalid type for [\w.]+: got \"(?P<have>\w+)\", expected \"(?P<want>\w+)\""
    ),
)
_UNIT = re.compile(r"^(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kKMGT]i?)[bB]$")
_MANY = 6
"""A message that fits more values than this does not say which one is wrong."""

WrongValue = tuple[Manifest, YamlPath]


def fix_value_type(case: RemedyContext) -> Iterator[Fix]:
    """Write the value in the type that its field has; the characters of the value stay."""
    proposed: set[tuple[str, str, YamlPath]] = set()
    for application, evidence in complaints(case, "object_undecodable"):
        text = evidence.text.replace('\\"', '"')
        kind = _KIND.search(text)
        for match in [match for form in _WRONG_TYPES for match in form.finditer(text)]:
            object_kind = match.groupdict().get("kind") or (kind["kind"] if kind else "")
            values = [
                (manifest, path)
                for manifest, path in _wrong_values(case, application, object_kind, match["field"], match["want"])
                if (manifest.kind, manifest.name, path) not in proposed
            ]
            if not values or len(values) > _MANY or len({manifest.name for manifest, _ in values}) > 1:
                continue
            proposed.update((manifest.kind, manifest.name, path) for manifest, path in values)
            yield from _retyped(case, application, values, match["want"], evidence)
        if kind and "quantit" in text:
            yield from _units(case, application, kind["kind"], evidence)


def _wrong_values(
    case: RemedyContext, application: Application, kind: str, field: str, go_type: str
) -> Iterator[WrongValue]:
    """Yield the fields of that name whose value has another type than the one that Go decodes."""
    names = [step for step in re.split(r"[.\[\]]+", field) if step and not step.isdigit()]
    for manifest in case.repository.objects(application):
        if manifest.kind == kind:
            for path, value in leaves(manifest.body):
                if _is_field(path, names) and _has_wrong_type(value, go_type):
                    yield manifest, path


def _is_field(path: YamlPath, names: list[str]) -> bool:
    """Return True where a path is the field that Go names: without list indices and without the key of a map."""
    steps = [str(step) for step in path if not isinstance(step, int)]
    return steps == names or (len(steps) == len(names) + 1 and steps[:-1] == names)


def _has_wrong_type(value: Any, go_type: str) -> bool:
    if go_type == "string":
        return isinstance(value, bool | int | float)
    if go_type.startswith(("int", "uint")) or go_type == "integer":
        return isinstance(value, str) and re.fullmatch(r"\d+", value) is not None
    if go_type in ("bool", "boolean"):
        return isinstance(value, str) and value.lower() in ("true", "false")
    return False


def _retyped(
    case: RemedyContext, application: Application, values: list[WrongValue], go_type: str, evidence: Evidence
) -> Iterator[Fix]:
    """Yield one fix that writes all of the values in the right type, or none where one of them cannot be located."""
    edits: list[Edit] = []
    places: list[Place] = []
    for manifest, path in values:
        located = case.repository.locate(application, manifest, path)
        place = located.places[0] if located.status == "located" and located.places else None
        value = _literal(case, place, go_type) if place is not None and place.exists else None
        if place is None or value is None:
            return
        places.append(place)
        edits.append(Edit.at(place, "set", value))
    if with_edits(case, *edits) is None:
        return
    manifest = values[0][0]
    fields, type_name = ", ".join(format_path(path[-2:]) for _, path in values), _type_name(go_type)
    feeds = {name for place in places for name in place.also_feeds} | {application.name}
    yield Fix(
        title=f"write {fields} of {manifest.kind} `{manifest.name}` as {type_name}",
        reason=f"{fields} must be {type_name}, but YAML reads the value in the file as another type.",
        evidence=case.cite(evidence),
        edits=tuple(edits),
        places=tuple(places),
        applications=tuple(app for app in case.repository.applications if app.name in feeds),
        parameters={"object": f"{manifest.kind}/{manifest.name}"},
        score=0.8,
    )


def _type_name(go_type: str) -> str:
    return "text" if go_type == "string" else "a boolean" if go_type.startswith("bool") else "a number"


def _literal(case: RemedyContext, place: Place, go_type: str) -> Any:
    """Return the value in the wanted type, made of its characters in the file (`yes` is not `true`)."""
    if place.inside:
        return None
    try:
        nodes = list(yaml.compose_all(case.repository.read(place.file), Loader=yaml.SafeLoader))
    except (ConfigError, yaml.YAMLError):
        return None
    node: Any = nodes[place.document] if place.document < len(nodes) else None
    for step in place.path:
        node = _child(node, step)
    if not isinstance(node, yaml.ScalarNode):
        return None
    if go_type == "string":
        return str(node.value)
    if go_type.startswith("bool"):
        return node.value.lower() == "true"
    return int(node.value)


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    return None


def _units(case: RemedyContext, application: Application, kind: str, evidence: Evidence) -> Iterator[Fix]:
    """Write `512MB` as `512M`, the same amount in Kubernetes' spelling; any other text is left to the history."""
    wrong = [
        (manifest, path, str(value))
        for manifest in case.repository.objects(application)
        if manifest.kind == kind
        for path, value in leaves(manifest.body)
        if "resources" in path
        and ("limits" in path or "requests" in path)
        and value is not None
        and quantities.parse(value) is None
    ]
    for manifest, path, value in wrong:
        new = _in_kubernetes_spelling(value)
        action = (
            f"write {path[-1]} of `{manifest.name}` as {new}" if new else f"restore {path[-1]} of `{manifest.name}`"
        )
        hint = f"; Kubernetes writes it {new}" if new else ""
        yield Fix(
            title=action,
            reason=f"`{value}` is not a quantity{hint}.",
            evidence=case.cite(evidence),
            wants=(Want(application, manifest, path, new or value),),
            parameters={"object": f"{kind}/{manifest.name}", "from": value, "to": new or value},
            score=0.7 if new and len(wrong) == 1 else 0.0,
            accepts=lambda old: quantities.parse(old) is not None,
        )


def _in_kubernetes_spelling(value: str) -> str:
    """Return `512M` for `512MB` and `1k` for `1KB`; empty for any other text."""
    match = _UNIT.match(value)
    if match is None:
        return ""
    unit = match["unit"] if match["unit"].endswith("i") else match["unit"].replace("K", "k")
    return f"{match['number']}{unit}"
