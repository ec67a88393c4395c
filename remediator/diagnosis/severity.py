"""How grave: is a workload down, does an old revision still serve, is it over already."""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediator.diagnosis.grouping import Group, key_of
from remediator.domain.incident import Severity, Statement

_READY = re.compile(r"(\d+)/(\d+)")
_SYNC_HEALTHY = "Healthy"


def severity_of(group: Group, statements: Sequence[Statement]) -> Severity:
    """By the lead signal, lowered where live state still serves, raised where an alert calls it critical."""
    lead = group.lead
    severity: Severity = lead.signal.severity or lead.category.severity
    if severity == "critical" and still_serving(group, statements):
        return "warning"
    if severity == "warning" and _graver(group, statements):
        return "critical"
    return severity


def _graver(group: Group, statements: Sequence[Statement]) -> bool:
    """True where what the lead signal's severity follows calls the incident critical."""
    match group.lead.signal.severity_follows:
        case "live_state":
            return _missing_live_state(group, statements)
        case "alert":
            return _alert_critical(group)
        case _:
            return False


def still_serving(group: Group, statements: Sequence[Statement]) -> bool:
    """Whether another pod of the same workload is Ready, or the rollout says that old replicas remain."""
    broken = {hit.statement.subject.pod for hit in group.hits if hit.statement.subject.pod}
    workload = key_of(group.subject)
    for statement in statements:
        own = key_of(statement.subject) == workload
        if own and statement.subject.pod and statement.subject.pod not in broken and is_ready(statement):
            return True
        if own and statement.subject.kind in ("Deployment", "StatefulSet", "DaemonSet") and _available(statement):
            return True
        if own and re.search(r"old replicas are pending termination|\d+ old replicas", statement.text):
            return True
    if group.lead.signal.severity_follows == "live_state":
        return _live_health(group, statements) == _SYNC_HEALTHY and group.lead.signal.severity != "critical"
    return False


def recovered(group: Group, statements: Sequence[Statement]) -> bool:
    """Whether what was complained about is over: its pod is Ready now, and it has not restarted."""
    if not group.lead.signal.transient:
        return False
    if any(hit.statement.channel == "status" for hit in group.hits):
        return False
    pods = {hit.statement.subject.pod for hit in group.hits if hit.statement.subject.pod}
    if not pods:
        return False
    ready = {s.subject.pod for s in statements if s.channel == "status" and is_ready(s) and not _restarts(s)}
    return pods <= ready


def is_ready(statement: Statement) -> bool:
    """A status that says all containers are ready and the pod runs."""
    ready = statement.facts.get("ready", "")
    if found := _READY.fullmatch(ready):
        return found[1] == found[2] != "0" and statement.reason in ("Running", "Ready", "")
    return ready.lower() == "true" and statement.reason in ("Running", "Ready", "")


def _restarts(statement: Statement) -> int:
    text = statement.facts.get("restart_count") or statement.facts.get("restarts") or "0"
    return int(text) if text.isdigit() else 0


def _available(statement: Statement) -> bool:
    available = statement.facts.get("available") or statement.facts.get("available_replicas") or ""
    return available.isdigit() and int(available) > 0


def _live_health(group: Group, statements: Sequence[Statement]) -> str:
    application = group.subject.application
    own = (s for s in statements if s.channel == "sync" and application and s.subject.application == application)
    return next((health for statement in own if (health := statement.facts.get("health"))), "")


def _missing_live_state(group: Group, statements: Sequence[Statement]) -> bool:
    return _live_health(group, statements) in ("Missing", "Degraded")


def _alert_critical(group: Group) -> bool:
    return any(hit.statement.channel == "alert" and hit.statement.level == "critical" for hit in group.hits)
