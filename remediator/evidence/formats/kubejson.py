"""Kubernetes objects as JSON or YAML: lists, events, pods, nodes, workloads, API Status, Applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.domain.json_reader import text_at, value_at
from remediator.evidence.contain import contained
from remediator.evidence.draft import Draft
from remediator.evidence.formats import argojson, condition_blocks, events, podjson
from remediator.evidence.formats.describe_rest import tells_trouble
from remediator.evidence.kinds import WORKLOADS
from remediator.evidence.lines import rfc3339
from remediator.evidence.messages import message_facts
from remediator.evidence.tables import snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.evidence.formats.finder import Finder
    from remediator.evidence.section import Section


def is_object(document: Any) -> bool:
    """Return True if the document is an object or a list of the Kubernetes API."""
    return isinstance(document, dict) and (
        (
            isinstance(document.get("kind"), str)
            and any(key in document for key in ("apiVersion", "metadata", "items", "involvedObject"))
        )
        or isinstance(document.get("involvedObject"), dict)
        or isinstance(document.get("items"), list)
        or (isinstance(document.get("metadata"), dict) and isinstance(document.get("status"), dict))
    )


def read(document: dict[str, Any], section: Section, finder: Finder) -> Iterator[Draft]:
    """Yield the statements of an object or of each item of a list."""
    items = document.get("items")
    if isinstance(items, list):
        inner = str(document.get("kind") or "").removesuffix("List")
        for number, item in enumerate(items, 1):
            if isinstance(item, dict):
                if inner and inner != document.get("kind"):
                    item.setdefault("kind", inner)
                told = read(item, section, finder)
                yield from contained(told, section.context, section.first, f"item {number} of a list")
        return
    kind = document.get("kind")
    if kind == "Event" or isinstance(document.get("involvedObject"), dict):
        yield _event(document, section, finder)
    elif kind == "Status":
        yield _status(document, section, finder)
    elif kind in {"Application", "ApplicationSet"}:
        yield from argojson.read(document, section, finder)
    elif isinstance(kind, str) or isinstance(document.get("spec"), dict):
        yield from _object(document, section, finder)


def _event(item: dict[str, Any], section: Section, finder: Finder) -> Draft:
    regards = value_at(item, "involvedObject") or value_at(item, "regarding") or {}
    message = text_at(item, "message") or text_at(item, "note")
    finder.line(text_at(item, "metadata", "name") if "metadata" in list(item)[:1] else message)
    draft = Draft(
        finder.line(message), "event", message, text_at(item, "reason"), text_at(item, "type"), section=section.no
    )
    draft.namespace = text_at(regards, "namespace") or text_at(item, "metadata", "namespace")
    count = value_at(item, "series", "count") or value_at(item, "count") or value_at(item, "deprecatedCount")
    draft.count = count if isinstance(count, int) and count > 0 else 1
    fallback = text_at(item, "eventTime") or text_at(item, "metadata", "creationTimestamp")
    draft.first_seen = rfc3339(text_at(item, "firstTimestamp") or text_at(item, "deprecatedFirstTimestamp") or fallback)
    draft.last_seen = rfc3339(
        text_at(item, "series", "lastObservedTime")
        or text_at(item, "lastTimestamp")
        or text_at(item, "deprecatedLastTimestamp")
        or fallback
    )
    if (
        reporter := text_at(item, "source", "component")
        or text_at(item, "reportingComponent")
        or text_at(item, "reportingController")
    ):
        draft.facts["reporter"] = reporter
    if (host := text_at(item, "source", "host")) and text_at(regards, "kind") == "Pod":
        draft.node = host
    return events.event(draft, text_at(regards, "kind"), text_at(regards, "name"), path=text_at(regards, "fieldPath"))


def _status(item: dict[str, Any], section: Section, finder: Finder) -> Draft:
    message = text_at(item, "message")
    draft = Draft(finder.line(message), "status", message, text_at(item, "reason"), section=section.no)
    draft.kind, draft.name = text_at(item, "details", "kind"), text_at(item, "details", "name")
    draft.facts = {"code": text_at(item, "code"), "status": text_at(item, "status"), **message_facts(message)}
    return draft


def _object(item: dict[str, Any], section: Section, finder: Finder) -> Iterator[Draft]:
    kind = text_at(item, "kind") or ("Pod" if isinstance(value_at(item, "spec", "containers"), list) else "")
    name = text_at(item, "metadata", "name")
    base = Draft(finder.line(name), "status", namespace=text_at(item, "metadata", "namespace"), section=section.no)
    base.application = (
        text_at(item, "metadata", "labels", "argocd.argoproj.io/instance")
        or text_at(item, "metadata", "annotations", "argocd.argoproj.io/tracking-id").split(":")[0]
    )
    if kind == "Pod":
        yield from podjson.read(item, base, finder)
        return
    if kind in {"ConfigMap", "Secret"}:
        events.set_subject(base, kind, name)
        base.facts["keys"] = ", ".join(
            sorted({*map(str, value_at(item, "data") or ()), *map(str, value_at(item, "stringData") or ())})
        )
        base.text = f"{kind} {name}"
        yield base
        return
    events.set_subject(base, kind, name)
    if (owner := _owner(item)) and kind in {"ReplicaSet", "Job"}:
        base.kind, base.name = (
            owner if kind == "Job" else (owner if owner[0] != "ReplicaSet" else (base.kind, base.name))
        )
    base.facts |= _facts(item)
    base.reason = text_at(item, "status", "phase")
    base.text = f"{kind} {name}" + (f": {base.reason}" if base.reason else "")
    yield base
    if kind in WORKLOADS:
        yield from _template(item, base, finder)
    for condition in value_at(item, "status", "conditions") or ():
        if isinstance(condition, dict) and tells_trouble(text_at(condition, "type"), text_at(condition, "status")):
            yield condition_of(condition, base, finder)
    for condition in _inner_conditions(item.get("status")):
        if condition_blocks.is_trouble(text_at(condition, "type"), text_at(condition, "status")):
            yield condition_of(condition, base, finder)


def _inner_conditions(status: Any) -> Iterator[dict[str, Any]]:
    """Yield the conditions of the parts of a status: those of each parent of a route, of each listener of a gateway."""
    for key, part in status.items() if isinstance(status, dict) else ():
        for item in part if isinstance(part, list) and key != "conditions" else ():
            conditions = item.get("conditions") if isinstance(item, dict) else None
            yield from (entry for entry in conditions or () if isinstance(entry, dict))


def _owner(item: dict[str, Any]) -> tuple[str, str] | None:
    for owner in value_at(item, "metadata", "ownerReferences") or ():
        if isinstance(owner, dict) and owner.get("controller", True):
            return text_at(owner, "kind"), text_at(owner, "name")
    return None


def condition_of(condition: dict[str, Any], base: Draft, finder: Finder) -> Draft:
    """Return a condition of any object's status as a statement of its own."""
    message = text_at(condition, "message")
    draft = base.like(
        line=finder.line(message or text_at(condition, "type")),
        reason=text_at(condition, "reason") or text_at(condition, "type"),
    )
    draft.text = message or f"Condition {text_at(condition, 'type')} is {text_at(condition, 'status')}"
    draft.facts |= {
        "condition": text_at(condition, "type"),
        "condition_status": text_at(condition, "status"),
        **message_facts(message),
    }
    draft.last_seen = rfc3339(text_at(condition, "lastTransitionTime"))
    return draft


def _facts(item: dict[str, Any]) -> dict[str, str]:
    """Return the scalars of spec and status by snake-cased name, nested ones joined; status wins where both tell one."""
    facts: dict[str, str] = {
        "labels": ", ".join(
            f"{k}={v}" for k, v in (value_at(item, "metadata", "labels") or {}).items() if isinstance(v, str)
        )
    }
    for side in ("spec", "status"):
        for key, value in (value_at(item, side) or {}).items():
            _flatten(_camel(str(key)), value, facts, depth=3)
    if (taints := value_at(item, "spec", "taints")) and isinstance(taints, list):
        facts["taints"] = ", ".join(f"{text_at(t, 'key')}={text_at(t, 'value')}:{text_at(t, 'effect')}" for t in taints)
    if isinstance(data := value_at(item, "data"), dict):
        facts["keys"] = ", ".join(sorted(map(str, data)))
    return facts


def _camel(key: str) -> str:
    return snake("".join(f"_{c}" if c.isupper() else c for c in key))


def _flatten(key: str, value: Any, facts: dict[str, str], depth: int) -> None:
    if len(facts) > 80 or key in {"template", "conditions", "images", "managed_fields", "pod_c_i_d_rs"}:
        return
    if isinstance(value, dict) and depth:
        for inner, nested in value.items():
            _flatten(f"{key}_{_camel(str(inner))}", nested, facts, depth - 1)
    elif isinstance(value, list) and all(isinstance(element, str | int) for element in value):
        facts[key] = ", ".join(map(str, value))[:2000]
    elif isinstance(value, list) and depth:
        for index, element in enumerate(value[:8]):
            if isinstance(element, dict):
                _flatten(
                    f"{key}_{text_at(element, 'name') or index}",
                    {k: v for k, v in element.items() if k != "name"},
                    facts,
                    1,
                )
    elif isinstance(value, str | int | float):
        facts[key] = (str(value).lower() if isinstance(value, bool) else str(value))[:2000]


def _template(item: dict[str, Any], base: Draft, finder: Finder) -> Iterator[Draft]:
    spec = value_at(item, "spec", "jobTemplate", "spec", "template", "spec") or value_at(
        item, "spec", "template", "spec"
    )
    if not isinstance(spec, dict):
        return
    holder = base.like(
        facts={
            "template": "true",
            "service_account": text_at(spec, "serviceAccountName"),
            "labels": base.facts.get("labels", ""),
        }
    )
    for draft in podjson.containers(spec, {}, holder, finder):
        draft.reason, draft.text = (
            "Template",
            f"Container {draft.container} of the template of {draft.kind} {draft.name}",
        )
        yield draft
