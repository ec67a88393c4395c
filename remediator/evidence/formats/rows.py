"""Rows of `kubectl get` without their header, as `grep` or `--no-headers` leave them: known by the shape of their columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.formats import get
from remediator.evidence.formats.patterns import alternatives
from remediator.evidence.kinds import kind_of
from remediator.evidence.tables import none

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.draft import Draft
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

_AGE = r"(?P<age>\d\S*[smhdy])"
_NAME = r"(?:(?P<namespace>[a-z0-9-]+) +)?(?:(?P<resource>[a-z.]+)/)?(?P<name>[a-z0-9][a-z0-9.-]*)"

_SHAPES: tuple[tuple[str, str], ...] = (
    (
        "Pod",
        r"(?P<ready>\d+/\d+) +(?P<status>[A-Z][\w:]+|Init:\S+) +(?P<restarts>\d+(?: \(\S+ ago\))?) +(?P<age>\d\S*[smhdy])(?: +(?P<ip>[\d.]+|<none>) +(?P<node>\S+).*)?",
    ),
    ("Deployment", rf"(?P<ready>\d+/\d+) +(?P<up_to_date>\d+) +(?P<available>\d+) +{_AGE}(?: +(?P<containers>\S+) +(?P<images>\S+) +(?P<selector>\S+))?"),
    ("StatefulSet", rf"(?P<ready>\d+/\d+) +{_AGE}(?: +(?P<containers>[a-z]\S*) +(?P<images>\S+))?"),
    ("Job", rf"(?:(?P<status>Running|Complete|Failed|Suspended|SuccessCriteriaMet) +)?(?P<completions>\d+/\d+) +(?:(?P<duration>\d\S*[smhdy]) +)?{_AGE}"),
    ("DaemonSet", rf"(?P<desired>\d+) +(?P<current>\d+) +(?P<ready>\d+) +(?P<up_to_date>\d+) +(?P<available>\d+) +(?P<node_selector>\S+) +{_AGE}.*"),
    ("ReplicaSet", rf"(?P<desired>\d+) +(?P<current>\d+) +(?P<ready>\d+) +{_AGE}.*"),
    ("PersistentVolumeClaim", rf"(?P<status>Bound|Pending|Lost) +(?:(?P<volume>\S+) +(?P<capacity>\d\w*) +(?P<access_modes>[RWOXP,]+) +)?(?:(?P<storageclass>[a-z]\S*) +)?(?:<unset> +)?{_AGE}.*"),
    ("PersistentVolume", r"(?P<capacity>\d\w*) +(?P<access_modes>[RWOXP,]+) +(?P<reclaim_policy>Delete|Retain|Recycle) +(?P<status>[A-Z][a-z]+) +(?P<claim>[a-z0-9-]+/\S+)? +(?P<storageclass>\S+)? +.*"),
    ("Service", rf"(?P<type>ClusterIP|NodePort|LoadBalancer|ExternalName) +(?P<cluster_ip>\S+) +(?P<external_ip>\S+) +(?P<ports>\S+) +{_AGE}(?: +(?P<selector>\S+))?"),
    ("Endpoints", rf"(?P<endpoints><none>|\d[\d.]+:\d+\S*(?: \+ \d+ more\.\.\.)?) +{_AGE}"),
    ("Node", rf"(?P<status>(?:Not)?Ready(?:,SchedulingDisabled)?) +(?P<roles>\S+) +{_AGE} +(?P<version>v\d\S*).*"),
    ("HorizontalPodAutoscaler", rf"(?P<reference>[A-Z]\w+/\S+) +(?P<targets>\S.{{0,120}}?) +(?P<minpods>\d+) +(?P<maxpods>\d+) +(?P<replicas>\d+) +{_AGE}"),
    ("Application", r"(?P<sync_status>Synced|OutOfSync|Unknown) +(?P<health_status>Healthy|Degraded|Progressing|Missing|Suspended|Unknown)(?: +\S+.*)?"),
)  # fmt: skip
"""The columns after the name, by kind; the first that fits decides where no command names the kind."""

_PATTERNS = tuple((kind, re.compile(rf"{_NAME} +{shape}\s*$")) for kind, shape in _SHAPES)

OPENS = re.compile(
    rf"(?:[a-z0-9-]+ +)?(?:[a-z.]+/)?[a-z0-9][a-z0-9.-]* +(?:{alternatives(shape for _, shape in _SHAPES)})\s*$"
)


def _fields(text: str, expected_kind: str) -> tuple[str, dict[str, str]] | None:
    """Return the kind of a row and its cells; of several that fit, the kind that the command asked for."""
    rows: dict[str, dict[str, str]] = {}
    for kind, pattern in _PATTERNS:
        if (match := pattern.match(text)) and kind == (kind_of(match["resource"]) if match["resource"] else kind):
            cells = {key: value for key, value in match.groupdict().items() if value and key != "resource"}
            rows.setdefault(kind, cells)
    kind = expected_kind if expected_kind in rows else next(iter(rows), "")
    return (kind, rows[kind]) if kind else None


_KINDS = frozenset(kind for kind, _ in _SHAPES)


def _asked(command: Command) -> str | None:
    """Return the kind that `kubectl get` asks for: empty for several or another command, None for one of another shape."""
    kind, _ = command.target
    if command.verb != "get" or "," in "".join(command.words[:1]) or kind in {"", "all"}:
        return ""
    return kind if kind in _KINDS else None


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the number of rows that stand together."""
    expected_kind, end = _asked(command), start
    if expected_kind is None:
        return 0
    while end < len(lines) and _fields(lines[end].text, expected_kind):
        end += 1
    return end - start


def read(section: Section) -> Iterator[Draft]:
    """Yield one status per row, named as by the header that is missing."""
    expected_kind = _asked(section.command) or ""
    for line in section.lines:
        if fields := _fields(line.text, expected_kind):
            kind, cell = fields
            yield get.row(section, line, kind, cell.pop("name"), {key: none(value) for key, value in cell.items()})
