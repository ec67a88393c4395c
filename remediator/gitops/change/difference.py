"""Compare what Argo CD would apply before and after a change, field by field.

Only the Applications that the change can reach are rendered; all others stay as they are by construction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from remediator.domain.yaml_paths import MISSING, YamlPath, value_differences
from remediator.gitops.change.generated_names import successors
from remediator.gitops.model import Application, Manifest, ObjectChange

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def difference(base: Checkout, changed: Checkout) -> Iterator[ObjectChange]:
    """Yield every rendered field, object and Application that differs, and each new failure to render."""
    files = {name for name, data in changed.store.overlay.items() if base.store.overlay.get(name, MISSING) != data}
    old_applications = {app.key: app for app in base.applications}
    new_applications = {app.key: app for app in changed.applications}
    for key, app in old_applications.items():
        if key not in new_applications:
            yield _of_application(app, app, None)
    for key, app in new_applications.items():
        if key not in old_applications:
            yield _of_application(app, None, app)
        elif (
            app.body != old_applications[key].body
            or app.sources != old_applications[key].sources
            or any(base.feeds.reads(old_applications[key], file) or changed.feeds.reads(app, file) for file in files)
        ):
            yield from _objects(base, changed, old_applications[key], app)


def affected(base: Checkout, changed: Checkout) -> list[Application]:
    """Return the Applications of the changed checkout that the change can reach."""
    files = {name for name, data in changed.store.overlay.items() if base.store.overlay.get(name, MISSING) != data}
    old_applications = {app.key: app for app in base.applications}
    return [
        app
        for app in changed.applications
        if app.key not in old_applications
        or old_applications[app.key].body != app.body
        or any(changed.feeds.reads(app, file) or base.feeds.reads(app, file) for file in files)
    ]


def _of_application(app: Application, old: Application | None, new: Application | None) -> ObjectChange:
    return ObjectChange(
        app.name,
        "argoproj.io/v1alpha1",
        "Application",
        app.name,
        app.object_namespace,
        (),
        old.body if old else MISSING,
        new.body if new else MISSING,
        "application",
    )


def _objects(base: Checkout, changed: Checkout, old: Application, new: Application) -> Iterator[ObjectChange]:
    failed = {problem.message for problem in base.problems_of(old) if problem.fault}
    for problem in changed.problems_of(new):
        if problem.fault and problem.message not in failed:
            yield ObjectChange(
                new.name,
                "argoproj.io/v1alpha1",
                "Application",
                new.name,
                new.object_namespace,
                (),
                MISSING,
                problem.message,
                "failure",
            )
    old_objects, new_objects = _by_identity(_applied(base, old)), _by_identity(_applied(changed, new))
    renamed = successors(old_objects, new_objects)
    added = [identity for identity in new_objects if identity not in old_objects and identity not in renamed.values()]
    for identity in [*old_objects, *added]:
        old_object, new_object = old_objects.get(identity), new_objects.get(renamed.get(identity, identity))
        if old_object is not None and new_object is not None:
            for path, old_value, new_value in value_differences(old_object.body, new_object.body):
                if identity not in renamed or path != ("metadata", "name"):
                    yield _change(new, old_object, path, old_value, new_value)
        elif old_object is not None:
            yield _change(new, old_object, (), old_object.body, MISSING, "object")
        elif new_object is not None:
            yield _change(new, new_object, (), MISSING, new_object.body, "object")


def _applied(repo: Checkout, app: Application) -> tuple[Manifest, ...]:
    """Return what the cluster would get: nothing where helm fails, although the templates say something."""
    return () if repo.rendering(app).fallback else repo.objects(app)


def _by_identity(objects: tuple[Manifest, ...]) -> dict[tuple[object, ...], Manifest]:
    """Return the objects by identity; several of one identity (generateName) are told apart by their order."""
    by_identity: dict[tuple[object, ...], Manifest] = {}
    for item in objects:
        number = 0
        while (*item.identity, number) in by_identity:
            number += 1
        by_identity[*item.identity, number] = item
    return by_identity


def _change(
    app: Application,
    item: Manifest,
    path: YamlPath,
    old: Any,
    new: Any,
    scope: Literal["field", "object"] = "field",
) -> ObjectChange:
    return ObjectChange(app.name, item.api_version, item.kind, item.name, item.namespace, path, old, new, scope)
