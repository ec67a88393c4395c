"""Rates an incident: is a workload down, does an old revision still serve, is it over already.

The category's severity assumes the worst. Live state in the same input can prove less: while another pod serves, nobody
has to be woken up. What may change a severity is declared by the signal (`severity_follows`, `transient`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediator.diagnosis.grouping import Group, key_of
from remediator.domain.incident import Severity, Statement

_READY = re.compile(r"(\d+)/(\d+)")
_SYNC_HEALTHY = "Healthy"


def severity_of(group: Group, statements: Sequence[Statement]) -> Severity:
    """Return the lead signal's severity, lowered while a pod still serves, raised if an alert or the live state is critical."""
    lead = group.lead
    severity: Severity = lead.signal.severity or lead.category.severity
    if severity == "critical" and still_serving(group, statements):
        return "warning"
    if severity == "warning" and _graver(group, statements):
        return "critical"
    return severity


def _graver(group: Group, statements: Sequence[Statement]) -> bool:
    """Return True if the source that the lead signal's severity follows says critical."""
    match group.lead.signal.severity_follows:
        case "live_state":
            return _missing_live_state(group, statements)
        case "alert":
            return _alert_critical(group)
        case _:
            return False


def still_serving(group: Group, statements: Sequence[Statement]) -> bool:
    """Return True if another pod of the workload is Ready, or the rollout says that old replicas remain."""
    failing_pods = {hit.statement.subject.pod for hit in group.hits if hit.statement.subject.pod}
    workload = key_of(group.subject)
    for statement in statements:
        same_workload = key_of(statement.subject) == workload
        if (
            same_workload
            and statement.subject.pod
            and statement.subject.pod not in failing_pods
            and is_ready(statement)
        ):
            return True
        if (
            same_workload
            and statement.subject.kind in ("Deployment", "StatefulSet", "DaemonSet")
            and _available(statement)
        ):
            return True
        if same_workload and re.search(r"old replicas are pending termination|\d+ old replicas", statement.text):
            return True
    if group.lead.signal.severity_follows == "live_state":
        return _live_health(group, statements) == _SYNC_HEALTHY and group.lead.signal.severity != "critical"
    return False


def recovered(group: Group, statements: Sequence[Statement]) -> bool:
    """Return True if a transient fault is over: its pods are Ready now and have not restarted, or its Application is in sync."""
    if not group.lead.signal.transient:
        return False
    if any(hit.statement.channel == "status" for hit in group.hits):
        return False
    pods = {hit.statement.subject.pod for hit in group.hits if hit.statement.subject.pod}
    if not pods:
        is_alerted = any(hit.statement.channel == "alert" for hit in group.hits)
        return group.subject.kind == "Application" and not is_alerted and _is_in_sync(group.subject.name, statements)
    if all(hit.statement.channel == "log" for hit in group.hits) and not _speaks_on(group, statements):
        return False
    ready = {s.subject.pod for s in statements if s.channel == "status" and is_ready(s) and not _restarts(s)}
    return pods <= ready


def _speaks_on(group: Group, statements: Sequence[Statement]) -> bool:
    """Return True if each complaining log goes on without an error: that a pod is ready does not end what it complains of."""
    last: dict[tuple[str, str], int] = {}
    for hit in group.hits:
        statement = hit.statement
        last[statement.source, statement.subject.pod] = max(
            statement.line, last.get((statement.source, statement.subject.pod), 0)
        )
    return all(
        any(
            s.channel == "log"
            and (s.source, s.subject.pod) == key
            and s.line > line
            and s.level not in {"error", "fatal"}
            for s in statements
        )
        for key, line in last.items()
    )


def _is_in_sync(application: str, statements: Sequence[Statement]) -> bool:
    """Return True if every status of the Application that the input shows is Synced and Healthy."""
    shown = [
        (statement.facts.get("sync_status") or statement.facts.get("status"), statement.facts.get("health"))
        for statement in statements
        if statement.subject.name == application and statement.facts.get("health")
    ]
    return bool(shown) and all(pair == ("Synced", _SYNC_HEALTHY) for pair in shown)


def is_ready(statement: Statement) -> bool:
    """Return True if a status says that the pod runs and all its containers are ready."""
    ready = statement.facts.get("ready", "")
    if match := _READY.fullmatch(ready):
        return match[1] == match[2] != "0" and statement.reason in ("Running", "Ready", "")
    return ready.lower() == "true" and statement.reason in ("Running", "Ready", "")


def _restarts(statement: Statement) -> int:
    text = statement.facts.get("restart_count") or statement.facts.get("restarts") or "0"
    return int(text) if text.isdigit() else 0


def _available(statement: Statement) -> bool:
    available = statement.facts.get("available") or statement.facts.get("available_replicas") or ""
    return available.isdigit() and int(available) > 0


def _live_health(group: Group, statements: Sequence[Statement]) -> str:
    application = group.subject.application
    sync_statements = (
        s for s in statements if s.channel == "sync" and application and s.subject.application == application
    )
    return next((health for statement in sync_statements if (health := statement.facts.get("health"))), "")


def _missing_live_state(group: Group, statements: Sequence[Statement]) -> bool:
    return _live_health(group, statements) in ("Missing", "Degraded")


def _alert_critical(group: Group) -> bool:
    return any(hit.statement.channel == "alert" and hit.statement.level == "critical" for hit in group.hits)
