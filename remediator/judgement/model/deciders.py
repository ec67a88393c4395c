"""What decides on the meant objects and is none of them: projects, sets, second owners, values, the rules' places.

Played investigations were decided by such a text in most cases where the first question did not show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain.lifecycle import RemediationPlan
from remediator.domain.yaml_paths import format_path, get
from remediator.errors import ConfigError
from remediator.gitops import Application
from remediator.gitops.yamlread import UnreadableYaml, documents
from remediator.judgement.model.facts import mentions
from remediator.judgement.model.read_tools import is_hidden
from remediator.judgement.model.scene import Scene
from remediator.judgement.model.texts import as_yaml, object_yaml
from remediator.judgement.relations.registry import broken

_MOST_LINES = 40
_MOST_APPLICATIONS = 3
_MOST_OBJECTS = 4
_PROJECT_WORDS = ("project", "AppProject", "not permitted", "permitted")


def deciding_texts(scene: Scene, plan: RemediationPlan) -> Iterator[str]:
    """Yield them in the order in which they decide most often."""
    own = (scene.inquiry.applications or scene.scope)[:_MOST_APPLICATIONS]
    yield from _rules_places(scene, plan)
    yield from _holders(scene)
    yield from _governors(scene)
    yield from _projects(scene, own)
    yield from _sets(scene, own)
    yield from _second_owners(scene)
    yield from _short_files(scene, own)


def _rules_places(scene: Scene, plan: RemediationPlan) -> Iterator[str]:
    """Yield the text round each place that the rules would change, where it lies in no object that is shown."""
    shown_files = {item.manifest.file for item in scene.objects[:3]}
    seen = set()
    for proposal in plan.proposals[:2]:
        for place in proposal.places[:3]:
            key = (place.file, place.document, place.path[:-1])
            if place.file in shown_files or key in seen or is_hidden(place.file):
                continue
            seen.add(key)
            above = _value(scene, place.file, place.document, place.path[:-1])
            if above is not None:
                yield f"# {place.file} {format_path(place.path[:-1])}"
                yield from as_yaml(above).splitlines()[:_MOST_LINES]


def _holders(scene: Scene) -> Iterator[str]:
    """Yield the objects elsewhere that hold a contradiction with something of the incident."""
    own = {(item.kind, item.name) for item in (*scene.objects, *scene.dependencies)}
    count = 0
    for item in broken(scene.inquiry.world):
        at = item.at
        if (
            (at.kind, at.name) in own
            or count >= _MOST_OBJECTS
            or not any(
                mentions(scene.facts.text, name) for name in (at.name, *(word for word in item.words if len(word) > 3))
            )
        ):
            continue
        count += 1
        own.add((at.kind, at.name))
        yield f"# {at.kind} {at.name} of {at.application.name}, from {at.manifest.file or 'a chart'}"
        yield from object_yaml(at.kind, at.body, most_text=300).splitlines()[:_MOST_LINES]


def _governors(scene: Scene) -> Iterator[str]:
    """Yield what governs the namespace or selects the meant objects, where it is shown nowhere else."""
    known = {(item.kind, item.name) for item in (*scene.objects, *scene.dependencies)}
    for item in [one for one in scene.governors if (one.kind, one.name) not in known][:_MOST_OBJECTS]:
        yield f"# {item.kind} {item.name} of {item.application.name}, from {item.manifest.file or 'a chart'}"
        yield from object_yaml(item.kind, item.body, most_text=300).splitlines()[:_MOST_LINES]


def _projects(scene: Scene, own: tuple[Application, ...]) -> Iterator[str]:
    names = {str(get(app.body, ("spec", "project"))) for app in own}
    if not any(word in scene.facts.text for word in _PROJECT_WORDS):
        return
    for file, document, body in scene.repository.projects:
        if str(get(body, ("metadata", "name"))) in names:
            yield f"# AppProject {get(body, ('metadata', 'name'))}, written in {file} document {document}"
            yield from as_yaml(body.get("spec")).splitlines()[:_MOST_LINES]


def _sets(scene: Scene, own: tuple[Application, ...]) -> Iterator[str]:
    files = {(app.origin.file, app.origin.document) for app in own if app.origin and app.origin.file}
    if "ApplicationSet" in scene.facts.text:
        files |= {(item.file, item.document) for item in scene.repository.sets if mentions(scene.facts.text, item.name)}
    for file, document in sorted(files):
        body = _value(scene, file, document, ())
        if isinstance(body, dict) and body.get("kind") == "ApplicationSet":
            yield f"# ApplicationSet {get(body, ('metadata', 'name'))}, written in {file}"
            yield from as_yaml(body.get("spec")).splitlines()[:_MOST_LINES]


def _second_owners(scene: Scene) -> Iterator[str]:
    """Yield objects of the same kind and name that another Application applies to the same place."""
    meant = {(item.kind, item.name, item.namespace, item.cluster): item for item in scene.objects}
    for item in scene.inquiry.world.objects:
        twin = meant.get((item.kind, item.name, item.namespace, item.cluster))
        if twin is not None and item.application != twin.application:
            yield f"# {item.kind} {item.name} of {item.application.name} too, from {item.manifest.file or 'a chart'}"
            yield from object_yaml(item.kind, item.body, most_text=200).splitlines()[:_MOST_LINES]


def _short_files(scene: Scene, own: tuple[Application, ...]) -> Iterator[str]:
    """Yield kustomizations, and the values of charts that are not rendered: short texts that are the desired state."""
    for app in own:
        unseen = any(
            item.tracked == "unseen" for item in scene.repository.objects(app)
        ) or not scene.repository.objects(app)
        for file in scene.repository.files_of(app):
            if is_hidden(file):
                continue
            base = file.rpartition("/")[2]
            if not base.lower().startswith("kustomization") and not (
                unseen and file != app.file and base.endswith((".yaml", ".yml"))
            ):
                continue
            try:
                lines = scene.repository.read(file).decode("utf-8", "replace").splitlines()
            except ConfigError:
                continue
            if len(lines) <= _MOST_LINES:
                yield f"# {file}"
                yield from (line[:200] for line in lines)


def _value(scene: Scene, file: str, document: int, path: tuple[Any, ...]) -> Any:
    try:
        bodies = documents(scene.repository.read(file))
    except (ConfigError, UnreadableYaml):
        return None
    found = get(bodies[document], path) if document < len(bodies) else None
    return found if isinstance(found, dict | list) else None
