"""Namespaces that an Application deploys to and that do not exist: let Argo CD create them.

Where the namespace looks like a misspelling of one that others use, creating it would hide the fault. Then the
destination is restored from the history instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from remediator.domain.change import Edit, Place
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Application
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.path_spelling import surely_meant
from remediator.remedies.views.application_field import (
    FieldCorrection,
    affected_applications,
    complaints,
    correct_field,
    counterpart,
    field_places,
    with_edits,
)


def create_namespace(case: RemedyContext) -> Iterator[Fix]:
    """Let Argo CD create the namespace that the Application's destination names."""
    for application, evidence in complaints(case, "namespace_missing"):
        missing = evidence.facts.get("namespace") or evidence.facts.get("missing") or ""
        if application.namespace != missing:
            continue
        options = get(application.body, ("spec", "syncPolicy", "syncOptions"))
        current_options = [str(item) for item in options] if isinstance(options, list) else []
        if "CreateNamespace=true" in current_options:
            continue
        if _namespace_misspelt(case, application):
            yield from _destination_restored(case, application, evidence)
            continue
        for edit, place in _option_edits(case, application, current_options):
            after = with_edits(case, edit)
            fresh = counterpart(after, application) if after is not None else None
            if (
                after is None
                or fresh is None
                or "CreateNamespace=true" not in (get(fresh.body, ("spec", "syncPolicy", "syncOptions")) or [])
            ):
                continue
            yield Fix(
                title=f"let Argo CD create namespace `{missing}` for `{application.name}`",
                reason=f"Namespace `{missing}` does not exist, and Argo CD does not create it because CreateNamespace is not set.",
                evidence=case.cite(evidence),
                edits=(edit,),
                places=(place,),
                applications=affected_applications(case.repository, after, application),
                parameters={"application": application.name, "namespace": missing},
                score=0.8,
            )
            break


def _namespace_misspelt(case: RemedyContext, application: Application) -> bool:
    """Return True where a namespace that others use has nearly the same name."""
    declared = {
        m.name for app in case.repository.applications for m in case.repository.objects(app) if m.kind == "Namespace"
    }
    used = {user.namespace for user in case.repository.applications if user != application}
    near = surely_meant(application.namespace, (declared | used) - {application.namespace, ""})
    return bool(near) and application.namespace not in used


def _destination_restored(case: RemedyContext, application: Application, evidence: Evidence) -> Iterator[Fix]:
    """Yield the destination from the history, if that is a namespace in use."""
    used = {user.namespace for user in case.repository.applications if user != application}
    yield from correct_field(
        case,
        FieldCorrection(
            application=application,
            path=("spec", "destination", "namespace"),
            new="",
            check=lambda _, fresh: fresh.namespace in used,
            label=f"destination of Application `{application.name}`",
            reason=f"Namespace `{application.namespace}` does not exist, but other Applications use one of nearly that name.",
            evidence=case.cite(evidence),
        ),
    )


def _option_edits(
    case: RemedyContext, application: Application, current_options: list[str]
) -> Iterator[tuple[Edit, Place]]:
    """Yield the edit for each text that can set the sync options: change the option, append it, or add the list."""
    base: YamlPath = ("spec", "syncPolicy")
    off = next(
        (index for index, item in enumerate(current_options) if item.lower().startswith("createnamespace=")), None
    )
    value = "CreateNamespace=true"
    if off is not None:
        for place in field_places(case, application, (*base, "syncOptions", off)):
            yield _edit("set", place, value), place
        return
    if current_options:
        for place in field_places(case, application, (*base, "syncOptions")):
            yield _edit("append", place, value), place
        return
    policy = get(application.body, base)
    if isinstance(policy, dict):
        for place in field_places(case, application, (*base, "syncOptions")):
            yield _edit("set" if place.exists else "insert", place, [value]), place
    else:
        for place in field_places(case, application, base):
            inserted: object = {"syncOptions": [value]}
            yield _edit("set" if place.exists and place.value is not MISSING else "insert", place, inserted), place


def _edit(op: Literal["set", "insert", "append"], place: Place, value: object) -> Edit:
    return Edit.at(place, op, value)
