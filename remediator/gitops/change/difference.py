"""What a change does to the rendered objects: field by field, for the Applications that it can reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from remediator.domain.yaml_paths import MISSING, YamlPath, differing
from remediator.gitops.model import Application, Manifest, ObjectChange

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def difference(before: Checkout, after: Checkout) -> Iterator[ObjectChange]:
    """Every rendered field, object and Application that differs, and what newly fails to render."""
    files = {name for name, data in after.store.overlay.items() if before.store.overlay.get(name, MISSING) != data}
    old = {app.key: app for app in before.applications}
    new = {app.key: app for app in after.applications}
    for key, app in old.items():
        if key not in new:
            yield _of_application(app, app, None)
    for key, app in new.items():
        if key not in old:
            yield _of_application(app, None, app)
        elif (
            app.body != old[key].body
            or app.sources != old[key].sources
            or any(before.feeds.reads(old[key], file) or after.feeds.reads(app, file) for file in files)
        ):
            yield from _objects(before, after, old[key], app)


def affected(before: Checkout, after: Checkout) -> list[Application]:
    """Applications of the changed checkout that the change can reach."""
    files = {name for name, data in after.store.overlay.items() if before.store.overlay.get(name, MISSING) != data}
    old = {app.key: app for app in before.applications}
    return [
        app
        for app in after.applications
        if app.key not in old
        or old[app.key].body != app.body
        or any(after.feeds.reads(app, file) or before.feeds.reads(app, file) for file in files)
    ]


def _of_application(app: Application, before: Application | None, after: Application | None) -> ObjectChange:
    return ObjectChange(
        app.name,
        "argoproj.io/v1alpha1",
        "Application",
        app.name,
        app.namespaced,
        (),
        before.body if before else MISSING,
        after.body if after else MISSING,
        "application",
    )


def _objects(before: Checkout, after: Checkout, old: Application, new: Application) -> Iterator[ObjectChange]:
    failed = {problem.message for problem in before.problems_of(old) if problem.fault}
    for problem in after.problems_of(new):
        if problem.fault and problem.message not in failed:
            yield ObjectChange(
                new.name,
                "argoproj.io/v1alpha1",
                "Application",
                new.name,
                new.namespaced,
                (),
                MISSING,
                problem.message,
                "failure",
            )
    had, has = _by_identity(before.objects(old)), _by_identity(after.objects(new))
    for identity in [*had, *(identity for identity in has if identity not in had)]:
        one, other = had.get(identity), has.get(identity)
        if one is not None and other is not None:
            for path, value, now in differing(one.body, other.body):
                yield _change(new, other, path, value, now)
        elif one is not None:
            yield _change(new, one, (), one.body, MISSING, "object")
        elif other is not None:
            yield _change(new, other, (), MISSING, other.body, "object")


def _by_identity(objects: tuple[Manifest, ...]) -> dict[tuple[object, ...], Manifest]:
    """Objects by identity; several of one identity (generateName) by their order."""
    found: dict[tuple[object, ...], Manifest] = {}
    for item in objects:
        number = 0
        while (*item.identity, number) in found:
            number += 1
        found[*item.identity, number] = item
    return found


def _change(
    app: Application,
    item: Manifest,
    path: YamlPath,
    before: Any,
    after: Any,
    what: Literal["field", "object"] = "field",
) -> ObjectChange:
    return ObjectChange(app.name, item.api_version, item.kind, item.name, item.namespace, path, before, after, what)
