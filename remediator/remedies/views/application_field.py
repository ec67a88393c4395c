"""Fields of an Application itself, wherever its text comes from: a document, a template, a generator, values.

A rendered field is located and proved by the repository. An Application's own text controls the rendering, so a change
of it is proved by reading the whole tree again and checking the Application that results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, get
from remediator.errors import ConfigError
from remediator.gitops import Application, Repository, history
from remediator.policy.leaves import documents
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.older_values import LOOK_BACK, describe_change
from remediator.yamledit import EditRefused

FieldCheck = Callable[[Repository, Application], bool]
"""Returns True where the Application of the changed repository is as the incident requires."""


@dataclass(frozen=True)
class FieldCorrection:
    """One field of an Application that must change, with the words for the fix."""

    application: Application
    path: YamlPath
    """The path inside the Application, such as ("spec", "source", "path")."""
    new: Any
    """The right value; empty where only the history can know it."""
    check: FieldCheck
    label: str
    """The name of the field for people: `path of Application x`."""
    reason: str
    evidence: tuple[str, ...]
    score: float = 0.7


def correct_field(case: RemedyContext, correction: FieldCorrection) -> Iterator[Fix]:
    """Yield the fix with the previous value, if that passes the check, and the fix with the new value."""
    current = get(correction.application.body, correction.path)
    for place in field_places(case, correction.application, correction.path):
        results = [*_restored(case, correction, place)]
        if correction.new not in ("", None):
            value = _inverted(place, current, correction.new)
            if value is not MISSING and (fix := _fix(case, correction, place, value)):
                results.append(fix)
        if results:
            yield from results
            return


def field_places(case: RemedyContext, application: Application, path: YamlPath) -> Iterator[Place]:
    """Yield the places in files that can set a field of an Application, the likeliest first."""
    origin = application.origin
    if origin is None:
        yield _place(
            application.file, application.document, path, get(application.body, path), "the Application's own document"
        )
        return
    if origin.kind == "generator":
        text = get(origin.template, path)
        yield _place(origin.file, origin.document, (*origin.path, *path), text, "the ApplicationSet's template")
        if isinstance(text, str) and "{{" in text:
            yield from origin.parameters.values()
        return
    if origin.kind == "values":
        body = _document(case.repository, origin.file, origin.document)
        at = (*origin.path, *path)
        if not origin.inside:
            yield _place(origin.file, origin.document, at, get(body, at), "the values that describe the Application")
    if origin.producer is not None:
        for manifest in case.repository.objects(origin.producer):
            if manifest.kind == "Application" and manifest.name == application.name:
                located = case.repository.locate(origin.producer, manifest, path)
                yield from located.places if located.status in ("located", "insert") else ()


def _place(file: str, document: int, path: YamlPath, value: Any, why: str) -> Place:
    exists = value is not MISSING
    return Place(
        file=file, document=document, path=path, value=value if exists else None, exists=exists, proof="direct", why=why
    )


def _document(repository: Repository, file: str, index: int) -> Any:
    try:
        bodies = documents(repository.read(file))
    except ConfigError:
        return None
    return bodies[index] if bodies is not None and index < len(bodies) else None


def _inverted(place: Place, current: Any, new: Any) -> Any:
    """Return the text for the place that makes the field `new`; MISSING where no text there can do it."""
    if not place.exists or place.value == current or current is MISSING:
        return new
    text, rendered, expected = str(place.value), str(current), str(new)
    if "{{" in text:
        return _template_inverted(text, rendered, expected)
    at = rendered.find(text)
    while text and at >= 0:
        front, back = rendered[:at], rendered[at + len(text) :]
        if expected.startswith(front) and expected.endswith(back) and len(expected) > len(front) + len(back):
            return expected[len(front) : len(expected) - len(back)]
        at = rendered.find(text, at + 1)
    return MISSING


def _template_inverted(text: str, rendered: str, expected: str) -> Any:
    """Return the template with its literal parts changed and its placeholders kept; MISSING where that is impossible."""
    front = 0
    while front < min(len(rendered), len(expected)) and rendered[front] == expected[front]:
        front += 1
    back = 0
    while back < min(len(rendered), len(expected)) - front and rendered[-1 - back] == expected[-1 - back]:
        back += 1
    head, tail = text.find("{{"), len(text) - (text.rfind("}}") + 2)
    if rendered[:head] == text[:head] and len(rendered) - back <= head:
        return expected[: len(expected) - (len(rendered) - head)] + text[head:]
    if tail and rendered.endswith(text[-tail:]) and front >= len(rendered) - tail:
        return text[:-tail] + expected[len(rendered) - tail :]
    return MISSING


def _restored(case: RemedyContext, correction: FieldCorrection, place: Place) -> Iterator[Fix]:
    if not place.exists or not case.policies.actions["roll_back"].enabled:
        return
    changes_of_place = history.changes(case.repository.root, place, limit=LOOK_BACK).changes
    if any(change.old == place.value for change in changes_of_place[1:]):
        return  # the newest change restored an older value: it was corrected since
    for change in changes_of_place:
        if change.old is MISSING or change.old == place.value or isinstance(change.old, dict | list):
            continue
        fix = _fix(case, correction, place, change.old)
        if fix is None:
            continue
        sentence = describe_change(change, place.path)
        yield replace(
            fix,
            title=f"restore {correction.label} to {change.old}",
            reason=f"{sentence}. {correction.reason}",
            parameters={**fix.parameters, "commit": change.commit[:10]},
            score=0.95,
            rollback=sentence,
        )
        return


def _fix(case: RemedyContext, correction: FieldCorrection, place: Place, value: Any) -> Fix | None:
    """Return the fix with this value, if the tree that results from it passes the check."""
    edit = Edit(
        op="set" if place.exists else "insert",
        file=place.file,
        document=place.document,
        path=place.path,
        inside=place.inside,
        value=value,
    )
    after = with_edits(case, edit)
    if after is None:
        return None
    fresh = counterpart(after, correction.application)
    if fresh is None or not correction.check(after, fresh):
        return None
    return Fix(
        title=f"set {correction.label} to {value}",
        reason=correction.reason,
        evidence=correction.evidence,
        edits=(edit,),
        places=(with_shared_applications(place, case.repository, after, correction.application),),
        applications=affected_applications(case.repository, after, correction.application),
        parameters={
            "application": correction.application.name,
            "field": format_path(correction.path),
            "to": str(value),
        },
        score=correction.score,
    )


def with_edits(case: RemedyContext, *edits: Edit) -> Repository | None:
    """Return the repository with these edits in memory; None where an edit cannot be made."""
    try:
        return case.repository.with_changes(changes(edits, case.repository.read))
    except (EditRefused, ConfigError, ValueError):
        return None


def counterpart(repository: Repository, application: Application) -> Application | None:
    """Return the same Application in another state of the repository."""
    same_name = [
        app
        for app in repository.applications
        if app.name == application.name and app.object_namespace == application.object_namespace
    ]
    return next((app for app in same_name if app.cluster == application.cluster), same_name[0] if same_name else None)


def affected_applications(original: Repository, after: Repository, application: Application) -> tuple[Application, ...]:
    """Return every Application whose text or rendering may differ: those that changed, and their parents."""
    old = {(app.object_namespace, app.name, app.cluster): app for app in original.applications}
    changed_apps = [
        app
        for app in after.applications
        if (old_app := old.get((app.object_namespace, app.name, app.cluster))) is None or old_app.body != app.body
    ]
    names = {application.name, *(app.name for app in changed_apps)}
    is_growing = True
    while is_growing:
        above = {app.parent for app in original.applications if app.name in names and app.parent}
        above |= {
            app.origin.producer.name
            for app in original.applications
            if app.name in names and app.origin and app.origin.producer
        }
        is_growing = not above <= names
        names |= above
    affected = [app for app in original.applications if app.name in names]
    return tuple(dict.fromkeys([*affected, *changed_apps]))


def with_shared_applications(place: Place, original: Repository, after: Repository, application: Application) -> Place:
    """Return the place with the names of the other Applications that its change affects."""
    changed_names = {change.application for change in original.difference(after)}
    above = {app.parent for app in original.applications if app.parent} | {
        app.origin.producer.name for app in original.applications if app.origin and app.origin.producer
    }
    other_names = [
        app.name for app in original.applications if app.name in changed_names - above and app.name != application.name
    ]
    return place.model_copy(update={"also_feeds": tuple(dict.fromkeys((*place.also_feeds, *other_names)))})


def complaints(case: RemedyContext, *signals: str) -> Iterator[tuple[Application, Any]]:
    """Yield (Application, evidence) for the evidence of these signals whose Application is in the repository."""
    yielded = set()
    for evidence in case.signals(*signals):
        name = (
            evidence.subject.application
            or case.diagnosis.subject.application
            or (evidence.subject.name if evidence.subject.kind == "Application" else "")
        )
        application = case.repository.application(name) if name else None
        if application is not None and (application.key, evidence.text) not in yielded:
            yielded.add((application.key, evidence.text))
            yield application, evidence


def has_no_faults(repository: Repository, application: Application) -> bool:
    """Return True where no fault of the Application lies in the repository; `remote` and `declined` are no faults."""
    return not any(problem.fault for problem in repository.problems_of(application))
