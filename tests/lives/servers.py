"""What the servers answer at a moment of a life: Argo CD, Kubernetes, Loki and Alertmanager, each as its own API does."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from remediator.domain.times import stamp
from tests.lives.life import MINUTE, Life

MERGE = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
COMMIT = "9e8d7c6b5a49382716051a2b3c4d5e6f70819203"
OLDER = "1111111111111111111111111111111111111111"
SPACE, NAME = "shop", "checkout"
REPOSITORY = "https://git.example.com/ops/fleet.git"
_UNREADY = 30.0
"""Seconds for which a container that ended is not ready."""


def moment(seconds: float) -> datetime:
    """Return the time so many seconds after the merge."""
    return MERGE + timedelta(seconds=seconds)


@dataclass
class Cluster:
    """The pods of the workload, as the Kubernetes client hands them out."""

    life: Life
    now: Callable[[], float]

    def pods(self, namespace: str) -> list[dict[str, Any]]:
        """Return the one pod: another one once the change has arrived."""
        del namespace
        now, life = self.now(), self.life
        fresh = now >= life.arrival
        born = life.arrival if fresh else -24 * 60 * MINUTE
        last = life.last(now) if life.kind == "crash" else None
        ended = last is not None and last >= born
        ready = not ended or now - (last or 0.0) > _UNREADY
        since = (last or 0.0) + _UNREADY if ended and ready else (last if ended else born)
        status: dict[str, Any] = {
            "name": "app",
            "restartCount": life.counts(born, now) if life.kind == "crash" else 0,
            "state": {"running": {}} if ready else {"waiting": {"reason": "CrashLoopBackOff"}},
        }
        if ended:
            finished = stamp(moment(last or 0.0))
            status["lastState"] = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": finished}}
        template = "6f6c86b9f" if fresh else "5d7c86b9f"
        return [
            {
                "metadata": {
                    "name": f"{NAME}-{template}-x2x7k",
                    "namespace": SPACE,
                    "uid": template,
                    "creationTimestamp": stamp(moment(born)),
                    "labels": {"pod-template-hash": template},
                    "ownerReferences": [{"kind": "ReplicaSet", "name": f"{NAME}-{template}", "controller": True}],
                },
                "status": {
                    "phase": "Running",
                    "containerStatuses": [status],
                    "conditions": [
                        {
                            "type": "Ready",
                            "status": "True" if ready else "False",
                            "lastTransitionTime": stamp(moment(since or 0.0)),
                        }
                    ],
                },
            }
        ]

    def namespace(self, name: str) -> dict[str, Any]:
        """Return the namespace, which exists."""
        return {"metadata": {"name": name}}

    def warnings(self, namespace: str) -> list[dict[str, Any]]:
        """Return no events: they are kept for an hour, and are not what is tried here."""
        del namespace
        return []

    def knows(self, kind: str) -> bool:
        """Return True for the kind of the workload."""
        return kind == "Deployment"

    def workload(self, kind: str, namespace: str, name: str) -> dict[str, Any]:
        """Return the Deployment."""
        del kind, namespace, name
        ready = 1 if self.pods(SPACE)[0]["status"]["conditions"][0]["status"] == "True" else 0
        return {
            "metadata": {"generation": 2},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": 2, "updatedReplicas": 1, "readyReplicas": ready},
        }

    def forget(self) -> None:
        """Do nothing: nothing is kept."""


def application(life: Life, now: float) -> dict[str, Any]:
    """Return the Application as Argo CD has it: a crash makes it progress for a moment, and its health changes."""
    arrived = now >= life.arrival
    last = life.last(now) if life.kind == "crash" else None
    unready = last is not None and now - last <= _UNREADY
    since = max(
        -60 * MINUTE, life.arrival if arrived else -math.inf, *([last + _UNREADY * (not unready)] if last else [])
    )
    return {
        "metadata": {"name": NAME, "namespace": "argocd"},
        "spec": {"source": {"repoURL": REPOSITORY}, "syncPolicy": {"automated": {}}},
        "status": {
            "sync": {"status": "Synced", "revision": COMMIT if arrived else OLDER},
            "health": {
                "status": "Progressing" if unready else "Healthy",
                "lastTransitionTime": stamp(moment(min(since, now))),
            },
        },
    }


@dataclass
class LokiWeb:
    """Loki's answers to metric queries: those with a line filter count the fault, those without one all lines."""

    life: Life
    name: str = "Loki"
    base: str = "http://loki.example.com"

    def get(self, path: str, parameters: Sequence[tuple[str, str]] = (), *, patience: float = 0) -> Any:
        """Return the points of a matrix."""
        del path, patience
        told = dict(parameters)
        begin, end, step = int(told["start"]) // 10**9, int(told["end"]) // 10**9, int(told["step"])
        life = self.life
        times = sorted(life.occurrences if "|~" in told["query"] else (*life.occurrences, *life.chatter))
        times = times[: bisect_right(times, life.log_ends)]
        values = []
        for at in range(begin - begin % step, end + 1, step):
            offset = at - MERGE.timestamp()
            if count := bisect_right(times, offset) - bisect_right(times, offset - step):
                values.append([at, str(count)])
        result = [{"metric": {}, "values": values}] if values else []
        return {"status": "success", "data": {"resultType": "matrix", "result": result}}

    def post_form(self, path: str, parameters: Sequence[tuple[str, str]]) -> Any:
        """Answer a long question as a short one."""
        return self.get(path, parameters)

    def post_json(self, path: str, body: Any) -> Any:
        """Refuse: a verifier changes nothing."""
        raise NotImplementedError(path, body)


@dataclass
class AlertmanagerWeb:
    """Alertmanager's alerts: gone five minutes after the Prometheus that sent them has died."""

    life: Life
    now: Callable[[], float]
    name: str = "Alertmanager"
    base: str = "http://alertmanager.example.com"

    def get(self, path: str, parameters: Sequence[tuple[str, str]] = (), *, patience: float = 0) -> Any:
        """Return what fires."""
        del path, parameters, patience
        now, life = self.now(), self.life
        sent = min(now, life.prometheus_dies)
        if now - sent > 5 * MINUTE:
            return []
        alerts = [_alert("Watchdog", -20 * 60 * MINUTE, sent)] if life.watchdog else []
        since = life.alert_since(sent)
        labels = {"namespace": SPACE, "deployment": NAME}
        return [*alerts, *([_alert("FaultFires", since, sent, **labels)] if since is not None else [])]

    def post_form(self, path: str, parameters: Sequence[tuple[str, str]]) -> Any:
        """Answer a long question as a short one."""
        return self.get(path, parameters)

    def post_json(self, path: str, body: Any) -> Any:
        """Refuse: a verifier changes nothing."""
        raise NotImplementedError(path, body)


def _alert(name: str, since: float, sent: float, **labels: str) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": "in trouble"},
        "startsAt": stamp(moment(since)),
        "updatedAt": stamp(moment(sent)),
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        "fingerprint": name,
    }
