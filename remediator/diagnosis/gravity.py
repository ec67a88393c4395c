"""Grave statements: what may not be answered with "nothing wrong" while no rule explains it.

The question is put to every channel in its own terms: a Warning event, a row that is not ready, a failed phase, a bad
condition, sync or health status, a firing alert, a line of error level. What is over by the same input is not grave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from remediator.diagnosis.severity import is_ready
from remediator.domain.incident import Severity, Statement

_FRACTION = re.compile(r"(\d+)/(\d+)")
_BAD_WORDS = re.compile(
    r"(?i).*(?:Error|BackOff|Evicted|OOMKilled|NotReady|Failed|Failure|DeadlineExceeded|Pending|Unknown|Lost|Invalid\w*Name|Degraded|Stalled)\b.*"
)
_GOOD_CONDITIONS = frozenset(
    {
        "Ready", "Available", "Progressing", "ContainersReady", "PodScheduled", "Initialized", "Complete", "ResourcesUpToDate",
        "Healthy", "Synced", "AbleToScale", "ScalingActive", "Established", "Reconciled", "Accepted", "Programmed", "ResolvedRefs", "Valid", "SecretSynced",
    }
)  # fmt: skip
_BAD_CONDITION = re.compile(
    r"(?:\w*(?:Error|Failed|Failure|Pressure|Unavailable|Degraded|Stalled)(?:Occurred)?|Error\w*)"
)
_ERROR_LEVELS = frozenset(
    {"error", "fata", "err", "fatal", "critical", "crit", "panic", "emerg", "severe", "dpanic", "alert"}
)
_HIGH_LEVELS = frozenset({"fatal", "critical", "crit", "panic", "emerg", "dpanic"})
_QUIET_ALERTS = frozenset({"none", "info", "informational"})
_BAD_HEALTH = frozenset({"Degraded", "Missing", "Unknown"})
_BAD_SYNC = frozenset({"OutOfSync", "Unknown", "SyncFailed"})
_BAD_PHASE = frozenset({"Failed", "Error"})
_DEAD_WORDS = re.compile(
    r"(?i)^\W*(?:OOMKilled|Killed)\W*$|^(?:panic|fatal error): |\b(?:CrashLoopBackOff|OutOfMemoryError|out of memory|core dumped|segmentation fault)\b"
    r"|\b(?:syntax error|unhandled exception|uncaught exception|traceback \(most recent call last\))"
)
_RAISED = re.compile(r"(?<![\w.:])(?:[A-Za-z_]\w{0,60}(?:::|\.)){0,6}[A-Z]\w{0,60}(?:Error|Exception): \S")
"""An exception with its message: programs that catch one of a request or a job print it as a warning."""
_COMPLAINT = re.compile(
    r"(?i)\b(?:unreachable|outage|is down|are down|went down|nobody can|no one can|cannot|can't|can not|could not|couldn't|"
    r"do(?:es)?(?:n't| not) (?:work|start|come up|answer|respond|load|sync|follow|scale|run)|not (?:working|reachable|responding)|never worked|"
    r"broken|stuck|hangs?|crashe[sd]|fails|failing|every .{0,30} (?:is red|fails)|answers? (?:404|5\d\d)|5\d\d from|"
    r"(?:a|plain|with) \"?5\d\d\b|too slow|is slow|so slow|slow since|crawls?|missing since|(?:asks?|asking|wonders?|wondering) why|no (?:logs|data|metrics|payouts|backups?) (?:since|for|in))\b"
)
"""What people write above the output that they paste when something is wrong."""
_OVER = re.compile(
    r"(?i)\b(?:recovered|resolved|(?:works|ok|okay|fine|good|green|up|back) (?:again|now)|is back|all (?:good|green|fine|well)|"
    r"by itself|went away|is over|false alarm|nothing (?:to do|is wrong))\b"
)
_PROSE_WORDS = 5
_STATUS_FAILED = re.compile(r"(?P<failed>[1-9]\d*) Failed\b")
_REPLICAS = re.compile(r"(?P<have>\d+) current / (?P<want>\d+) desired|(?P<gone>[1-9]\d*) unavailable")
_STALE = timedelta(days=2)
_ENDED = frozenset({"Completed", "Succeeded", "PodCompleted"})


@dataclass(frozen=True)
class GraveStatement:
    """A statement that nobody may overlook, with the severity of its kind."""

    statement: Statement
    severity: Severity


def grave_statements(statements: Sequence[Statement], explained: Iterable[Statement] = ()) -> list[GraveStatement]:
    """Return what is grave and neither explained nor over: critical ones first, what the platform says before logs."""
    known = {id(statement) for statement in explained}
    ready = _ready_objects(statements)
    newest = max((_moment(statement) for statement in statements), default="")
    found = []
    over = any(statement.channel == "text" and _OVER.search(statement.text) for statement in statements)
    for statement in statements:
        if not over and _is_complaint(statement):
            found.append(GraveStatement(statement, "warning"))
            continue
        if id(statement) in known or (severity := _severity(statement)) is None:
            continue
        if statement.channel == "event" and _object_of(statement) & ready:
            continue
        if severity == "warning" and statement.channel in {"log", "text"} and _is_stale(statement, newest):
            continue
        found.append(GraveStatement(statement, severity))
    return sorted(found, key=lambda grave: (grave.severity != "critical", _order(grave.statement)))


def _is_complaint(statement: Statement) -> bool:
    """Return True for a sentence of a person that something does not work: no log line, no cell of a table."""
    if statement.channel != "text" or statement.level or statement.first_seen or statement.speaker == "person":
        return False
    text = statement.text[:400]
    words = [word for word in text.split() if word.strip(".,!?()\"'").isalpha()]
    return len(words) >= _PROSE_WORDS and _COMPLAINT.search(text) is not None


def _order(statement: Statement) -> int:
    """Return the rank of what a statement tells: sentences before rows of a table, the platform before logs."""
    order = {"event": 0, "sync": 1, "status": 2, "alert": 3, "log": 4, "text": 5}[statement.channel]
    return order if statement.text.count(" ") > 3 else order + 6


def _moment(statement: Statement) -> str:
    """Return the last moment that a statement tells of: its own, or the start of the container or pod that it shows."""
    started = (statement.facts.get(name, "") for name in ("pod_started", "started", "finished"))
    return max(statement.last_seen, statement.first_seen, *started)


def _is_stale(statement: Statement, newest: str) -> bool:
    """Return True for a line that is more than two days older than the newest of the input: others have happened since."""
    told = statement.last_seen or statement.first_seen
    if not told or not newest:
        return False
    return datetime.fromisoformat(newest) - datetime.fromisoformat(told) > _STALE


def _ready_objects(statements: Sequence[Statement]) -> set[str]:
    """Return pods, and workloads of which no pod is amiss, that a status shows ready without restarts."""
    ready = {name for s in statements if s.channel == "status" and _is_settled(s) for name in _object_of(s)}
    amiss = {name for s in statements if s.channel == "status" and _severity(s) for name in _object_of(s)}
    return ready - amiss


def _is_settled(statement: Statement) -> bool:
    restarts = statement.facts.get("restart_count") or "0"
    return restarts == "0" and (is_ready(statement) or statement.reason in _ENDED)


def _object_of(statement: Statement) -> set[str]:
    subject = statement.subject
    if subject.pod:
        return {f"pod {subject.namespace} {subject.pod}"}
    return {f"{subject.kind} {subject.namespace} {subject.name}"} if subject.name else set()


def _severity(statement: Statement) -> Severity | None:
    match statement.channel:
        case "event":
            return "warning" if statement.level == "Warning" else None
        case "status":
            return _of_status(statement)
        case "sync":
            return _of_sync(statement)
        case "alert":
            return _of_alert(statement)
        case _:
            return _of_line(statement)


def _of_status(statement: Statement) -> Severity | None:
    facts, reason = statement.facts, statement.reason
    if reason in _ENDED or facts.get("template") == "true" or facts.get("pod_status") in _ENDED:
        return None
    if statement.level.lower() in _ERROR_LEVELS:
        return "warning"
    if condition := facts.get("condition", ""):
        return "warning" if _is_bad_condition(condition, facts.get("condition_status", "")) else None
    if facts.get("when") == "last":
        return None
    if _BAD_WORDS.fullmatch(reason) or facts.get("phase") in _BAD_PHASE:
        return "critical" if "Error" in reason or "BackOff" in reason or "OOM" in reason else "warning"
    return "warning" if _is_short(facts) else None


def _is_bad_condition(condition: str, status: str) -> bool:
    if _BAD_CONDITION.fullmatch(condition):
        return status == "True"
    return condition in _GOOD_CONDITIONS and status in {"False", "Unknown"}


def _is_short(facts: dict[str, str]) -> bool:
    """Return True if fewer are ready, available or succeeded than are wanted."""
    ready = facts.get("ready", "")
    if match := _FRACTION.fullmatch(ready):
        return int(match[1]) < int(match[2])
    if ready == "False" and facts.get("state", "") != "Terminated":
        return True
    if _STATUS_FAILED.search(facts.get("pods_statuses", "")):
        return True
    if match := _REPLICAS.search(facts.get("replicas", "")):
        return bool(match["gone"]) or int(match["have"]) < int(match["want"])
    if "<unknown>" in facts.get("targets", ""):
        return True
    return facts.get("status") in {"Pending", "Lost", "Failed", "NotReady"}


def _of_sync(statement: Statement) -> Severity | None:
    facts, reason = statement.facts, statement.reason
    if facts.get("condition"):
        if reason.endswith("Error") or (
            facts["condition"] == "ErrorOccurred" and facts.get("condition_status") != "False"
        ):
            return "critical"
        is_warning = facts["condition"].endswith("Warning") and not facts["condition"].startswith("Orphaned")
        return "warning" if is_warning else None
    if facts.get("phase") in _BAD_PHASE or reason in _BAD_PHASE:
        return "critical"
    if reason in _BAD_HEALTH or reason in _BAD_SYNC:
        return "warning"
    if facts.get("resource_health") in _BAD_HEALTH or facts.get("resource_status") in _BAD_SYNC:
        return "warning"
    return "warning" if statement.level.lower() in _ERROR_LEVELS else None


def _of_alert(statement: Statement) -> Severity | None:
    facts = statement.facts
    if facts.get("status", "firing") != "firing" or facts.get("state") == "suppressed":
        return None
    level = statement.level.lower()
    if level in _QUIET_ALERTS:
        return None
    return "critical" if level in {"critical", "page", "high", "emergency"} else "warning"


def _of_line(statement: Statement) -> Severity | None:
    level = statement.level.lower()
    if level in _HIGH_LEVELS:
        return "critical"
    if level in _ERROR_LEVELS:
        return "warning"
    if level in {"warn", "warning"} and _RAISED.search(statement.text[:400]):
        return "warning"
    return "warning" if level in {"", "warn", "warning"} and _DEAD_WORDS.search(statement.text[:400]) else None
