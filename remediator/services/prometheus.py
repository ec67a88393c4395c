"""Prometheus' `query_range`: what a container really used, for the number in a fix."""

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
"""By the name that is shown, in base units; the metrics are cAdvisor's and kube-state-metrics'."""

_PATH = "/api/v1/query_range"
_POINTS = 1000
"""A server refuses more than 11,000 points a series; a plot shows no more than this."""


@dataclass(frozen=True)
class Series:
    """One container's measure over time."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """(seconds since 1970, value), oldest first, never empty."""

    @property
    def most(self) -> float:
        """The largest value."""
        return max(value for _, value in self.points)


def query_range(web: Web, query: str, start: float, end: float) -> list[Series]:
    """All series of a query, in steps fit for the range."""
    step = max(15, int((end - start) / _POINTS) + 1)
    asked = [("query", query), ("start", f"{start:.3f}"), ("end", f"{end:.3f}"), ("step", str(step))]
    document = web.get(_PATH, asked)
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or data.get("resultType") != "matrix" or not isinstance(data.get("result"), list):
        raise AnswerError(f"{web.name} answers with no series: {short(str(document), 120)}", status=200)
    try:
        found = [_series(one) for one in data["result"]]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise AnswerError(f"{web.name} answers with a series that is none", status=200) from error
    return [one for one in found if one.points]


@dataclass
class UsageSource:
    """The `Source` port: usage of the named workloads; without any there is nothing to measure."""

    name: str
    web: Web

    def read(self, question: Question) -> Reading:
        """See the port."""
        start, end = question.since.timestamp(), question.until.timestamp()
        found: list[dict[str, Any]] = []
        for workload in question.workloads:
            for measure, query in MEASURES.items():
                for one in query_range(self.web, query % matchers(workload), start, end):
                    values = [[at, _plain(value)] for at, value in one.points]
                    found.append({"metric": {"__name__": measure, **one.labels}, "values": values})
        text = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": found}})
        ids = tuple(item_id(str(one["metric"]), str(one["values"][-1])) for one in found)
        notes = () if question.workloads else ("usage is measured for named workloads only",)
        return Reading(texts=((self.name, text + "\n"),) if found else (), items=len(found), ids=ids, notes=notes)


def matchers(workload: Workload) -> str:
    """PromQL matchers for the pods of a workload, dead ones included, without the pause containers."""
    pods = re.escape(workload.name) + "-.+" if workload.name and workload.kind != "Pod" else re.escape(workload.pod)
    parts = [
        f"namespace={json.dumps(workload.namespace)}",
        f"pod=~{json.dumps(pods)}",
        'container!="", container!="POD"',
    ]
    if workload.container:
        parts.append(f"container={json.dumps(workload.container)}")
    return ", ".join(parts)


def _series(one: Mapping[str, Any]) -> Series:
    """Without NaN and the infinities, which Prometheus writes too: nobody uses that much."""
    points = ((float(at), float(value)) for at, value in one["values"])
    labels = {str(name): str(text) for name, text in one["metric"].items()}
    return Series(labels, tuple((at, value) for at, value in points if math.isfinite(at) and math.isfinite(value)))


def _plain(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:.6g}"
