"""Alertmanager's v2 API: which alerts fire now, and what each is about.

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
    """Active alerts, oldest first; those that somebody silenced or something inhibits only where they are wanted."""
    also = "true" if suppressed else "false"
    asked: list[tuple[str, str]] = [("active", "true"), ("silenced", also), ("inhibited", also)]
    asked += [("filter", one) for one in filters]
    asked += [("receiver", receiver)] if receiver else []
    found = [alert for alert in _alerts(web, asked) if suppressed or active(alert)]
    return sorted(found, key=lambda alert: str(alert.get("startsAt")))


def document(alerts: Iterable[Mapping[str, Any]]) -> str:
    """The alerts as the API's own array; where an alert comes from is put among what is kept of it."""
    shown = []
    for alert in alerts:
        notes = _notes(alert)
        if alert.get("generatorURL"):
            notes.setdefault("generator_url", alert["generatorURL"])
        shown.append({**alert, "annotations": notes})
    return json.dumps(shown, indent=1) + "\n"


def subject_of(alert: Mapping[str, Any]) -> Subject:
    """Whom an alert is about, read as the evidence reader does: what made an incident must be known again."""
    from remediator.evidence.formats.alerts import subject_of_alert

    labels = alert.get("labels")
    said = {str(key): str(text) for key, text in labels.items()} if isinstance(labels, dict) else {}
    return subject_of_alert(said, text_of(alert))


def workload_of_alert(alert: Mapping[str, Any]) -> Workload | None:
    """The object in trouble, where it is one of a namespace; a Node's `namespace` is the exporter's."""
    subject = subject_of(alert)
    return None if subject.kind in {"Node", "Application"} else workload_of(subject)


def _alerts(web: Web, asked: Parameters) -> list[dict[str, Any]]:
    document = web.get(_PATH, asked)
    if not isinstance(document, list) or not all(
        isinstance(alert, dict) and isinstance(alert.get("labels"), dict) for alert in document
    ):
        raise AnswerError(f"{web.name} answers with no list of alerts: {short(str(document), 120)}", status=200)
    return [{**alert, "annotations": _notes(alert)} for alert in document]


def _notes(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Its annotations; what somebody wrote in their place as one text is its description."""
    notes = alert.get("annotations")
    if isinstance(notes, str) and notes:
        return {"description": notes}
    return dict(notes) if isinstance(notes, dict) else {}


def active(alert: Mapping[str, Any]) -> bool:
    """Once more here: a server that does not know a parameter ignores it."""
    status = alert.get("status")
    return not isinstance(status, dict) or status.get("state") in {None, "active", "unprocessed"}


def label(alert: Mapping[str, Any], name: str) -> str:
    """The label's text; empty where it has none of that name."""
    labels = alert.get("labels")
    return str(labels.get(name) or "") if isinstance(labels, dict) else ""


def text_of(alert: Mapping[str, Any]) -> str:
    """What it says for people."""
    notes = _notes(alert)
    return str(notes.get("description") or notes.get("summary") or notes.get("message") or "no description")
