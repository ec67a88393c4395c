"""Prometheus' `query_range`: the actual usage of a container, for the number in a fix."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.domain.sources import AnswerError, Reading, item_id, short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.domain.sources import Question, Web, Workload

MEASURES: Mapping[str, str] = {
    "memory_working_set_bytes": "max by (namespace, pod, container) (container_memory_working_set_bytes{%s})",
    "cpu_usage_cores": "sum by (namespace, pod, container) (rate(container_cpu_usage_seconds_total{%s}[5m]))",
    "restarts": "max by (namespace, pod, container) (kube_pod_container_status_restarts_total{%s})",
}
"""The queries by the name of their measure, in base units; metrics of cAdvisor and kube-state-metrics."""

_PATH = "/api/v1/query_range"
_POINTS = 1000
"""Points per series, as many as a plot shows; a server refuses more than 11,000."""


@dataclass(frozen=True)
class Series:
    """One container's measure over time."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """(seconds since 1970, value), oldest first, never empty."""

    @property
    def most(self) -> float:
        """Return the largest value."""
        return max(value for _, value in self.points)


def query_range(web: Web, query: str, start: float, end: float) -> list[Series]:
    """Return all series of a query, in steps that fit the range."""
    step = max(15, int((end - start) / _POINTS) + 1)
    parameters = [("query", query), ("start", f"{start:.3f}"), ("end", f"{end:.3f}"), ("step", str(step))]
    document = web.get(_PATH, parameters)
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or data.get("resultType") != "matrix" or not isinstance(data.get("result"), list):
        raise AnswerError(f"{web.name} answers with no series: {short(str(document), 120)}", status=200)
    try:
        series = [_series(row) for row in data["result"]]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise AnswerError(f"{web.name} answers with a series that is none", status=200) from error
    return [item for item in series if item.points]


@dataclass
class UsageSource:
    """The `EvidenceSource` port: usage of the named workloads; without any there is nothing to measure."""

    name: str
    web: Web

    def read(self, question: Question) -> Reading:
        """Measure the question's workloads over its time."""
        start, end = question.since.timestamp(), question.until.timestamp()
        rows: list[dict[str, Any]] = []
        for workload in question.workloads:
            for measure, query in MEASURES.items():
                for series in query_range(self.web, query % matchers(workload), start, end):
                    values = [[at, _plain(value)] for at, value in series.points]
                    rows.append({"metric": {"__name__": measure, **series.labels}, "values": values})
        document = {"status": "success", "data": {"resultType": "matrix", "result": rows}}
        ids = tuple(item_id(str(row["metric"]), str(row["values"][-1])) for row in rows)
        notes = () if question.workloads else ("usage is measured for named workloads only",)
        return Reading(documents=((self.name, document),) if rows else (), items=len(rows), ids=ids, notes=notes)


def matchers(workload: Workload) -> str:
    """Return PromQL matchers for the pods of a workload, dead ones included, without the pause containers."""
    pods = re.escape(workload.name) + "-.+" if workload.name and workload.kind != "Pod" else re.escape(workload.pod)
    parts = [
        f"namespace={json.dumps(workload.namespace)}",
        f"pod=~{json.dumps(pods)}",
        'container!="", container!="POD"',
    ]
    if workload.container:
        parts.append(f"container={json.dumps(workload.container)}")
    return ", ".join(parts)


def _series(row: Mapping[str, Any]) -> Series:
    """Return a row as a series, without NaN and the infinities, which are no usage though Prometheus writes them."""
    points = ((float(at), float(value)) for at, value in row["values"])
    labels = {str(name): str(text) for name, text in row["metric"].items()}
    return Series(labels, tuple((at, value) for at, value in points if math.isfinite(at) and math.isfinite(value)))


def _plain(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:.6g}"
