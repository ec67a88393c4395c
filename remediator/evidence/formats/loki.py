"""Loki's query results, and Prometheus' where they come in the same envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.evidence.contain import note_broken
from remediator.evidence.draft import Draft
from remediator.evidence.formats import logs
from remediator.evidence.formats.alerts import subject_of
from remediator.evidence.lines import Line, clean, from_epoch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.evidence.formats.finder import Finder
    from remediator.evidence.section import Section


USAGE = {
    "memory_working_set_bytes": "memory",
    "container_memory_working_set_bytes": "memory",
    "cpu_usage_cores": "cpu",
}
"""The resource that a series of usage measures, by its name: cAdvisor's own, or the one from the collector."""


def is_result(document: Any) -> bool:
    """Return True if the document is the answer to a query."""
    data = document.get("data") if isinstance(document, dict) else None
    return isinstance(data, dict) and isinstance(data.get("result"), list) and "resultType" in data


def read(document: Any, section: Section, finder: Finder) -> Iterator[Draft]:
    """Yield log lines in order of time per pod, since structured metadata splits one pod into many streams."""
    if document["data"]["resultType"] != "streams":
        yield from _series(document["data"]["result"], section, finder)
        return
    pods: dict[tuple[str, ...], tuple[Draft, list[tuple[str, Line, str]]]] = {}
    for number, stream in enumerate(document["data"]["result"], 1):
        labels = stream.get("stream") if isinstance(stream, dict) else None
        if not isinstance(labels, dict):
            continue
        labels = {str(key): str(text) for key, text in labels.items()}
        base = Draft(0, "log", section=section.no)
        subject_of(labels, base)
        if not base.pod and not base.name:
            base.kind, base.name = (
                "",
                labels.get("app") or labels.get("service_name") or labels.get("job", "").rpartition("/")[2],
            )
        key = (base.cluster, base.namespace, base.pod or base.name, base.container)
        _, entries = pods.setdefault(key, (base, []))
        values = stream.get("values") or []
        if not isinstance(values, list):
            note_broken(section.context, section.first, f"the values of stream {number} are no list and were left out")
            continue
        for entry in values:
            if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], str):
                level = labels.get("level") or labels.get("detected_level") or ""
                stamp = str(entry[0])
                entries.append(
                    (
                        stamp.rjust(20, "0"),
                        Line(finder.line(stamp), clean(entry[1]), from_epoch(stamp, unit=1e9)),
                        level,
                    )
                )
    for base, entries in pods.values():
        entries.sort(key=lambda entry: entry[0])
        levels = {id(line): level for _, line, level in entries if level not in {"", "unknown"}}
        for draft, line in logs.entries(
            [line for _, line, _ in entries], base.settle(), section.context, keep_all=True
        ):
            draft.level = draft.level or levels.get(id(line), "")
            yield draft


def _series(result: list[Any], section: Section, finder: Finder) -> Iterator[Draft]:
    """Yield a metric's newest value per series as a number that rules can read; for usage also its range."""
    for series in result:
        labels = series.get("metric") if isinstance(series, dict) else None
        if not isinstance(labels, dict):
            continue
        points = series.get("values") or [series.get("value")]
        if not points or not isinstance(points[-1], list) or len(points[-1]) != 2:
            continue
        draft = Draft(finder.line(str(points[-1][1])), "text", reason="Metric", section=section.no)
        subject_of({str(k): str(v) for k, v in labels.items()}, draft)
        draft.facts |= {"value": str(points[-1][1]), "metric": str(labels.get("__name__") or "")}
        if measure := USAGE.get(draft.facts["metric"]):
            numbers = [number for point in points if (number := _number(point)) is not None]
            if numbers:
                draft.facts |= {f"{measure}_peak": _plain(max(numbers)), f"{measure}_low": _plain(min(numbers))}
        draft.text = f"{draft.facts['metric']} {labels} = {draft.facts['value']}".strip()
        draft.last_seen = from_epoch(points[-1][0])
        yield draft


def _number(point: Any) -> float | None:
    try:
        number = float(point[1])
    except (TypeError, ValueError, IndexError):
        return None
    return number if number == number else None  # noqa: PLR0124 - NaN


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:.4f}"
