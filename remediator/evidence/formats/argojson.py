"""Application and ApplicationSet objects: conditions, operation, sync, health, resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.evidence.draft import Draft
from remediator.evidence.formats.argocd import resource
from remediator.evidence.lines import rfc3339
from remediator.evidence.messages import message_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.evidence.formats.finder import Finder
    from remediator.evidence.section import Section


def _part(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any, *path: str) -> str:
    found = _part(value, *path)
    return str(found) if isinstance(found, str | int | float) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _facts(item: dict[str, Any]) -> dict[str, str]:
    sources = [
        one for one in (_part(item, "spec", "source"), *_dicts(_part(item, "spec", "sources"))) if isinstance(one, dict)
    ]
    facts = {
        "app_namespace": _text(item, "metadata", "namespace"),
        "project": _text(item, "spec", "project"),
        "server": _text(item, "spec", "destination", "server") or _text(item, "spec", "destination", "name"),
        "destination_namespace": _text(item, "spec", "destination", "namespace"),
        "sync_status": _text(item, "status", "sync", "status"),
        "health": _text(item, "status", "health", "status"),
        "revision": _text(item, "status", "sync", "revision")
        or ", ".join(map(str, _part(item, "status", "sync", "revisions") or ())),
    }
    for fact, key in (
        ("repo", "repoURL"),
        ("path", "path"),
        ("target_revision", "targetRevision"),
        ("chart", "chart"),
        ("ref", "ref"),
    ):
        facts[fact] = ", ".join(found for one in sources if (found := _text(one, key)))
    return facts


def read(item: dict[str, Any], section: Section, finder: Finder) -> Iterator[Draft]:
    """Sync and health first, then conditions, the last operation and its failed results, then every resource."""
    kind, name = str(item["kind"]), _text(item, "metadata", "name")
    base = Draft(
        finder.line(name),
        "sync",
        kind=kind,
        name=name,
        namespace=_text(item, "metadata", "namespace"),
        section=section.no,
        facts=_facts(item),
    )
    base.application = name if kind == "Application" else ""
    status = _part(item, "status") or {}
    for title, fact in (("Sync Status", "sync_status"), ("Health Status", "health")):
        if base.facts[fact]:
            message = _text(status, "health", "message") if fact == "health" else ""
            yield base.like(
                reason=base.facts[fact], text=f"{title}: {base.facts[fact]}" + (f": {message}" if message else "")
            )
    for condition in _dicts(_part(status, "conditions")):
        if kind == "ApplicationSet" and (_text(condition, "status") == "True") != _text(condition, "type").startswith(
            "Error"
        ):
            continue
        message = _text(condition, "message")
        draft = base.like(
            reason=_text(condition, "type"), text=message, last_seen=rfc3339(_text(condition, "lastTransitionTime"))
        )
        draft.line = finder.line(message)
        draft.facts |= {
            "condition": draft.reason,
            "condition_reason": _text(condition, "reason"),
            **message_facts(message),
        }
        yield draft
    if isinstance(operation := _part(status, "operationState"), dict):
        yield from _operation(operation, base, finder)
    for one in _dicts(_part(status, "resources")):
        draft = base.like(kind=_text(one, "kind"), name=_text(one, "name"), namespace=_text(one, "namespace"))
        draft.line = finder.line(draft.name)
        resource(draft, _text(one, "status"), _text(one, "health", "status"), _text(one, "health", "message"))
        draft.facts["group"] = _text(one, "group")
        yield draft


def _operation(operation: dict[str, Any], base: Draft, finder: Finder) -> Iterator[Draft]:
    draft = base.like(reason=_text(operation, "phase"), text=_text(operation, "message"))
    draft.line = finder.line(draft.text)
    draft.first_seen, draft.last_seen = rfc3339(_text(operation, "startedAt")), rfc3339(_text(operation, "finishedAt"))
    draft.facts |= {
        "operation": "Sync",
        "phase": draft.reason,
        "sync_revision": _text(operation, "syncResult", "revision"),
        "retry_count": _text(operation, "retryCount"),
        **message_facts(draft.text),
    }
    yield draft
    for one in _dicts(_part(operation, "syncResult", "resources")):
        status, message = _text(one, "status"), _text(one, "message")
        if status == "Synced" and _text(one, "hookPhase") in {"", "Succeeded", "Running"}:
            continue
        failed = draft.like(
            kind=_text(one, "kind"),
            name=_text(one, "name"),
            namespace=_text(one, "namespace"),
            reason=status or _text(one, "hookPhase"),
            text=message,
        )
        failed.line = finder.line(message)
        failed.facts |= {
            "resource_status": status,
            "hook_phase": _text(one, "hookPhase"),
            "group": _text(one, "group"),
            **message_facts(message),
        }
        yield failed
