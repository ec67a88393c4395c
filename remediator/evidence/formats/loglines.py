"""One log line: CRI, Docker, stern and syslog wrappers, then JSON, logfmt, klog and the common text layouts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from remediator.evidence.draft import SubjectDraft
from remediator.evidence.lines import Line, clean, from_epoch, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CRI = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (?P<stream>stdout|stderr) (?P<tag>[FP](?::\S*)?) ?(?P<text>.*)",
    re.DOTALL,
)
_DOCKER = re.compile(r'\s*\{"log":\s*"')
_STAMPED = re.compile(r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}Z) (?P<text>.*)", re.DOTALL)
"""Seven to nine fractional digits: `kubectl logs --timestamps`, GitHub's runner; programs themselves write fewer."""

_PREFIXED = re.compile(r"\[pod/(?P<pod>[a-z0-9.-]+)/(?P<container>[a-z0-9-]+)\] ?(?P<text>.*)", re.DOTALL)
_STERN = re.compile(
    r"(?:(?P<ns>[a-z0-9-]+) )?(?P<pod>[a-z0-9][a-z0-9.-]*-[a-z0-9]{1,10}) (?:› )?(?P<container>[a-z0-9][a-z0-9-]*) (?P<text>\S.*)",
    re.DOTALL,
)
_SYSLOG = re.compile(
    r"(?:<\d{1,3}>)?(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?P<host>[\w.-]+) (?P<proc>[\w./-]+)(?:\[(?P<pid>\d+)\])?: (?P<text>.*)",
    re.DOTALL,
)
_DMESG = re.compile(r"\[ *(?P<up>\d+\.\d+)\] (?P<text>.*)", re.DOTALL)
_KLOG = re.compile(
    r"(?P<level>[IWEF])(?P<month>\d\d)(?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d\.\d+) +\d+ (?P<where>[\w./-]+:\d+)\] (?P<text>.*)",
    re.DOTALL,
)
_LOGFMT = re.compile(r'(?P<key>[A-Za-z_][\w.@/-]{0,60})=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s"]*))(?:\s|$)')
_LEVEL = re.compile(
    r"(?:^|[\s\[(|<:])(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|FATAL|CRIT(?:ICAL)?|PANIC|SEVERE|EMERG"
    r"|trace|debug|info|notice|warn(?:ing)?|error|fatal|crit(?:ical)?|panic|emerg)(?=[\s\]):|>,]|$)"
)
_KLOG_LEVELS = {"I": "info", "W": "warning", "E": "error", "F": "fatal"}
_TIMED = re.compile(
    r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d|\[?[A-Z][a-z]{2} [A-Z]?[a-z]{0,2} ?\d?\d \d\d:\d\d|[IWEF]\d{4} \d\d:\d\d|time=|level=|\{\"|\d{1,3}(?:\.\d{1,3}){3} - "
)

_RELEASE = re.compile(
    r"helm template [^`\n]{0,400}?--name-template[ =](?P<name>[a-z0-9][\w.-]{0,62})(?: --namespace[ =](?P<namespace>[a-z0-9-]{1,63}))?"
)
_FAILED = re.compile(
    r"(?P<level>Error|FATA|fatal)(?:\[\d+\])?:? (?=UPGRADE|INSTALLATION|execution|template|parse|accumulating|invalid|unknown|failed|rpc|chart|values|no |Operation|The |YAML)"
)
"""The word with which helm, kustomize and argocd end when they fail."""
_ZAP = re.compile(r"\S{10,40}\s+(?P<level>[A-Z]{4,6})\s+(?P<text>[^{]{1,300})(?P<fields>\{.*\})")
"""A line of controller-runtime's console encoder: time, level, logger and message, then the fields as JSON."""

_LEVEL_KEYS = ("level", "lvl", "severity", "log.level", "loglevel", "levelname", "severity_text")
_TEXT_KEYS = ("msg", "message", "@message", "event", "short_message", "body")
_ERROR_KEYS = (
    "error",
    "err",
    "exception",
    "exc_info",
    "stack",
    "stacktrace",
    "stack_trace",
    "error.message",
    "cause",
    "reason",
)
_TIME_KEYS = ("ts", "time", "timestamp", "@timestamp", "datetime", "eventTime", "t")
_NUMERIC_LEVELS = {10: "trace", 20: "debug", 30: "info", 40: "warning", 50: "error", 60: "fatal"}
"""Bunyan's and pino's numbers."""


@dataclass(slots=True)
class LogEntry(SubjectDraft):
    """A parsed log entry: the whole message as text, its fields, and the object that a controller's line is about."""

    text: str
    level: str = ""
    time: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    structured: bool = False
    """True if a program's logger wrote it, by its layout: JSON, logfmt, klog."""


def starts_entry(text: str) -> bool:
    """Return True if a line looks like the start of a log entry: a time, a level field, an object."""
    return bool(_TIMED.match(text))


def join_wrapped(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield the lines without CRI and Docker wrappers; partial lines are joined, times are kept."""
    partial: Line | None = None
    for line in lines:
        if match := _CRI.fullmatch(line.text):
            unwrapped = Line(line.no, match["text"], rfc3339(match["time"]), wrapped=True)
            if partial:
                unwrapped = replace(partial, text=(partial.text + unwrapped.text)[: 1 << 16])
            partial = unwrapped if match["tag"].startswith("P") else None
            if not partial:
                yield unwrapped
        elif _DOCKER.match(line.text) and (body := _object(line.text)) and isinstance(body.get("log"), str):
            yield Line(line.no, clean(body["log"].rstrip("\n")), rfc3339(str(body.get("time") or "")), wrapped=True)
        elif match := _STAMPED.fullmatch(line.text):
            yield Line(line.no, match["text"], rfc3339(match["time"]))
        else:
            yield line
    if partial:
        yield partial


def _object(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def read(group: Sequence[Line]) -> LogEntry:
    """Return the entry of a group of lines, of which the first is the message and the others continue it."""
    head, continuation = group[0].text, "\n".join(line.text.rstrip() for line in group[1:]).rstrip()
    outer = LogEntry("")
    if match := _PREFIXED.fullmatch(head):
        outer.pod, outer.container, head = match["pod"], match["container"], match["text"]
    elif match := _SYSLOG.fullmatch(head):
        outer.facts |= {"host": match["host"], "program": match["proc"]}
        head = match["text"]
    entry = _inner(head)
    entry.pod, entry.container = outer.pod or entry.pod, outer.container or entry.container
    entry.facts |= outer.facts
    if not entry.application and not entry.name and (release := _RELEASE.search(head)):
        entry.application = release["name"]  # Argo CD renders a chart under its Application's name, unless told another
        entry.facts["destination_namespace"] = release["namespace"] or ""
    if continuation:
        entry.text = f"{entry.text}\n{continuation}"
    return entry


def _inner(text: str) -> LogEntry:
    stripped = text.strip()
    if stripped.startswith("{") and stripped.endswith("}") and (body := _object(stripped)):
        return _from_fields(stripped, {str(key): value for key, value in body.items()})
    if match := _KLOG.fullmatch(stripped):
        return LogEntry(stripped, _KLOG_LEVELS[match["level"]], facts={"logger": match["where"]}, structured=True)
    if match := _DMESG.fullmatch(stripped):
        return LogEntry(match["text"], facts={"uptime": match["up"]})
    if ("level=" in stripped or "lvl=" in stripped or "msg=" in stripped) and (fields := _logfmt(stripped)):
        return _from_fields(stripped, fields)
    if stripped.endswith("}") and (match := _ZAP.fullmatch(stripped)) and (body := _object(match["fields"])):
        return _from_fields(stripped, {"level": match["level"], "msg": match["text"].strip(), **body})
    level = _LEVEL.search(stripped[:160]) or _FAILED.match(stripped)
    return LogEntry(text.rstrip(), level["level"].lower() if level else "", rfc3339(stripped.lstrip("[")[:40]))


def _logfmt(text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for match in _LOGFMT.finditer(text):
        quoted = match["quoted"]
        fields.setdefault(
            match["key"], quoted.replace('\\"', '"').replace("\\\\", "\\") if quoted is not None else match["bare"]
        )
    return fields if any(key in fields for key in (*_LEVEL_KEYS, *_TEXT_KEYS)) else {}


def _from_fields(line: str, fields: dict[str, Any]) -> LogEntry:
    def first(keys: Sequence[str]) -> Any:
        return next((value for key in keys if (value := fields.get(key)) not in (None, "")), "")

    level, text = first(_LEVEL_KEYS), first(_TEXT_KEYS)
    if isinstance(level, int):
        level = _NUMERIC_LEVELS.get(level, str(level))
    entry = LogEntry(_with_unescaped(line, str(text), first(_ERROR_KEYS)), str(level).lower(), structured=True)
    stamp = first(_TIME_KEYS)
    entry.time = (
        from_epoch(stamp, unit=1000 if float(stamp) > 1e11 else 1)
        if isinstance(stamp, int | float)
        else rfc3339(str(stamp))
    )
    entry.facts["msg"] = str(text)[:500]
    if error := first(_ERROR_KEYS):
        told = error.get("message") or error.get("msg") if isinstance(error, dict) else error
        entry.facts["error"] = str(told or error)[:500]
    _set_argocd_subject(entry, fields)
    for key in ("ingress", "serviceName", "servicePort", "namespace", "service", "target", "url", "host", "upstream"):
        if isinstance(value := fields.get(key), str | int) and str(value):
            entry.facts[f"field_{key}"] = str(value)
    return entry


def _set_argocd_subject(entry: LogEntry, fields: dict[str, Any]) -> None:
    """Set the Application, set and object that a line of Argo CD's own controllers names in its fields."""
    text = {key: str(value) for key, value in fields.items() if isinstance(value, str | int)}
    qualified = text.get("application", "")
    if any(key in fields for key in ("app-qualified-name", "app-namespace", "dest-namespace")):
        entry.application = (qualified or text.get("app", "") or text.get("app-qualified-name", "")).rpartition("/")[2]
        entry.namespace = text.get("app-namespace", "")
        entry.facts |= {"project": text.get("project", ""), "app_namespace": entry.namespace}
        if text.get("dest-namespace"):
            entry.facts["destination_namespace"] = text["dest-namespace"]
    elif "/" in qualified or (qualified and "RepoServer" in text.get("grpc.service", "")):
        entry.namespace, _, entry.application = qualified.rpartition("/")
        entry.facts["app_namespace"] = entry.namespace
    if entry.application and text.get("kind") and text.get("name"):
        entry.kind, entry.name, entry.namespace = text["kind"], text["name"], text.get("namespace", "")
    elif generated := fields.get("applicationset") or fields.get("ApplicationSet"):
        entry.kind, (entry.namespace, entry.name) = "ApplicationSet", _namespaced(generated)


def _namespaced(value: Any) -> tuple[str, str]:
    """Return namespace and name of `argocd/web`, or of its JSON form."""
    if isinstance(value, dict):
        return str(value.get("Namespace") or value.get("namespace") or ""), str(
            value.get("Name") or value.get("name") or ""
        )
    namespace, _, name = str(value).rpartition("/")
    return namespace, name


def _with_unescaped(line: str, text: str, error: Any) -> str:
    """Return the line, and below it message and error without their escapes, so that one pattern fits all wrappers."""
    parts = (text, error if isinstance(error, str) else "")
    return "\n".join((line, *(part for part in parts if part and part not in line)))
