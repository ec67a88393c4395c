"""Alerts as chat, mail and Grafana show them: `[FIRING:2] Name`, `Labels:` with one `key = value` per line, and templates alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from remediator.evidence.command import command_of
from remediator.evidence.formats import alerts
from remediator.evidence.formats.finder import Finder
from remediator.evidence.formats.patterns import alternatives
from remediator.evidence.lines import next_filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.draft import Draft
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

_HEAD = re.compile(
    r"\W{0,6}(?::[\w+-]{1,30}:\s*)?\W{0,4}\[(?P<status>FIRING|RESOLVED)[^\]\n]{0,30}\]\W{0,3}(?P<rest>.*)"
)
_STATE = re.compile(r"\W{0,6}(?:Alerts? )?(?P<status>Firing|Resolved)(?: Alerts?)?\W{0,4}$")
_GROUP = re.compile(r"\W{0,3}(?P<group>Labels|Annotations)\W{0,4}$")
OPENS = re.compile(alternatives((_HEAD.pattern, _STATE.pattern, r"\W{0,3}Labels\W{0,4}$")))
_PAIR = re.compile(
    r"\s*(?P<bullet>[-•·*])?\s{0,4}[*`]{0,2}(?P<key>[A-Za-z_]\w{0,63})[*`]{0,2}\s?[:=][*`]{0,2}\s{0,4}(?P<value>\S.*)"
)
_QUOTED_PAIR = re.compile(r'(?P<key>[a-z_]\w{0,63})="(?P<value>[^"]{0,300})"')
_NAMED = re.compile(r"\W{0,4}(?P<name>[A-Z][A-Za-z0-9_]{3,80})\b")
_LABELS = frozenset(
    {
        "alertname", "cluster", "condition", "container", "cronjob", "daemonset", "deployment", "exported_container",
        "exported_namespace", "exported_pod", "horizontalpodautoscaler", "instance", "job", "job_name", "namespace", "node",
        "persistentvolumeclaim", "phase", "pod", "reason", "service", "severity", "statefulset",
    }
)  # fmt: skip
"""Labels that are read also without a bullet before them."""
_TEXTS = frozenset({"description", "summary", "message"})
_LINKS = frozenset({"value", "source", "silence", "dashboard", "panel", "graph", "runbook", "runbook_url"})
_AUTHOR = re.compile(r"\S.{0,60} APP\s{1,4}\d{1,2}:\d\d")
_MOST = 2_000
_NAMED_WITHIN = 30
"""Lines within which a notification names its alert; looking further at each heading would cost the square of their number."""


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of the notification; 0 where it names no alert."""
    del command
    end, has_name = start, False
    while end < len(lines) and end - start < _MOST:
        text = lines[end].text
        if lines[end].blank:
            following = next_filled(lines, end)
            if following >= len(lines) or not _belongs(lines[following].text):
                break
            end = following
            continue
        if end > start and (command_of(text) is not None or _AUTHOR.match(text)):
            break
        head, pair = _HEAD.match(text), _PAIR.match(text)
        has_name = has_name or bool(head and _NAMED.match(head["rest"])) or bool(pair and pair["key"] == "alertname")
        end += 1
        if not has_name and end - start > _NAMED_WITHIN:
            return 0
    return end - start if has_name else 0


def _belongs(text: str) -> bool:
    """Return True for a line after a blank one that goes on with the notification."""
    if _HEAD.match(text) or _STATE.match(text) or _GROUP.match(text):
        return True
    pair = _PAIR.match(text)
    return bool(pair and (pair["bullet"] or pair["key"].lower() in _LABELS | _TEXTS | _LINKS))


def read(section: Section) -> Iterator[Draft]:
    """Yield one alert each."""
    notified = [alert for alert in _alerts(section) if alert.labels.get("alertname")]
    detailed = [alert for alert in notified if len(alert.labels) > 1 or alert.annotations]
    document = {"alerts": [alert.document() for alert in detailed or notified]}
    yield from alerts.read(document, section, Finder(section.text, section.first))


class _Notified:
    """One alert in the making."""

    def __init__(self, status: str, name: str = "") -> None:
        self.status = status
        self.labels: dict[str, str] = {}
        self.annotations: dict[str, str] = {}
        self.name = name

    def document(self) -> dict[str, Any]:
        """Return it as Alertmanager's webhook has it."""
        return {"status": self.status, "labels": self.labels, "annotations": self.annotations}


def _alerts(section: Section) -> list[_Notified]:
    """Return the alerts; labels that stand in the heading alone hold for those below it."""
    current = _Notified("firing")
    result = [current]
    group = ""
    for line in section.lines:
        text = line.text.strip()
        if head := _HEAD.match(text):
            group, current = "", _from_head(head)
            result.append(current)
        elif state := _STATE.match(text):
            current = _Notified(state["status"].lower(), current.name)
            result.append(current)
        elif heading := _GROUP.match(text):
            group = heading["group"].lower()
            if group == "labels" and len(current.labels) > bool(current.name):
                current = _Notified(current.status, current.name)
                result.append(current)
        elif pair := _PAIR.match(text):
            key, value = pair["key"], pair["value"].strip(" `*")
            if key == "alertname" and current.labels.get("alertname", value) != value:
                current = _Notified(current.status)
                result.append(current)
            _put(current, group, bool(pair["bullet"]), key, value)
    return result


def _from_head(head: re.Match[str]) -> _Notified:
    name = _NAMED.match(head["rest"])
    alert = _Notified(head["status"].lower(), name["name"] if name else "")
    alert.labels |= {pair["key"]: pair["value"] for pair in _QUOTED_PAIR.finditer(head["rest"])}
    if alert.name:
        alert.labels.setdefault("alertname", alert.name)
    return alert


def _put(alert: _Notified, group: str, bulleted: bool, key: str, value: str) -> None:
    """Store a pair as label or annotation, by the heading above it, else by its name."""
    word = key.lower()
    if word in _TEXTS or (group == "annotations" and bulleted):
        alert.annotations.setdefault(word, value)
    elif bulleted or word in _LABELS:
        alert.labels.setdefault(key if bulleted else word, value)
