"""Values of the wrong type: a number or boolean where text is asked for, text where a number is, a quantity's unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from remediator.domain.change import Edit, Place, YamlPath
from remediator.domain.incident import Evidence
from remediator.errors import ConfigError
from remediator.gitops import Application, Manifest
from remediator.gitops.paths import dotted, leaves
from remediator.remedies.engine import quantities
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.application_field import changed, complained

_KIND = re.compile(r"cannot be handled as a (?P<kind>\w+)")
_UNMARSHAL = re.compile(
    r"cannot unmarshal (?P<have>\w+) into Go struct field \w+\.(?P<field>[\w.]+) of type (?P<want>[\w.]+)"
)
_VALIDATION = re.compile(
    r"ValidationError\((?P<kind>\w+)\.(?P<field>[\w.\[\]]+)\): invalid type for [\w.]+: got \"(?P<have>\w+)\", expected \"(?P<want>\w+)\""
)
_UNIT = re.compile(r"^(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kKMGT]i?)[bB]$")
_MANY = 6


def undecodable(case: RemedyContext) -> Iterator[Fix]:
    """Write the value in the type that its field has; the text of the value stays what it is."""
    done: set[tuple[str, str, YamlPath]] = set()
    for application, one in complained(case, "object_undecodable"):
        text = one.text.replace('\\"', '"')
        kind = _KIND.search(text)
        for match in (*_UNMARSHAL.finditer(text), *_VALIDATION.finditer(text)):
            held = match.groupdict().get("kind") or (kind["kind"] if kind else "")
            yield from _retyped(case, application, held, match["field"], match["want"], one, done)
        if kind and "quantit" in text:
            yield from _units(case, application, kind["kind"], one)


def _retyped(
    case: RemedyContext,
    application: Application,
    kind: str,
    field: str,
    want: str,
    one: Evidence,
    done: set[tuple[str, str, YamlPath]],
) -> Iterator[Fix]:
    names = [step for step in re.split(r"[.\[\]]+", field) if step and not step.isdigit()]
    found = [
        (manifest, path, value)
        for manifest in case.repository.objects(application)
        if manifest.kind == kind
        for path, value in leaves(manifest.body)
        if _named(path, names) and _wrong(value, want) and (manifest.kind, manifest.name, path) not in done
    ]
    if not found or len(found) > _MANY or len({manifest.name for manifest, _, _ in found}) > 1:
        return
    done.update((manifest.kind, manifest.name, path) for manifest, path, _ in found)
    yield from _written(case, application, [(manifest, path, want) for manifest, path, _ in found], one)


def _named(path: YamlPath, names: list[str]) -> bool:
    """Whether a path is the field that Go names: without list indices; a map's key stands in the path alone."""
    steps = [str(step) for step in path if not isinstance(step, int)]
    return steps == names or (len(steps) == len(names) + 1 and steps[:-1] == names)


def _wrong(value: Any, want: str) -> bool:
    if want == "string":
        return isinstance(value, bool | int | float)
    if want.startswith(("int", "uint")) or want == "integer":
        return isinstance(value, str) and re.fullmatch(r"\d+", value) is not None
    if want in ("bool", "boolean"):
        return isinstance(value, str) and value.lower() in ("true", "false")
    return False


def _written(
    case: RemedyContext, application: Application, wrong: list[tuple[Manifest, YamlPath, str]], one: Evidence
) -> Iterator[Fix]:
    edits: list[Edit] = []
    places: list[Place] = []
    for manifest, path, want in wrong:
        located = case.repository.locate(application, manifest, path)
        place = located.places[0] if located.status == "located" and located.places else None
        value = _literal(case, place, want) if place is not None and place.exists else None
        if place is None or value is None:
            return
        places.append(place)
        edits.append(
            Edit(op="set", file=place.file, document=place.document, path=place.path, inside=place.inside, value=value)
        )
    if changed(case, *edits) is None:
        return
    manifest = wrong[0][0]
    what = ", ".join(dotted(path[-2:]) for _, path, _ in wrong)
    feeds = {name for place in places for name in place.also_feeds} | {application.name}
    yield Fix(
        title=f"write {what} of {manifest.kind} `{manifest.name}` as {_word(wrong[0][2])}",
        reason=f"{what} must be {_word(wrong[0][2])}; YAML reads what stands there as something else.",
        evidence=case.cite(one),
        edits=tuple(edits),
        places=tuple(places),
        applications=tuple(app for app in case.repository.applications if app.name in feeds),
        parameters={"object": f"{manifest.kind}/{manifest.name}"},
        score=0.8,
    )


def _word(want: str) -> str:
    return "text" if want == "string" else "a boolean" if want.startswith("bool") else "a number"


def _literal(case: RemedyContext, place: Place, want: str) -> Any:
    """The value in the wanted type, its characters as they stand in the file (`yes` is not `true`, `1.10` not `1.1`)."""
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
    if want == "string":
        return str(node.value)
    if want.startswith("bool"):
        return node.value.lower() == "true"
    return int(node.value)


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    return None


def _units(case: RemedyContext, application: Application, kind: str, one: Evidence) -> Iterator[Fix]:
    """`512MB` as `512M`: the same amount, written as Kubernetes does; anything else is for a person."""
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
        found = _UNIT.match(value)
        unit = (
            found["unit"].replace("K", "k")
            if found and not found["unit"].endswith("i")
            else found["unit"]
            if found
            else ""
        )
        new = f"{found['number']}{unit}" if found else value
        yield Fix(
            title=f"write {path[-1]} of `{manifest.name}` as {new}"
            if found
            else f"restore {path[-1]} of `{manifest.name}`",
            reason=f"`{value}` is no quantity{f'; {new} is how Kubernetes writes it' if found else ''}.",
            evidence=case.cite(one),
            wants=(Want(application, manifest, path, new),),
            parameters={"object": f"{kind}/{manifest.name}", "from": value, "to": new},
            score=0.7 if found and len(wrong) == 1 else 0.0,
            accepts=lambda old: quantities.parse(old) is not None,
        )
