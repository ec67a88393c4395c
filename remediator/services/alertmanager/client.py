"""Alertmanager's v2 API: the alerts that fire now, and the object of each.

The list is a bare array; silenced alerts are in it unless left out; one matcher a `filter`; a matcher that cannot
be read is a 400 with a bare JSON string, a bad boolean an empty list.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from remediator.domain.sources import AnswerError, Workload, short, workload_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from remediator.domain.incident import Subject
    from remediator.domain.sources import Parameters, Web

_PATH = "/api/v2/alerts"


def firing(
    web: Web, filters: Sequence[str] = (), receiver: str = "", *, suppressed: bool = False
) -> list[dict[str, Any]]:
    """Return active alerts, oldest first; silenced and inhibited ones only with `suppressed`."""
    also = "true" if suppressed else "false"
    parameters: list[tuple[str, str]] = [("active", "true"), ("silenced", also), ("inhibited", also)]
    parameters += [("filter", matcher) for matcher in filters]
    parameters += [("receiver", receiver)] if receiver else []
    alerts = [alert for alert in _alerts(web, parameters) if suppressed or active(alert)]
    return sorted(alerts, key=lambda alert: str(alert.get("startsAt")))


def with_origin(alerts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the alerts as the API's own array; the origin of an alert becomes one of its annotations."""
    rows = []
    for alert in alerts:
        notes = _notes(alert)
        if alert.get("generatorURL"):
            notes.setdefault("generator_url", alert["generatorURL"])
        rows.append({**alert, "annotations": notes})
    return rows


def document(alerts: Iterable[Mapping[str, Any]]) -> str:
    """Return the alerts as a text for a file of logs."""
    return json.dumps(with_origin(alerts), indent=1) + "\n"


def subject_of(alert: Mapping[str, Any]) -> Subject:
    """Return the object of an alert, read as the evidence reader does, so that the incident is recognised."""
    from remediator.evidence.formats.alerts import subject_of_alert

    labels = alert.get("labels")
    texts = {str(key): str(text) for key, text in labels.items()} if isinstance(labels, dict) else {}
    return subject_of_alert(texts, text_of(alert))


def workload_of_alert(alert: Mapping[str, Any]) -> Workload | None:
    """Return the namespaced object of an alert; None for others: a Node's `namespace` is the exporter's."""
    subject = subject_of(alert)
    return None if subject.kind in {"Node", "Application"} else workload_of(subject)


def _alerts(web: Web, parameters: Parameters) -> list[dict[str, Any]]:
    document = web.get(_PATH, parameters)
    if not isinstance(document, list) or not all(
        isinstance(alert, dict) and isinstance(alert.get("labels"), dict) for alert in document
    ):
        raise AnswerError(f"{web.name} answers with no list of alerts: {short(str(document), 120)}", status=200)
    return [{**alert, "annotations": _notes(alert)} for alert in document]


def _notes(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotations; a single text in their place counts as the description."""
    notes = alert.get("annotations")
    if isinstance(notes, str) and notes:
        return {"description": notes}
    return dict(notes) if isinstance(notes, dict) else {}


def active(alert: Mapping[str, Any]) -> bool:
    """Return whether the alert is active; checked here again, since a server ignores parameters it does not know."""
    status = alert.get("status")
    return not isinstance(status, dict) or status.get("state") in {None, "active", "unprocessed"}


def label(alert: Mapping[str, Any], name: str) -> str:
    """Return the label's text; empty where it has none of that name."""
    labels = alert.get("labels")
    return str(labels.get(name) or "") if isinstance(labels, dict) else ""


def text_of(alert: Mapping[str, Any]) -> str:
    """Return the alert's text for people."""
    notes = _notes(alert)
    return str(notes.get("description") or notes.get("summary") or notes.get("message") or "no description")
