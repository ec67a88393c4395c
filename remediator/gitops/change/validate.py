"""Find the problems that a change newly causes.

They are files that no longer parse, charts that no longer render and objects that Kubernetes would refuse. A problem
that was there before is not the change's, so it must not stop the fix of another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from remediator.domain.yaml_paths import YamlPath, format_path
from remediator.gitops import yamlread
from remediator.gitops.change.difference import affected
from remediator.gitops.model import Application, Manifest, Problem
from remediator.gitops.tree.scan import is_yaml
from remediator.gitops.yamlread import UnreadableYaml

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout

MAX_ERRORS = 20
_ENUMS: dict[tuple[str, ...], frozenset[str]] = {
    ("imagePullPolicy",): frozenset(("Always", "IfNotPresent", "Never")),
    ("restartPolicy",): frozenset(("Always", "OnFailure", "Never")),
    ("dnsPolicy",): frozenset(("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")),
    ("concurrencyPolicy",): frozenset(("Allow", "Forbid", "Replace")),
    ("podManagementPolicy",): frozenset(("OrderedReady", "Parallel")),
    ("sessionAffinity",): frozenset(("ClientIP", "None")),
    ("pathType",): frozenset(("Exact", "Prefix", "ImplementationSpecific")),
}
_QUANTITY = r"[+-]?([0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?"


def validate(base: Checkout, changed: Checkout) -> Iterator[Problem]:
    """Yield the problems of the changed checkout that it did not have before."""
    reported_files: set[tuple[str, str]] = set()
    for problem in _files(base, changed):
        reported_files.add((problem.file, problem.kind))
        yield problem
    old_applications = {app.key: app for app in base.applications}
    old_messages = {problem.message for problem in base.problems}
    for problem in changed.problems:
        if problem.fault and problem.message not in old_messages and (problem.file, problem.kind) not in reported_files:
            yield problem
    for app in affected(base, changed):
        previous = old_applications.get(app.key)
        old_failures = {problem.message for problem in base.problems_of(previous)} if previous else set()
        for problem in changed.problems_of(app):
            if (
                problem.fault
                and problem.message not in old_failures
                and (problem.file, problem.kind) not in reported_files
            ):
                yield problem
        yield from _schemas(base, changed, previous, app)


def _files(base: Checkout, changed: Checkout) -> Iterator[Problem]:
    """Yield the changed files that no longer parse; templates are left to rendering."""
    for name, data in changed.store.overlay.items():
        if data is None or not is_yaml(name) or b"{{" in data:
            continue
        error = _unreadable(data)
        if error is None:
            continue
        try:
            unreadable_before = _unreadable(base.store.read(name)) is not None
        except UnreadableYaml:
            unreadable_before = False
        if not unreadable_before:
            yield Problem("parse", error.message, file=name, line=error.line)


def _unreadable(data: bytes) -> UnreadableYaml | None:
    try:
        yamlread.documents(data)
    except UnreadableYaml as error:
        return error
    return None


def _schemas(base: Checkout, changed: Checkout, previous: Application | None, app: Application) -> Iterator[Problem]:
    old_objects = {item.identity: item for item in (base.objects(previous) if previous else ())}
    for item in changed.objects(app):
        old_object = old_objects.get(item.identity)
        if old_object is not None and old_object.body == item.body and old_object.api_version == item.api_version:
            continue
        old_errors = set(errors(old_object)) if old_object else set()
        for message in errors(item):
            if message not in old_errors:
                yield Problem("schema", f"{item.kind} {item.name}: {message}", file=item.file, application=app.name)


def errors(item: Manifest) -> Iterator[str]:
    """Yield the reasons for which Kubernetes would refuse an object; kinds that are not its own are not judged."""
    if not item.kind or not item.api_version:
        yield "an object needs apiVersion and kind"
        return
    validator = _validator(item.kind, item.api_version)
    if validator is None:
        if _built_in(item.api_version):
            yield f"Kubernetes has no {item.kind} in {item.api_version}"
        return
    schema_errors = sorted(
        validator.iter_errors(item.body), key=lambda error: [str(step) for step in error.absolute_path]
    )
    for error in schema_errors[:MAX_ERRORS]:
        path = format_path(tuple(error.absolute_path))
        yield f"{path}: {error.message[:300]}" if path else str(error.message)[:300]
    yield from _extra_errors(item.body, ())


def _built_in(api_version: str) -> bool:
    group = api_version.rpartition("/")[0]
    return group in _GROUPS or (not group and api_version == "v1")


_GROUPS = frozenset(
    (
        "apps",
        "batch",
        "autoscaling",
        "policy",
        "extensions",
        "networking.k8s.io",
        "rbac.authorization.k8s.io",
        "storage.k8s.io",
        "scheduling.k8s.io",
        "apiextensions.k8s.io",
        "admissionregistration.k8s.io",
    )
)


@lru_cache(maxsize=256)
def _validator(kind: str, api_version: str) -> Any:
    """Return the strict schema of a kind in the newest Kubernetes that is known; None for kinds without one."""
    import jsonschema
    from kubernetes_validate import utils
    from referencing import Registry, Resource

    folder = f"kubernetes-json-schema/v{_newest()}-local-strict"
    short = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    name = f"{kind.lower()}-{short}.json"
    if not re.fullmatch(r"[\w.-]+", name):
        return None
    try:
        schema = utils.schema_contents(f"{folder}/{name}", _newest())
    except (FileNotFoundError, utils.VersionNotSupportedError, utils.InvalidSchemaError):
        return None
    registry: Any = Resource.from_contents(schema) @ (_definitions() @ Registry())
    return jsonschema.validators.Draft202012Validator(schema, registry=registry)


@lru_cache(maxsize=1)
def _newest() -> str:
    from kubernetes_validate import utils

    return str(utils.latest_version())


@lru_cache(maxsize=1)
def _definitions() -> Any:
    from kubernetes_validate import utils
    from referencing import Resource

    folder = f"kubernetes-json-schema/v{_newest()}-local-strict"
    return Resource.from_contents(utils.schema_contents(f"{folder}/_definitions.json", _newest()))


def _extra_errors(node: Any, path: YamlPath) -> Iterator[str]:
    """Yield the errors that the schemas do not cover: enumerations and quantities."""
    if isinstance(node, dict):
        for key, value in node.items():
            allowed = _ENUMS.get((str(key),))
            field = format_path((*path, str(key)))
            if allowed and isinstance(value, str) and value not in allowed:
                yield f"{field}: {value!r} is none of {', '.join(sorted(allowed))}"
            if key in ("limits", "requests") and path[-1:] == ("resources",) and isinstance(value, dict):
                for name, amount in value.items():
                    if not re.fullmatch(_QUANTITY, str(amount)):
                        yield f"{field}.{name}: {amount!r} is not a quantity"
            yield from _extra_errors(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _extra_errors(value, (*path, index))
