"""What a cluster itself says about workloads: events, pods, and the last words of containers that died."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """The `Source` port; without workloads in the question, the namespaces that are polled."""

    name: str
    cluster: Cluster
    namespaces: Sequence[str] = ()

    def read(self, question: Question) -> Reading:
        """See the port."""
        wanted = question.workloads or tuple(Workload(namespace=one) for one in self.namespaces)
        if not wanted:
            raise ConfigError("needs `kubernetes.namespaces` of a target to be polled, or workloads to look at")
        texts: list[tuple[str, str]] = []
        ids: list[str] = []
        notes: list[str] = []
        items = 0
        since = stamp(question.since)
        for namespace in dict.fromkeys(one.namespace for one in wanted):
            mine = [one for one in wanted if one.namespace == namespace]
            pods = [pod for pod in self.cluster.pods(namespace) if any(objects.belongs(pod, one) for one in mine)]
            events = self._events(namespace, mine, pods, since)
            named = {item_id(*_identity(event)): event for event in events}
            fresh = [event for one, event in named.items() if one not in question.handled]
            troubled = [pod for pod in pods if not objects.ready(pod) or objects.restarts(pod)]
            shown = pods if question.workloads else troubled
            ids += named
            items += len(fresh) + len(shown)
            notes += _cut(namespace, "events", len(fresh), _MOST_EVENTS) + _cut(
                namespace, "pods", len(shown), _MOST_PODS
            )
            texts += self._document("Event", namespace, fresh[-_MOST_EVENTS:])
            texts += self._document("Pod", namespace, shown[:_MOST_PODS])
            if question.workloads:
                texts += self._last_words(namespace, troubled, notes)
            if not pods and not events and self.cluster.namespace(namespace) is None:
                notes.append(f"namespace {namespace} does not exist in this cluster")
        return Reading(texts=tuple(texts), items=items, ids=tuple(ids), notes=tuple(notes))

    def _events(self, namespace: str, wanted: Sequence[Workload], pods: Sequence[Object], since: str) -> list[Object]:
        """Of the wanted objects, oldest first."""
        names = {name: None for one in wanted for name in (one.name, one.pod) if name}
        names |= {objects.name_of(pod): None for pod in pods}
        everything = any(not one.name and not one.pod for one in wanted)
        found = [
            event
            for event in self.cluster.events(namespace)
            if objects.moment_of(event) >= since and (everything or objects.regards(event, names))
        ]
        return sorted(found, key=objects.moment_of)

    def _document(self, kind: str, namespace: str, items: Sequence[Object]) -> list[tuple[str, str]]:
        if not items:
            return []
        shown = [objects.without_noise(item, kind) for item in items]
        body = {"apiVersion": "v1", "kind": f"{kind}List", "items": shown}
        return [(f"{self.name} {namespace} {kind.lower()}s", json.dumps(body, indent=1) + "\n")]

    def _last_words(self, namespace: str, pods: Sequence[Object], notes: list[str]) -> list[tuple[str, str]]:
        """Logs of containers as they were before their last restart; a path names whose they are."""
        found = []
        dead = [(pod, one) for pod in pods for one in objects.containers(pod) if objects.last_end(one)[0]]
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
                found.append((path, log))
        return found


def _cut(namespace: str, what: str, count: int, most: int) -> list[str]:
    """What a person must know where not all is shown."""
    side = "newest" if what == "events" else "first"
    return [f"{namespace}: only the {side} {most} of {count} {what} were read"] if count > most else []


def _identity(event: Object) -> tuple[str, str, str]:
    """An event that repeats keeps its name and counts on: that is news."""
    return text_at(event, "metadata", "uid"), objects.name_of(event), objects.moment_of(event)
