"""The alerts of a `repository_dispatch`: from its payload, or from the API where the group was too large for it."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

from remediator.errors import ConfigError, ServiceError
from remediator.services.alertmanager.client import active, document, firing, label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.domain.sources import Web

log = logging.getLogger(__name__)

_TEXT = r'"(?:[^"\\]|\\.)*"'
_QUOTED = re.compile(_TEXT)
_MATCHER = re.compile(rf"([A-Za-z_:][\w:]*|{_TEXT})(=~|!~|!=|=)({_TEXT})")
_GROUP = re.compile(r"\{[^{}]*\}(?:/\{[^{}]*\})*(?:/\d+)?:\{[^{}]*\}")


def filters_of_group(key: str) -> list[str]:
    """Return the matchers of a webhook's `groupKey`, `{}/{severity=~"c|w"}:{alertname="X"}`: routes, then group.

    Values may hold whatever stands between the parts.
    """
    return [f"{name}{operator}{value}" for name, operator, value in _MATCHER.findall(key)]


def is_group(key: str) -> bool:
    """Return whether a text has the shape of a `groupKey`."""
    bare = _QUOTED.sub('""', key)
    return _GROUP.fullmatch(bare) is not None


def of_dispatch(payload: Mapping[str, Any], webs: Sequence[Web] = ()) -> str:
    """Return the alerts of a `repository_dispatch` that fire, as a text for the evidence reader.

    Where the dispatch was too small for them they are asked for by their group. Where nobody can be asked those that it
    has must do; ConfigError where it has none.
    """
    message = _message(payload)
    group, alerts = _group(message), message.get("alerts")
    included = (
        [alert for alert in alerts if isinstance(alert, dict) and _fires(alert)] if isinstance(alerts, list) else []
    )
    if not message.get("truncatedAlerts") and isinstance(alerts, list):
        return document(included)
    if webs and group is not None:
        try:
            return document(_of_group(webs, group, re.escape(str(message.get("receiver") or ""))))
        except ServiceError as error:
            if not included:
                raise
            log.warning("%s", error)
    if not included:
        raise ConfigError("the alerts did not fit into the event: give REMEDIATOR_ALERTMANAGER_URL to ask for them")
    log.warning(
        "alerts of the group did not fit into the event, and nobody else tells them: only the %d in it are read",
        len(included),
    )
    return document(included)


def cluster_of_group(payload: Mapping[str, Any]) -> str:
    """Return the cluster that all alerts of a webhook's group share; empty where they name none."""
    message = _message(payload)
    for labels in (message.get("groupLabels"), message.get("commonLabels")):
        if isinstance(labels, dict) and (cluster := label({"labels": labels}, "cluster")):
            return cluster
    matchers = _MATCHER.findall(str(message.get("groupKey") or ""))
    return next((json.loads(text) for name, operator, text in matchers if (name, operator) == ("cluster", "=")), "")


def _message(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = payload.get("payload", payload.get("body", payload))
    return inner if isinstance(inner, dict) else payload


def _group(message: Mapping[str, Any]) -> list[str] | None:
    """Return the matchers of the group: by its key, else by its labels, which a template may have made numbers."""
    key, labels = str(message.get("groupKey") or ""), message.get("groupLabels")
    if is_group(key):
        return filters_of_group(key)
    if key or not isinstance(labels, dict) or not (labels or message.get("receiver")):
        return None
    texts = {name: text if isinstance(text, str) else json.dumps(text) for name, text in labels.items()}
    return [f"{name}={json.dumps(text)}" for name, text in texts.items()]


def _of_group(webs: Sequence[Web], filters: Sequence[str], receiver: str) -> list[dict[str, Any]]:
    """Return the group's alerts from all servers that answer: one of several may be down, or not know the group."""
    alerts: dict[str, dict[str, Any]] = {}
    errors: list[ServiceError] = []
    for web in webs:
        try:
            alerts |= {json.dumps(alert["labels"], sort_keys=True): alert for alert in firing(web, filters, receiver)}
        except ServiceError as error:
            errors.append(error)
    if errors and len(errors) == len(webs):
        raise errors[0]
    for silent in errors:
        log.warning("%s", silent)
    return list(alerts.values())


def _fires(alert: Mapping[str, Any]) -> bool:
    """Return whether the alert fires: a group that fires may hold alerts that have ended."""
    return active(alert) if isinstance(alert.get("status"), dict) else alert.get("status") != "resolved"
