"""Application and ApplicationSet objects: conditions, operation, sync, health, resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.domain.json_reader import objects_at, text_at, value_at
from remediator.evidence.draft import Draft
from remediator.evidence.formats.argocd import resource
from remediator.evidence.lines import rfc3339
from remediator.evidence.messages import message_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.evidence.formats.finder import Finder
    from remediator.evidence.section import Section


def _facts(item: dict[str, Any]) -> dict[str, str]:
    sources = [
        source
        for source in (value_at(item, "spec", "source"), *objects_at(item, "spec", "sources"))
        if isinstance(source, dict)
    ]
    facts = {
        "app_namespace": text_at(item, "metadata", "namespace"),
        "project": text_at(item, "spec", "project"),
        "server": text_at(item, "spec", "destination", "server") or text_at(item, "spec", "destination", "name"),
        "destination_namespace": text_at(item, "spec", "destination", "namespace"),
        "sync_status": text_at(item, "status", "sync", "status"),
        "health": text_at(item, "status", "health", "status"),
        "revision": text_at(item, "status", "sync", "revision")
        or ", ".join(map(str, value_at(item, "status", "sync", "revisions") or ())),
    }
    for fact, key in (
        ("repo", "repoURL"),
        ("path", "path"),
        ("target_revision", "targetRevision"),
        ("chart", "chart"),
        ("ref", "ref"),
    ):
        facts[fact] = ", ".join(text for source in sources if (text := text_at(source, key)))
    return facts


def read(item: dict[str, Any], section: Section, finder: Finder) -> Iterator[Draft]:
    """Yield sync and health first, then conditions, the last operation and its failed results, then every resource."""
    kind, name = str(item["kind"]), text_at(item, "metadata", "name")
    base = Draft(
        finder.line(name),
        "sync",
        kind=kind,
        name=name,
        namespace=text_at(item, "metadata", "namespace"),
        section=section.no,
        facts=_facts(item),
    )
    base.application = name if kind == "Application" else ""
    status = value_at(item, "status") or {}
    for title, fact in (("Sync Status", "sync_status"), ("Health Status", "health")):
        if base.facts[fact]:
            message = text_at(status, "health", "message") if fact == "health" else ""
            yield base.like(
                reason=base.facts[fact], text=f"{title}: {base.facts[fact]}" + (f": {message}" if message else "")
            )
    for condition in objects_at(status, "conditions"):
        if kind == "ApplicationSet" and (text_at(condition, "status") == "True") != text_at(
            condition, "type"
        ).startswith("Error"):
            continue
        message = text_at(condition, "message")
        draft = base.like(
            reason=text_at(condition, "type"), text=message, last_seen=rfc3339(text_at(condition, "lastTransitionTime"))
        )
        draft.line = finder.line(message)
        draft.facts |= {
            "condition": draft.reason,
            "condition_reason": text_at(condition, "reason"),
            **message_facts(message),
        }
        yield draft
    if isinstance(operation := value_at(status, "operationState"), dict):
        yield from _operation(operation, base, finder)
    for row in objects_at(status, "resources"):
        draft = base.like(kind=text_at(row, "kind"), name=text_at(row, "name"), namespace=text_at(row, "namespace"))
        draft.line = finder.line(draft.name)
        resource(draft, text_at(row, "status"), text_at(row, "health", "status"), text_at(row, "health", "message"))
        draft.facts["group"] = text_at(row, "group")
        yield draft


def is_status(document: Any) -> bool:
    """Return True for the status of an Application without the rest of it."""
    return (
        isinstance(document, dict)
        and "kind" not in document
        and isinstance(value_at(document, "status", "operationState"), dict)
    )


def read_status(document: dict[str, Any], section: Section, finder: Finder) -> Iterator[Draft]:
    """Yield what the status tells of the Application that the command names."""
    _, name = section.command.target
    named = {"kind": "Application", "metadata": {"name": name, "namespace": section.command.namespace}}
    yield from read({**document, **named}, section, finder)


def is_operation(document: Any) -> bool:
    """Return True for an Application's operation state alone, as `jq .status.operationState` prints it."""
    return isinstance(document, dict) and "kind" not in document and isinstance(document.get("syncResult"), dict)


def read_operation(document: dict[str, Any], section: Section, finder: Finder) -> Iterator[Draft]:
    """Yield the operation and its failed results; the command tells whose it is, where one does."""
    kind, name = section.command.target
    base = Draft(
        finder.line("phase"), "sync", kind="Application", namespace=section.command.namespace, section=section.no
    )
    if kind == "Application" or section.command.tool == "argocd":
        base.name = base.application = name
    yield from _operation(document, base, finder)


def _operation(operation: dict[str, Any], base: Draft, finder: Finder) -> Iterator[Draft]:
    draft = base.like(reason=text_at(operation, "phase"), text=text_at(operation, "message"))
    draft.line = finder.line(draft.text)
    draft.first_seen, draft.last_seen = (
        rfc3339(text_at(operation, "startedAt")),
        rfc3339(text_at(operation, "finishedAt")),
    )
    draft.facts |= {
        "operation": "Sync",
        "phase": draft.reason,
        "sync_revision": text_at(operation, "syncResult", "revision"),
        "retry_count": text_at(operation, "retryCount"),
        **message_facts(draft.text),
    }
    yield draft
    for result in objects_at(operation, "syncResult", "resources"):
        status, message = text_at(result, "status"), text_at(result, "message")
        if status == "Synced" and text_at(result, "hookPhase") in {"", "Succeeded", "Running"}:
            continue
        failed = draft.like(
            kind=text_at(result, "kind"),
            name=text_at(result, "name"),
            namespace=text_at(result, "namespace"),
            reason=status or text_at(result, "hookPhase"),
            text=message,
        )
        failed.line = finder.line(message)
        failed.facts |= {
            "resource_status": status,
            "hook_phase": text_at(result, "hookPhase"),
            "group": text_at(result, "group"),
            **message_facts(message),
        }
        yield failed
