"""The cluster's own evidence on workloads: events, pods, and the last logs of crashed containers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.domain.json_reader import text_at
from remediator.domain.sources import AnswerError, Reading, Workload, item_id
from remediator.domain.times import stamp
from remediator.errors import ConfigError
from remediator.services.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.sources import Question
    from remediator.services.kubernetes.client import Cluster
    from remediator.services.kubernetes.objects import Object

LOG_LINES = 400
_MOST_EVENTS, _MOST_PODS, _MOST_LOGS = 500, 60, 10


@dataclass
class ClusterSource:
    """The `EvidenceSource` port; without workloads in the question, it reads the polled namespaces."""

    name: str
    cluster: Cluster
    namespaces: Sequence[str] = ()

    def read(self, question: Question) -> Reading:
        """Return events, pods and previous logs of the workloads."""
        workloads = question.workloads or tuple(Workload(namespace=namespace) for namespace in self.namespaces)
        if not workloads:
            raise ConfigError("needs `kubernetes.namespaces` of a target to be polled, or workloads to look at")
        documents: list[tuple[str, Any]] = []
        texts: list[tuple[str, str]] = []
        ids: list[str] = []
        notes: list[str] = []
        items = 0
        since = stamp(question.since)
        for namespace in dict.fromkeys(workload.namespace for workload in workloads):
            mine = [workload for workload in workloads if workload.namespace == namespace]
            pods = [
                pod for pod in self.cluster.pods(namespace) if any(objects.belongs(pod, workload) for workload in mine)
            ]
            events = self._events(namespace, mine, pods, since)
            by_id = {item_id(*_identity(event)): event for event in events}
            fresh = [event for event_id, event in by_id.items() if event_id not in question.handled]
            troubled = [pod for pod in pods if not objects.ready(pod) or objects.restarts(pod)]
            included = pods if question.workloads else troubled
            ids += by_id
            items += len(fresh) + len(included)
            notes += _cut(namespace, "events", len(fresh), _MOST_EVENTS) + _cut(
                namespace, "pods", len(included), _MOST_PODS
            )
            documents += self._document("Event", namespace, fresh[-_MOST_EVENTS:])
            documents += self._document("Pod", namespace, included[:_MOST_PODS])
            if question.workloads:
                texts += self._previous_logs(namespace, troubled, notes)
            if not pods and not events and self.cluster.namespace(namespace) is None:
                notes.append(f"namespace {namespace} does not exist in this cluster")
        return Reading(documents=tuple(documents), texts=tuple(texts), items=items, ids=tuple(ids), notes=tuple(notes))

    def _events(
        self, namespace: str, workloads: Sequence[Workload], pods: Sequence[Object], since: str
    ) -> list[Object]:
        """Return the events of these workloads, oldest first."""
        names = {name: None for workload in workloads for name in (workload.name, workload.pod) if name}
        names |= {objects.name_of(pod): None for pod in pods}
        everything = any(not workload.name and not workload.pod for workload in workloads)
        events = [
            event
            for event in self.cluster.events(namespace)
            if objects.moment_of(event) >= since and (everything or objects.regards(event, names))
        ]
        return sorted(events, key=objects.moment_of)

    def _document(self, kind: str, namespace: str, items: Sequence[Object]) -> list[tuple[str, Any]]:
        if not items:
            return []
        items = [objects.without_noise(item, kind) for item in items]
        body = {"apiVersion": "v1", "kind": f"{kind}List", "items": items}
        return [(f"{self.name} {namespace} {kind.lower()}s", body)]

    def _previous_logs(self, namespace: str, pods: Sequence[Object], notes: list[str]) -> list[tuple[str, str]]:
        """Return logs of containers from before their last restart, each under a path that names the container."""
        logs = []
        dead = [(pod, status) for pod in pods for status in objects.containers(pod) if objects.last_end(status)[0]]
        notes += _cut(namespace, "logs of dead containers", len(dead), _MOST_LOGS)
        for pod, status in dead[:_MOST_LOGS]:
            name, container = objects.name_of(pod), text_at(status, "name")
            previous = bool(status.get("restartCount"))
            try:
                log = self.cluster.log(namespace, name, container, previous=previous, lines=LOG_LINES)
            except AnswerError as error:  # a dead node, or no right to logs: the rest still tells
                notes.append(f"no log of {name}: {error}")
                continue
            if log.strip():
                path = f"{self.name}/namespaces/{namespace}/pods/{name}/{container}/{container}/logs/previous.log"
                logs.append((path, log))
        return logs


def _cut(namespace: str, kind: str, count: int, most: int) -> list[str]:
    """Return a note where not all of them were read."""
    side = "newest" if kind == "events" else "first"
    return [f"{namespace}: only the {side} {most} of {count} {kind} were read"] if count > most else []


def _identity(event: Object) -> tuple[str, str, str]:
    """Return the identity of an event: one that repeats keeps its name and counts on, which is news."""
    return text_at(event, "metadata", "uid"), objects.name_of(event), objects.moment_of(event)
