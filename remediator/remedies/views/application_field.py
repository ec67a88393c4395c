"""Fields of an Application itself, wherever its text comes from: a document, a template, a generator, values.

A rendered field is located and proved by the repository; an Application's own text steers the rendering, so a change
of it is proved by reading the whole tree again and looking at the Application that comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, get
from remediator.errors import ConfigError
from remediator.gitops import Application, Repository, history
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.older_values import LOOK_BACK, describe_change
from remediator.yamledit import EditRefused

FieldCheck = Callable[[Repository, Application], bool]
"""Whether the Application, as the changed repository has it, is what the incident needs."""


@dataclass(frozen=True)
class FieldCorrection:
    """One field of an Application that must change, and the words for it."""

    application: Application
    path: YamlPath
    """Within the Application, such as ("spec", "source", "path")."""
    new: Any
    """The right value; empty where only the history may know it."""
    check: FieldCheck
    label: str
    """For people: `path of Application x`."""
    reason: str
    evidence: tuple[str, ...]
    score: float = 0.7


def correct_field(case: RemedyContext, wanted: FieldCorrection) -> Iterator[Fix]:
    """The fix with the value that stood there before, where it holds, and with the new one."""
    present = get(wanted.application.body, wanted.path)
    for place in field_places(case, wanted.application, wanted.path):
        found = [*_restored(case, wanted, place)]
        if wanted.new not in ("", None):
            value = _inverted(place, present, wanted.new)
            if value is not MISSING and (fix := _fix(case, wanted, place, value)):
                found.append(fix)
        if found:
            yield from found
            return


def field_places(case: RemedyContext, application: Application, path: YamlPath) -> Iterator[Place]:
    """Texts that can hold a field of an Application, the likeliest first."""
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
    from remediator.policy.leaves import documents

    try:
        found = documents(repository.read(file))
    except ConfigError:
        return None
    return found[index] if found is not None and index < len(found) else None


def _inverted(place: Place, present: Any, new: Any) -> Any:
    """What must stand at the place so that the field becomes `new`; MISSING where it only shares in it otherwise."""
    if not place.exists or place.value == present or present is MISSING:
        return new
    text, whole, wanted = str(place.value), str(present), str(new)
    if "{{" in text:
        return _template_inverted(text, whole, wanted)
    at = whole.find(text)
    while text and at >= 0:
        front, back = whole[:at], whole[at + len(text) :]
        if wanted.startswith(front) and wanted.endswith(back) and len(wanted) > len(front) + len(back):
            return wanted[len(front) : len(wanted) - len(back)]
        at = whole.find(text, at + 1)
    return MISSING


def _template_inverted(text: str, whole: str, wanted: str) -> Any:
    """A template's literal parts changed as the rendered text must change; its placeholders stay."""
    front = 0
    while front < min(len(whole), len(wanted)) and whole[front] == wanted[front]:
        front += 1
    back = 0
    while back < min(len(whole), len(wanted)) - front and whole[-1 - back] == wanted[-1 - back]:
        back += 1
    head, tail = text.find("{{"), len(text) - (text.rfind("}}") + 2)
    if whole[:head] == text[:head] and len(whole) - back <= head:
        return wanted[: len(wanted) - (len(whole) - head)] + text[head:]
    if tail and whole.endswith(text[-tail:]) and front >= len(whole) - tail:
        return text[:-tail] + wanted[len(whole) - tail :]
    return MISSING


def _restored(case: RemedyContext, wanted: FieldCorrection, place: Place) -> Iterator[Fix]:
    if not place.exists or not case.policies.actions["roll_back"].enabled:
        return
    past = history.changes(case.repository.root, place, limit=LOOK_BACK).changes
    if any(change.old == place.value for change in past[1:]):
        return  # the newest change brought back an older value: it was mended since
    for change in past:
        if change.old is MISSING or change.old == place.value or isinstance(change.old, dict | list):
            continue
        fix = _fix(case, wanted, place, change.old)
        if fix is None:
            continue
        said = describe_change(change, place.path)
        yield replace(
            fix,
            title=f"restore {wanted.label} to {change.old}",
            reason=f"{said}. {wanted.reason}",
            parameters={**fix.parameters, "commit": change.commit[:10]},
            score=0.95,
            rollback=said,
        )
        return


def _fix(case: RemedyContext, wanted: FieldCorrection, place: Place, value: Any) -> Fix | None:
    """The fix with this value, if the tree that comes out of it is what the incident needs."""
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
    fresh = counterpart(after, wanted.application)
    if fresh is None or not wanted.check(after, fresh):
        return None
    return Fix(
        title=f"set {wanted.label} to {value}",
        reason=wanted.reason,
        evidence=wanted.evidence,
        edits=(edit,),
        places=(with_shared_applications(place, case.repository, after, wanted.application),),
        applications=affected_applications(case.repository, after, wanted.application),
        parameters={"application": wanted.application.name, "field": format_path(wanted.path), "to": str(value)},
        score=wanted.score,
    )


def with_edits(case: RemedyContext, *edits: Edit) -> Repository | None:
    """The repository with the edits made, in memory; None where they cannot be."""
    try:
        return case.repository.with_changes(changes(edits, case.repository.read))
    except (EditRefused, ConfigError, ValueError):
        return None


def counterpart(repository: Repository, application: Application) -> Application | None:
    """The Application of that name in another state of the repository."""
    named = [
        one
        for one in repository.applications
        if one.name == application.name and one.object_namespace == application.object_namespace
    ]
    return next((one for one in named if one.cluster == application.cluster), named[0] if named else None)


def affected_applications(before: Repository, after: Repository, application: Application) -> tuple[Application, ...]:
    """Every Application whose text or rendering may differ: those that changed, and those above them."""
    old = {(one.object_namespace, one.name, one.cluster): one for one in before.applications}
    moved = [
        one
        for one in after.applications
        if (known := old.get((one.object_namespace, one.name, one.cluster))) is None or known.body != one.body
    ]
    names = {application.name, *(one.name for one in moved)}
    grown = True
    while grown:
        above = {one.parent for one in before.applications if one.name in names and one.parent}
        above |= {
            one.origin.producer.name
            for one in before.applications
            if one.name in names and one.origin and one.origin.producer
        }
        grown = not above <= names
        names |= above
    known_names = [one for one in before.applications if one.name in names]
    return tuple(dict.fromkeys([*known_names, *moved]))


def with_shared_applications(place: Place, before: Repository, after: Repository, application: Application) -> Place:
    """The place with the names of the other Applications whose text or rendering it changes."""
    changed_ones = {change.application for change in before.difference(after)}
    above = {one.parent for one in before.applications if one.parent} | {
        one.origin.producer.name for one in before.applications if one.origin and one.origin.producer
    }
    others = [
        one.name for one in before.applications if one.name in changed_ones - above and one.name != application.name
    ]
    return place.model_copy(update={"also_feeds": tuple(dict.fromkeys((*place.also_feeds, *others)))})


def complaints(case: RemedyContext, *signals: str) -> Iterator[tuple[Application, Any]]:
    """(Application, evidence) for every piece of evidence with one of these signals whose Application is known here."""
    seen = set()
    for one in case.signals(*signals):
        name = (
            one.subject.application
            or case.diagnosis.subject.application
            or (one.subject.name if one.subject.kind == "Application" else "")
        )
        application = case.repository.application(name) if name else None
        if application is not None and (application.key, one.text) not in seen:
            seen.add((application.key, one.text))
            yield application, one


def has_no_faults(repository: Repository, application: Application) -> bool:
    """Whether nothing is wrong with the repository's side of an Application: `remote` and `declined` are no faults."""
    return not any(problem.fault for problem in repository.problems_of(application))
