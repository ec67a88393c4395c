"""Tables of `kubectl get` and `kubectl top`: one status per row, with every column as a fact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.draft import Draft
from remediator.evidence.formats.events import set_subject
from remediator.evidence.kinds import is_kind, kind_of
from remediator.evidence.tables import columns, none, snake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

OPENS = re.compile(r"(?:NAMESPACE +)?(?:NAME|POD|NODE)(?: {2,}[A-Z][A-Z0-9 ()%,/._-]*(?:\([a-z]+\))?)+\s*$")

_BY_COLUMNS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(names.split()), kind)
    for names, kind in (
        ("sync_status health_status", "Application"),
        ("ready status restarts", "Pod"),
        ("ready up_to_date available", "Deployment"),
        ("desired current ready up_to_date", "DaemonSet"),
        ("desired current ready", "ReplicaSet"),
        ("completions duration", "Job"),
        ("schedule suspend", "CronJob"),
        ("type cluster_ip", "Service"),
        ("endpoints", "Endpoints"),
        ("status roles version", "Node"),
        ("reference targets", "HorizontalPodAutoscaler"),
        ("capacity reclaim_policy", "PersistentVolume"),
        ("status volume capacity", "PersistentVolumeClaim"),
        ("provisioner", "StorageClass"),
        ("class hosts", "Ingress"),
        ("pod_selector", "NetworkPolicy"),
        ("min_available allowed_disruptions", "PodDisruptionBudget"),
        ("request limit", "ResourceQuota"),
        ("type data", "Secret"),
        ("data age", "ConfigMap"),
        ("secrets age", "ServiceAccount"),
        ("cpu_cores cpu_1", "Node"),
        ("ready age", "StatefulSet"),
        ("status age", "Namespace"),
    )
)
"""The kind that prints these columns, for tables without their command; the first that fits decides."""

_RESTARTS = re.compile(r"(?P<count>\d+)(?: \((?P<ago>\S+) ago\))?")
_ROW = re.compile(r"[a-z0-9](?:\S* {2,}|\S* \(default\) |\S*$)")


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of a table: the header and the lines that begin with a name; a header alone is no table."""
    del command
    end = start + 1
    while end < len(lines) and _ROW.match(lines[end].text):
        end += 1
    return end - start if end > start + 1 else 0


def _kind(command: Command, names: Sequence[str]) -> str:
    target_kind, _ = command.target
    if command.verb in {"get", "top"} and is_kind(target_kind):
        return target_kind
    have = {snake(name) for name in names}
    return next((kind for required, kind in _BY_COLUMNS if required <= have), "")


def read(section: Section) -> Iterator[Draft]:
    """Yield one status per row; `kubectl get all` prints several tables whose names carry the kind."""
    table_kind, cols = "", columns("")
    for line in section.lines:
        if OPENS.match(line.text):
            cols = columns(line.text)
            table_kind = _kind(section.command, cols.names)
            continue
        cell = {snake(key): none(text) for key, text in cols.cells(line.text).items()}
        if cell.get("pod"):
            cell["container"], cell["name"] = cell.get("name", ""), cell.pop("pod")
        name = cell.pop("name", "")
        if not name or " " in name.replace(" (default)", ""):
            continue
        kind, slash, bare = name.partition("/")
        kind, name = (kind_of(kind), bare) if slash else (table_kind, name)
        yield row(section, line, kind, name, cell)


def row(section: Section, line: Line, kind: str, name: str, cell: dict[str, str]) -> Draft:
    """Return the status that a row tells of its object, with every cell as a fact."""
    draft = Draft(line.no, "status", section=section.no)
    if kind not in {"Node", "Namespace", "PersistentVolume", "StorageClass"}:
        draft.namespace = cell.pop("namespace", "") or section.command.namespace
    if name.endswith(" (default)"):
        name, cell["default"] = name.removesuffix(" (default)"), "true"
    set_subject(draft, kind, name)
    if kind == "Pod":
        if match := _RESTARTS.fullmatch(cell.pop("restarts", "")):
            cell |= {"restart_count": match["count"], "restarted_ago": match["ago"] or ""}
        draft.node = cell.pop("node", "")
    if kind == "Application":
        draft.channel, draft.application = "sync", name
    if section.command.verb == "top":
        draft.reason = "Usage"
        draft.container = cell.pop("container", "")
        cell = {
            {
                "cpu_cores": "cpu_usage",
                "memory_bytes": "memory_usage",
                "cpu": "cpu_percent",
                "memory": "memory_percent",
            }.get(k, k): v
            for k, v in cell.items()
        }
    else:
        draft.reason = (
            cell.get("status")
            or cell.get("health_status")
            or ("NoEndpoints" if kind == "Endpoints" and not cell.get("endpoints") else "")
        )
    draft.facts |= cell
    if cell.get("labels"):
        draft.facts["labels"] = cell["labels"].replace(",", ", ")
    details = ", ".join(
        f"{key.replace('_', ' ')} {text}" for key, text in cell.items() if text and key not in {"age", "labels", "ip"}
    )
    draft.text = f"{kind or 'Object'} {name}" + (f": {details}" if details else "")
    return draft
